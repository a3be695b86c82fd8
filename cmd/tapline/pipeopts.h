/* pipeopts: the command line of one pipeline: the options its file declares (conf_option.h), and
 * what its help says. */
#ifndef TAPLINE_PIPEOPTS_H
#define TAPLINE_PIPEOPTS_H

#include "conf.h"
#include "opt.h"

enum { PIPEOPTS_MAX = 100 };

struct pipeopts {
    struct conf conf;
    struct conf_option *declared;
    struct opt *table; /* the file's options, then those of the command, then the end */
    size_t n, rows;    /* the file's; all */
    union pipeopts_value {
        bool flag;
        const char *text;
    } * value; /* of each of the file's */
    char name[80];
    struct buf details, words;
    struct opt_program program;
};

/* The options of file, for a command such as "tapline up" with options of its own: where both use a
 * name or letter, it is the file's. -1 when the file cannot be read. pipeopts_free in either case.
 */
int pipeopts_open(struct pipeopts *p, const char *command, const struct opt *own, const char *file,
                  struct err *e);

/* Parse argv as opt_parse does, with its result. */
int pipeopts_parse(struct pipeopts *p, int argc, char **argv, int *operands);

/* Hand out a word NAME=VALUE for every option that was given; valid until pipeopts_free. -1 when
 * two of them say different things about one variable. */
int pipeopts_each(struct pipeopts *p, void (*take)(void *ctx, const char *word), void *ctx,
                  struct err *e);
void pipeopts_free(struct pipeopts *p);

#endif
