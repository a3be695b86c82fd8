/* words: a command line split into commands and words as a POSIX shell splits it.
 *
 * Understood are words, 'single' and "double" quotes, backslashes, and | between commands. What a
 * shell would do something else with (> < ; & ( ) ` $( * ? [ { } ~ # and NAME=VALUE in front) is an
 * error that says so: the same line then means the same here and pasted into a shell.
 *
 * Variables stay in the words as templates, to be expanded afterwards (conf_expand_words), so
 * that a value never turns into two words, a quote or a pipe. In a template a variable is ${NAME},
 * ${NAME:-default} or ${NAME:+text}, and a dollar that is just a dollar is $$.
 *
 * ${NAME:+-i name} without quotes becomes the words ${NAME:+-i} and ${NAME:+name}, which fade: what
 * they expand to may be nothing, and then they are no words. As in a shell, where it stands alone;
 * what the variables in its text hold stays in one word, as everywhere.
 */
#ifndef TAPLINE_WORDS_H
#define TAPLINE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

enum { CONF_WORDS_MAX = 4096 /* words of one line, of all its commands together */ };

struct conf_cmd {
    char **argv; /* owned; argv[argc] is NULL */
    size_t argc; /* at least 1 after conf_split */
    bool *fades; /* owned; for each word. NULL once expanded */
};

/* The commands of a line in order; command i writes into command i + 1. */
struct conf_argv {
    struct conf_cmd *cmd;
    size_t n;
};

/* Split line into out, which is overwritten. 0; or -1 with out empty. */
int conf_split(const char *line, struct conf_argv *out, struct err *e);

/* {0} is fine. */
void conf_argv_free(struct conf_argv *a);

/* Bytes of the variable name at s: a letter or underscore, then also digits; 0 = none. */
size_t conf_name_len(const char *s);

/* The brace that closes the ${ whose text begins at s; NULL when none does. */
const char *conf_brace_end(const char *s);

#endif
