/* conf: pipeline files, read through libinih.
 *
 *     [pipeline]                          variables for the sections below
 *     DEVICE = ${DEVICE:-/dev/ttyACM0}
 *
 *     [serial]                            every other section is a stage
 *     run = serialcat --device $DEVICE
 *         --baud 115200 -o serial         an indented line continues the value, joined by one blank
 *
 * A # or ; at the start of a line begins a comment, and so does a blank followed by ; within one,
 * even between quotes. "key: value" is the same as "key = value". A line is as long as it likes, a
 * value at most CONF_VALUE_MAX. Which keys there are is the caller's business; a key is letters,
 * digits, and . _ -
 *
 * $NAME, ${NAME}, ${NAME:-default} and ${NAME:+text} stand for a variable, $$ for a dollar. A
 * variable set on the command line comes first, then one of the environment, then [pipeline]. As in
 * a shell the default also replaces an empty value, and the text is there when the variable is set
 * and not empty; both may hold variables. In a run line an unquoted ${NAME:+-i name} that stands
 * alone is as many words as its text has, or none. A [pipeline] value sees the lines above
 * it, and its own name in it is what the command line or the environment says: then its text
 * decides what they amount to, so that ${DEVICE:-x} also replaces an empty DEVICE.
 *
 * A section with a line only_if = $NAME is as if it were not in the file when that expands to
 * nothing or to no (or false, off, 0: the words that turn a flag off). What else it says is then
 * not expanded. An input that exists only with it is written ${NAME:+-i name}.
 *
 * A line option.NAME in [pipeline] declares an option of the command line, see conf_option.h.
 */
#ifndef TAPLINE_CONF_H
#define TAPLINE_CONF_H

#include <stddef.h>

#include "buf.h"
#include "err.h"
#include "words.h"

enum {
    CONF_FILE_MAX = 256 << 10,
    CONF_VALUE_MAX = 8 << 10, /* bytes of a value, expanded or not */
    CONF_NAMES_MAX = 1000     /* sections; keys in one section */
};

struct conf_var {
    const char *name;
    const char *value;
};

struct conf_entry {
    char *key;
    char *raw;   /* as written, continuation lines joined */
    char *value; /* expanded; of `run` and option.NAME as written */
    char *note;  /* in [pipeline]: the comment right above it, one line; NULL = none */
    unsigned line;
};

struct conf_section {
    char *name;
    unsigned line; /* of its header */
    struct conf_entry *entry;
    size_t n;
    bool absent; /* its only_if says no; values are NULL */
};

/* Everything in it is owned by it. */
struct conf {
    char *path;
    struct conf_section *section; /* in the order of the file, without [pipeline] */
    size_t n;
    size_t absent;            /* so many more behind them that only_if has taken out */
    struct conf_section vars; /* [pipeline]; value is what $NAME stands for */
    struct conf_var *override;
    size_t overrides;
};

/* Read path into c, which is overwritten. The overrides are copied. 0; or -1 with c empty and a
 * text "FILE:LINE: what is wrong (cure)". */
int conf_load(struct conf *c, const char *path, const struct conf_var *overrides, size_t n,
              struct err *e);

/* As written only: every value is NULL, no section is absent, and no variable need be set. */
int conf_read(struct conf *c, const char *path, struct err *e);

/* {0} is fine. */
void conf_free(struct conf *c);

/* The section of that name, and the expanded value of a key; NULL when missing. */
const struct conf_section *conf_find(const struct conf *c, const char *name);
const char *conf_get(const struct conf_section *s, const char *key);

/* The line of a key; of the section's header when key is NULL or missing. */
unsigned conf_section_line(const struct conf_section *s, const char *key);

/* The value of a variable: [pipeline] (which minds the others), command line, environment; NULL
 * when unset. */
const char *conf_variable(const struct conf *c, const char *name);

/* Append text with its variables expanded; 0, or -1 with a text that names file and line. */
int conf_expand(const struct conf *c, unsigned line, const char *text, struct buf *out,
                struct err *e);

/* Expand the variables in every word that conf_split made; words that fade go when they are empty.
 * -1 = nothing else may be done with them than to free them. */
int conf_expand_words(const struct conf *c, unsigned line, struct conf_argv *words, struct err *e);

/* The commands of the section's `run` line, split and expanded, into out, which is overwritten:
 * free it with conf_argv_free. 0; or -1 with out empty. */
int conf_run(const struct conf *c, const struct conf_section *s, struct conf_argv *out,
             struct err *e);

/* Fill e with "FILE:LINE: " and a text of the caller's, cause CAUSE_USAGE. Always returns -1. */
int conf_error(const struct conf *c, unsigned line, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
