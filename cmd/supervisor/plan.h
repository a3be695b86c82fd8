/* plan: a pipeline file understood: which processes there are to be, and how each is to be run.
 * Everything that can be known to be wrong is found here, before anything starts.
 */
#ifndef SUPERVISOR_PLAN_H
#define SUPERVISOR_PLAN_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf.h"
#include "endpoint.h"
#include "program.h"
#include "state.h"

enum { PLAN_NAME = 64, PLAN_STAGES = 200, PLAN_PROBLEMS = 100 };

/* What the keys of a section say; it holds for every command of its run line. */
struct plan_keys {
    enum restart_policy restart;
    int64_t backoff_ms, stop_ms, watchdog_ms; /* watchdog 0 = off */
    int64_t memory;                           /* bytes, 0 = no limit */
    const char *dir;                          /* NULL = where the supervisor was started */
    const char *user;                         /* NULL = as the supervisor */
    uid_t uid;
    gid_t gid;
    const char *cpu; /* NULL = wherever the kernel likes */
    cpu_set_t cpus;
};

struct plan_section {
    const struct conf_section *conf;
    struct plan_keys keys;
    struct conf_argv run;
};

struct plan_stage {
    char name[PLAN_NAME];
    char program[PROGRAM_PATH]; /* absolute */
    bool own;                   /* tapline's: it reports, and -i and -o mean endpoints */
    const struct plan_section *section;
    const struct conf_cmd *cmd;
    size_t place; /* within its section's pipe, from 0 */
};

/* A wire between two stages. */
struct plan_link {
    const struct plan_stage *from, *to;
    int out, in;   /* number among the outputs of one, inputs of the other; -1 = not known */
    bool narrowed; /* over NNG the receiver does not ask for everything */
    enum endpoint_kind kind;
    char via[128];  /* "pipe", or the endpoint */
    char path[160]; /* of a named pipe */
};

/* Texts "FILE:LINE: what is wrong (cure)". */
struct plan_problems {
    char *text[PLAN_PROBLEMS];
    size_t n;
};

struct plan {
    struct conf conf;
    char name[PLAN_NAME];
    char *open, *description; /* NULL = none */
    struct plan_section *section;
    size_t sections;
    struct plan_stage *stage;
    size_t stages;
    struct plan_link *link;
    size_t links;
    struct plan_problems problems;
};

/* Read the pipeline file with NAME=VALUE words from the command line. 0; -1 with at least one
 * problem in p->problems. plan_free in either case. */
int plan_load(struct plan *p, const char *file, char **words, size_t n);
void plan_free(struct plan *p);

/* Variables of the command line that the file never mentions: a text to warn with, or NULL. */
const char *plan_unused(const struct plan *p, char **words, size_t n, size_t *at);

/* Fill in s->keys from its section (plan_keys.c). */
void plan_keys_read(struct plan *p, struct plan_section *s);

/* Check that the wires between the stages meet, and fill in p->link (plan_wires.c). */
void plan_wires_check(struct plan *p);

/* Have tapline's own programs check their options (plan_programs.c). -1 = there are problems. */
int plan_programs_check(struct plan *p);

/* Whether a pipe leads into the stage, and out of it. */
bool plan_piped_in(const struct plan_stage *s);
bool plan_piped_out(const struct plan_stage *s);

/* The value of option -LETTER / --NAME at *at in argv, moving *at behind it; NULL when there is
 * none. Start with *at = 1. */
const char *plan_option(const struct conf_cmd *c, size_t *at, char letter, const char *name);

/* Add a problem at a line of the pipeline file. */
void plan_problem(struct plan *p, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
