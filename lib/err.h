/* err: the one error type of all programs, a cause and a text.
 *
 * A function that can fail takes a `struct err *` and returns -1 (or NULL) after filling it. The
 * error is returned up and printed once, where the name of the thing that failed is known. The
 * words for causes are the same in logs, status, metrics and pages (cause_name).
 */
#ifndef TAPLINE_ERR_H
#define TAPLINE_ERR_H

enum cause {
    CAUSE_OK,
    CAUSE_USAGE,      /* the command line or a pipeline file is wrong */
    CAUSE_ABSENT,     /* no such device, file or endpoint */
    CAUSE_PERMISSION, /* there, but not for this user */
    CAUSE_BUSY,       /* in use by somebody else */
    CAUSE_UNPLUGGED,  /* was there and went away */
    CAUSE_TIMEOUT,    /* no answer in time */
    CAUSE_PROTOCOL,   /* the other side sent what it must not */
    CAUSE_LIMIT,      /* a stated bound was reached */
    CAUSE_FULL,       /* no space left */
    CAUSE_CRASHED,    /* a process ended by a signal or a non-zero status */
    CAUSE_FAILED      /* anything else; the text says what */
};

struct err {
    enum cause cause;
    char text[300]; /* one line, no newline, names the thing, the value and the cure */
};

/* Fill e (may be NULL) printf-style. Always returns -1, so that `return err_set(...)` reads well.
 */
int err_set(struct err *e, enum cause c, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set with the cause and text of errno value `no` appended: "cannot open X: No such file".
 */
int err_errno(struct err *e, int no, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The cause an errno value stands for. */
enum cause cause_of_errno(int no);

/* The word for a cause: "ok", "absent", "permission", ... Never NULL. */
const char *cause_name(enum cause c);

#endif
