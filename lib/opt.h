/* opt: command lines from one table, which also prints the help and the man page's OPTIONS.
 *
 * Long options (--name VALUE, --name=VALUE) and single letters (-v, -i NAME), which may be joined
 * (-vv). "--" ends the options. Defaults shown in the help are read from the variables.
 */
#ifndef TAPLINE_OPT_H
#define TAPLINE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum opt_kind {
    OPT_FLAG,     /* bool *; given = true; --no-NAME = false; --NAME=yes|no */
    OPT_COUNT,    /* int *; each time adds one */
    OPT_TEXT,     /* const char ** */
    OPT_INT,      /* int64_t *, within min..max */
    OPT_DURATION, /* int64_t * milliseconds: "250ms", "5s", "2m", "1h"; a bare number is seconds */
    OPT_SIZE,     /* int64_t * bytes: "4096", "64k", "10M", "2G" (powers of 1024) */
    OPT_LIST      /* struct opt_list *; repeatable */
};

enum { OPT_LIST_MAX = 64 };

struct opt_list {
    const char *item[OPT_LIST_MAX];
    size_t n;
};

struct opt {
    const char *name; /* without dashes; NULL ends a table */
    char letter;      /* 0 = none */
    enum opt_kind kind;
    void *into;
    const char *arg;  /* what the help calls the value; NULL for flags */
    const char *help; /* one sentence without a full stop; NULL: hidden from help and man page */
    int64_t min, max; /* OPT_INT, OPT_DURATION, OPT_SIZE; both 0 = any number not negative */
};

struct opt_program {
    const char *name;
    const char *summary;  /* one line: what it does */
    const char *synopsis; /* operands after the options, e.g. "FILE [NAME=VALUE]..."; may be NULL */
    const char *details;  /* paragraphs for --help's end and the man page; may be NULL */
    const char *words; /* operands that completion offers, each with a blank behind it, or NULL */
    const struct opt *tables[12]; /* option tables, NULL-terminated list */
};

/* Parse argv. The operands that remain are moved to the front of argv from index 1 and their number
 * is stored in *operands. -1 = go on; otherwise the exit status: 0 after --help or --version,
 * 2 after an error, which has been printed. */
int opt_parse(const struct opt_program *p, int argc, char **argv, int *operands);

/* The index of the first operand in argv, before opt_parse; argc when there is none. */
int opt_first_operand(const struct opt_program *p, int argc, char **argv);

/* The help text, the page in man(7) form, or a line of option words for shell completion, on
 * stdout. */
void opt_help(const struct opt_program *p);
void opt_man(const struct opt_program *p);
void opt_words(const struct opt_program *p);

/* Text to number as the kinds above; -1 and the reason when it is none or out of bounds. */
int opt_number(enum opt_kind kind, const char *text, int64_t *out, struct err *e);

/* Whether text is one of the words that turn a flag off: no, false, off, 0, in any case. */
bool opt_is_no(const char *text);

/* Write out what was printed: whoever asked for it must not take a part for the whole. status; or,
 * after a text, 1 in place of 0 when it could not be written. */
int opt_printed(const char *name, int status);

/* Print "PROGRAM: text (see PROGRAM --help)" and return exit status 2. */
int opt_usage_error(const struct opt_program *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
