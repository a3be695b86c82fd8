/* stage: what every program of a pipeline has in common: options, inputs and outputs, requests,
 * signals, the loop, and a report about itself once a second (topic sys.NAME).
 *
 * A program's main is: options, open, ready, run, close.
 *
 *     static struct my m = {...defaults...};
 *     struct stage st = {.ctx = &m, .on_msg = on_msg, ...};
 *     int status = stage_options(&st, &PROGRAM, OPTIONS, argc, argv);
 *     if (status >= 0)
 *         return status;
 *     if (stage_open(&st, &e) < 0 || my_open(&m, &st, &e) < 0)
 *         return stage_fail(&st, &e);
 *     stage_ready(&st);
 *     status = stage_run(&st);
 *     my_close(&m);
 *     return stage_close(&st, status);
 *
 * Environment: TAPLINE_STAGE  name given by the supervisor (sys.NAME, log lines)
 *              TAPLINE_RUN    directory of the sockets (rundir.h)
 *              TAPLINE_STDIN  "any": standard input may be plain bytes, although under a supervisor
 */
#ifndef TAPLINE_STAGE_H
#define TAPLINE_STAGE_H

#include "hist.h"
#include "opt.h"
#include "pub.h"
#include "put.h"
#include "rpc.h"
#include "sub.h"

enum { STAGE_COUNTERS = 48, STAGE_STOP_MS = 800, STAGE_LOG_MS = 50 /* info lines may wait */ };

/* A number of the program's own in its report; kept, not copied, until stage_run returns. */
struct stage_counter {
    const char *name; /* lower_snake, unit at the end where it has one */
    const uint64_t *value;
};

struct stage_stats {
    uint64_t started_ns; /* monotonic */
    struct hist latency; /* since start */
    struct hist recent[2];
    uint64_t recent_since_ns;
    uint64_t last_message_ns; /* wall clock, when the last message went in or out; 0 = never */
    uint64_t dropped;         /* messages this stage threw away itself, for any stated reason */
    uint64_t bad;             /* pieces of input that made no sense */
    uint64_t queue;           /* things waiting inside the stage */
};

struct stage {
    /* Set by the program. */
    void *ctx;
    void (*on_msg)(void *ctx, const struct msg *m);
    size_t (*on_raw)(void *ctx, const uint8_t *p, size_t n, uint64_t time_ns); /* see sub.h */
    /* A request other than those every stage answers ("ping", "stats", "put"). NULL: none are
     * known. */
    void (*on_request)(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                       size_t n);
    /* Every pipe it reads has ended. NULL: the stage stops. Either way what is published already is
     * still written, however slow the reader is, unless a signal asks for the end. */
    void (*on_end)(void *ctx);
    /* Stop was asked for. The program ends what it has open and calls stage_stopped when done;
     * after STAGE_STOP_MS the stage ends anyway. NULL: ends at once. */
    void (*on_stop)(void *ctx);
    void (*on_tick)(void *ctx); /* once a second, before the report */
    void (*on_blocked)(void *ctx,
                       bool full); /* an output pipe is full; inputs are paused already */
    void (*on_hangup)(void *ctx);  /* SIGHUP; NULL: ignored */
    bool no_stdin;                 /* without -i there is no input at all */
    bool no_stdout;                /* without -o there is no output at all */

    /* For the program to use. */
    const char *name; /* the stage's name: from the supervisor, else the program's */
    uv_loop_t loop;
    struct pub pub;
    struct sub sub;
    struct rpc_server rpc;
    struct put_requests put;
    struct stage_stats stats;
    enum cause cause; /* why it is not well; CAUSE_OK otherwise. Set it with stage_cause. */
    char cause_text[160];

    /* Its own. */
    const struct opt_program *program;
    struct opt_list inputs, outputs, topics;
    int verbose;
    bool quiet, stopping, stopped, ready;
    bool opened;    /* the loop exists */
    bool ended;     /* every input has ended */
    bool signalled; /* somebody waits for our end */
    int status;
    uv_signal_t signals[3];
    uv_timer_t tick, stop_timer, log_timer;
    uv_prepare_t prepare;
    struct stage_counter counters[STAGE_COUNTERS];
    size_t counter_count;
    int report_fd;
    struct buf report;
    uint64_t report_seq;
    struct tally *tally; /* shared with the supervisor; NULL = none */
};

/* Parse the command line with the program's own table beside the common options (-i, -o, --topic,
 * -v, -q). -1 = go on, with operands (may be NULL) set as by opt_parse; else the exit status. */
int stage_options(struct stage *st, const struct opt_program *p, int argc, char **argv,
                  int *operands);
/* Hidden option --check, by which the supervisor has command lines looked at before it starts
 * anything: stage_open ends the process with 0. So whatever can be known to be wrong with the
 * options must be found before it, without touching anything. */
bool stage_checking(void);
/* The common option table, for opt_program.tables. */
extern const struct opt *const stage_common_options;

/* Open the loop, inputs, outputs and the request socket. */
int stage_open(struct stage *st, struct err *e);
/* Everything is open: tell the supervisor, start the report. */
void stage_ready(struct stage *st);
/* Run until stopped; the exit status. */
int stage_run(struct stage *st);
/* Close and free; returns status. */
int stage_close(struct stage *st, int status);

/* Print e, take down what stage_open has opened, and return exit status 1 (2 for CAUSE_USAGE), for
 * failures before the loop runs. The process must end now. */
int stage_fail(struct stage *st, const struct err *e);

/* Ask the stage to stop with this exit status (as a signal does with 0). */
void stage_stop(struct stage *st, int status);
/* The program has ended what it had open; the loop ends. */
void stage_stopped(struct stage *st);

/* Publish: pub_begin/pub_end on st->pub. Shorthands that count. */
static inline struct buf *stage_begin(struct stage *st, const char *topic, uint64_t time_ns,
                                      uint32_t keys) {
    return pub_begin(&st->pub, topic, time_ns, keys);
}
static inline uint64_t stage_end(struct stage *st) {
    return pub_end(&st->pub);
}
static inline uint64_t stage_end_bin(struct stage *st, const void *data, size_t n) {
    return pub_end_bin(&st->pub, data, n);
}

/* Show a number in the report, under a name that lives as long; at most STAGE_COUNTERS. */
void stage_counter(struct stage *st, const char *name, const uint64_t *value);
/* The same for n of them; the table itself is copied. */
void stage_counters(struct stage *st, const struct stage_counter *all, size_t n);
/* Record the latency of something that entered tapline at time_ns (wall clock), now done. Published
 * messages are recorded by themselves. */
void stage_latency(struct stage *st, uint64_t time_ns);
/* State for status and pages: CAUSE_OK or why not, with a line for people. A change is reported at
 * once. */
void stage_cause(struct stage *st, enum cause c, const char *text);

/* Append the body map of the stage's report to b. */
void stage_stats_body(struct stage *st, struct buf *b);

#endif
