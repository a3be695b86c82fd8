/* child: one stage of the running pipeline: its process, its state, its pipes, what it says. */
#ifndef SUPERVISOR_CHILD_H
#define SUPERVISOR_CHILD_H

#include <sys/types.h>
#include <uv.h>

#include "buf.h"
#include "ledger.h"
#include "lines.h"
#include "plan.h"
#include "state.h"

enum { CHILD_LINES_PER_S = 500, CHILD_PIPE_BYTES = 1 << 20, CHILD_ALIVE_MS = 1000 };

struct supervisor;
struct child;

/* Its standard error, or the standard output of the last in a pipe: one pipe for all its lives. */
struct output {
    struct child *child;
    int read_fd, write_fd; /* -1 = none */
    uv_poll_t poll;
    uv_timer_t pause; /* after a flood */
    struct lines lines;
};

struct child_report {
    struct buf body; /* of its last sys.NAME; empty = it has not reported since its start */
    uint64_t time_ns, in, out, cpu_us;
    double in_per_s, out_per_s, cpu_percent;
};

struct child {
    struct supervisor *sup;
    const struct plan_stage *plan;
    enum state state;
    pid_t pid; /* 0 = there is no process */
    int failure_fd;
    int in, out; /* the supervisor's hold on the pipes of a | b; -1 = none */
    char **env;
    uv_timer_t timer; /* the time of this state */
    struct backoff backoff;
    enum { ENDING_DOWN, ENDING_AGAIN, ENDING_UNFIT } ending; /* while stopping */
    enum cause cause;
    char cause_text[160], last_exit[80];
    uint64_t started_ns; /* monotonic, of the last start */
    uint64_t restarts;
    uint64_t silent_since_ns; /* monotonic: last report, or start */
    bool reports, was_ready;
    struct output err, text;
    uint64_t window_ns; /* flood of lines: this second's, and those left out */
    uint64_t window_lines, left_out;
    struct child_report report;
    struct ledger ledger;
};

/* plan, sup, in and out are set. */
int child_open(struct child *c, struct err *e);
void child_event(struct child *c, enum event ev);
/* Its process has ended, and is still a zombie. */
void child_ended(struct child *c, int wait_status);
/* Once a second: limits, and lines that were left out. While the supervisor itself stood still
 * (stalled_ns) nobody could be heard. */
void child_tick(struct child *c, uint64_t stalled_ns);
/* It has reported; ready: for the first time, or again. */
void child_heard(struct child *c, bool ready);
void child_close(struct child *c);
void child_free(struct child *c);

/* Whether the stage is as it should be when the pipeline is up. */
bool child_well(const struct child *c);

/* output.c */
int output_open(struct output *o, struct child *c, struct err *e);
/* Read what is there; at the end of a life also an unfinished line. */
void output_drain(struct output *o);
void output_close(struct output *o);
void output_tick(struct child *c);

#endif
