/* pick: which of the running pipelines is meant, and asking its supervisor. */
#ifndef TAPLINE_PICK_H
#define TAPLINE_PICK_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "opt.h"
#include "rundir.h"
#include "runlock.h"

enum { PICK_MAX = 64, PICK_TIMEOUT_MS = 3000 };

struct running {
    char dir[RUNDIR_MAX];
    struct runlock_info info;
};

/* -p NAME, for the option tables of subcommands. */
extern const struct opt pick_options[];

/* As if -p NAME had been given. */
void pick_name(const char *name);

/* The pipelines that are running, by name: our own, and services as far as we may look. */
size_t pick_all(struct running *out, size_t max);
/* One that runs as a service and that this user may not look at: its name, in out; false = none.
 * name: only that one; NULL: any. */
bool pick_closed(const char *name, char *out, size_t size);
/* What to do about it. */
#define PICK_CLOSED "pipeline %s runs as a service (sudo tapline -p %s status)"

/* Find the pipeline called `name` (NULL: -p, $TAPLINE_RUN, the only one) and make it the one that
 * endpoints mean ($TAPLINE_RUN). -1 with a text that says what there is. */
int pick_pipeline(const char *name, struct running *out, struct err *e);
/* The same when it is clear; else nothing happens. */
void pick_quietly(void);

/* One request to its supervisor. 0 with the reply appended, or -1 with the error printed. */
int pick_ask(const struct buf *request, struct buf *reply);
/* Print "tapline: text"; the exit status it means. */
int pick_fail(const struct err *e);

#endif
