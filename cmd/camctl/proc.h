/* proc: one program that runs beside camctl: started, watched, read, ended, told.
 *
 * Each leads a process group of its own. Its standard error is read line by line into a bounded
 * ring. What to do when it ends is its owner's affair.
 */
#ifndef CAMCTL_PROC_H
#define CAMCTL_PROC_H

#include <sys/types.h>
#include <uv.h>

#include "err.h"
#include "guard.h"
#include "stream.h"
#include "words.h"

enum {
    PROC_LINES = 20,            /* kept of standard error */
    PROC_LINE_BYTES = 240,      /* a longer line is cut */
    PROC_PIPE_BYTES = 128 << 10 /* of its input: what lies in there cannot be left out any more */
};

enum proc_state { PROC_STOPPED, PROC_STARTING, PROC_RUNNING, PROC_BACKOFF, PROC_MISSING };

struct proc {
    /* Set by the owner. */
    const char *name;
    bool takes_input;            /* it is fed through `in` */
    bool gives_output;           /* what it writes comes to out.on_bytes */
    void (*on_end)(void *ctx);   /* it has ended, its streams are closed */
    void (*on_again)(void *ctx); /* the pause after a failure is over */
    void (*on_told)(void *ctx);  /* something that is told has changed */
    void *ctx;
    unsigned grace_ms;   /* for each step of its end */
    struct guard *guard; /* told when it begins and ends */

    uv_loop_t *loop;
    enum proc_state state;
    pid_t pid; /* 0 = none */
    enum cause cause;
    char status[160]; /* for people: how it ended, or why it does not run */
    char told[160];   /* the last of these in the log; a repetition is not told again */
    uint64_t restarts;
    uint64_t since_ns;   /* wall clock, of the state */
    uint64_t started_ms; /* loop time */
    struct buf command;  /* as it would be typed, but for logins in URLs */

    struct instream out, err;
    struct outstream in;
    bool fed; /* in is open */

    char line[PROC_LINES][PROC_LINE_BYTES];
    size_t lines;        /* ever; the newest is line[(lines - 1) % PROC_LINES] */
    size_t lines_before; /* of earlier lives */
    bool lines_changed;
    char part[PROC_LINE_BYTES];
    size_t part_len;

    bool ending;      /* it was asked to end */
    int step;         /* of asking */
    unsigned wait_ms; /* next pause after a failure */
    bool opened;
    uv_timer_t timer;
};

void proc_open(struct proc *p, uv_loop_t *loop);
/* Run it. -1 when it cannot be: the state is then PROC_MISSING or PROC_BACKOFF, and on_again is
 * called later. Whoever asks before the last one's streams are closed (proc_free_to_start) errs. */
int proc_start(struct proc *p, const struct conf_argv *a, struct err *e);
bool proc_free_to_start(const struct proc *p);
/* It does what it is there for. */
void proc_runs(struct proc *p);
/* Ask it to end: whoever is fed sees the end of its input first; then SIGTERM, then SIGKILL. */
void proc_end(struct proc *p);
/* End it at once because of a fault, which is what its end is then put down to. */
void proc_fail(struct proc *p, enum cause cause, const char *why);
/* After a failure: pause, then on_again. */
void proc_back_off(struct proc *p);
/* Not running, and not because of a fault. */
void proc_rest(struct proc *p, const char *why);
/* No pause any more: the next failure begins with the shortest. */
void proc_forgive(struct proc *p);
/* SIGCHLD has come: look whether it has ended. */
void proc_reap(struct proc *p);
const char *proc_state_name(enum proc_state s);
/* Kill what still runs and close. Memory must live until the loop has run once more; then
 * proc_free. */
void proc_close(struct proc *p);
void proc_free(struct proc *p);

#endif
