/* script: commands at their times, from a file.
 *
 *     at 1.5s press 3       counted from the start of the script (of this round of a loop)
 *     after 200ms release 3 counted from the command before
 *     press 5               at once after the command before
 *     wait 1s
 *     loop                  from the top again; what follows is never reached
 *     # a remark
 */
#ifndef DEVSIM_SCRIPT_H
#define DEVSIM_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "err.h"

enum { SCRIPT_LINES = 10000 };

struct script_line {
    bool absolute, loop;
    uint64_t ms;
    char *command; /* NULL: only time passes */
};

struct script {
    /* Carry out a command; dry: only check it. -1 with the reason. */
    int (*run)(void *ctx, const char *command, bool dry, struct err *e);
    void *ctx;
    struct script_line *line;
    size_t n, next;
    uint64_t start_ms; /* of this round, on the loop's clock */
    uint64_t last_ms;  /* when the command before was due */
    uv_timer_t timer;
    bool open;
};

/* Read and check the whole file; errors name file and line. */
int script_load(struct script *s, const char *path, struct err *e);
void script_start(struct script *s, uv_loop_t *loop);
void script_close(struct script *s);

#endif
