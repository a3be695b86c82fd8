#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "program.h"
#include "report.h"
#include "sock.h"

enum { TICK_MS = 1000, FLUSH_MS = 300, HARD_STOP_S = 3, EXIT_S = 20 };

/* The common options are the same variables for every program: one stage to a process. */
static struct opt_list inputs, outputs, topics;
static int verbose;
static bool quiet, checking;

static const struct opt common[] = {
    {"input", 'i', OPT_LIST, &inputs, "ENDPOINT",
     "subscribe there instead of reading standard input", 0, 0},
    {"topic", 0, OPT_LIST, &topics, "PREFIX", "only topics that begin with PREFIX", 0, 0},
    {"output", 'o', OPT_LIST, &outputs, "ENDPOINT",
     "publish there instead of writing standard output (- is standard output)", 0, 0},
    {"verbose", 'v', OPT_COUNT, &verbose, NULL, "say more (-vv: everything)", 0, 0},
    {"quiet", 'q', OPT_FLAG, &quiet, NULL, "say only warnings and errors", 0, 0},
    {"check", 0, OPT_FLAG, &checking, NULL, NULL, 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};
const struct opt *const stage_common_options = common;

int stage_options(struct stage *st, const struct opt_program *p, int argc, char **argv,
                  int *operands) {
    int n, r = opt_parse(p, argc, argv, &n);
    if (r >= 0)
        return r;
    if (!operands && n)
        return opt_usage_error(p, "unexpected argument \"%s\"", argv[1]);
    if (operands)
        *operands = n;
    st->program = p;
    st->name = log_supervised() ? getenv("TAPLINE_STAGE") : p->name;
    st->verbose = verbose;
    st->quiet = quiet;
    st->inputs = inputs;
    st->outputs = outputs;
    st->topics = topics;
    log_init(st->name, verbose >= 2 ? LOG_TRACE
                       : verbose    ? LOG_DEBUG
                       : quiet      ? LOG_WARN
                                    : LOG_INFO);
    return -1;
}

/* ---- events of the bus ---- */

static void bus_msg(void *ctx, const struct msg *m) {
    struct stage *st = ctx;
    st->stats.last_message_ns = clock_wall_ns();
    if (st->on_msg)
        st->on_msg(st->ctx, m);
}

static size_t bus_raw(void *ctx, const uint8_t *p, size_t n, uint64_t time_ns) {
    struct stage *st = ctx;
    st->stats.last_message_ns = time_ns;
    return st->on_raw(st->ctx, p, n, time_ns);
}

static void bus_end(void *ctx) {
    struct stage *st = ctx;
    st->ended = true;
    if (st->on_end)
        st->on_end(st->ctx);
    else
        stage_stop(st, st->sub.failed);
}

static void bus_gap(void *ctx, const char *topic, uint64_t missing) {
    static struct log_limit lost;
    struct stage *st = ctx;
    log_limited(&lost, LOG_WARN, "%llu messages of %s lost before they came here (%llu in all)",
                (unsigned long long)missing, topic, (unsigned long long)st->sub.lost);
}

static void bus_blocked(void *ctx, bool full) {
    struct stage *st = ctx;
    if (st->stopped)
        return;
    sub_pause(&st->sub, full);
    if (!full)
        put_unblocked(&st->put);
    if (st->on_blocked)
        st->on_blocked(st->ctx, full);
}

static void bus_broken(void *ctx, const char *endpoint, int error) {
    struct stage *st = ctx;
    if (error != EPIPE)
        log_error("output %s: %s", endpoint, strerror(error));
    if (error != EPIPE && st->status == 0)
        st->status = 1; /* of one that stops already, too: what it said last is not written */
    stage_stop(st, st->status);
}

static void bus_sent(void *ctx, uint64_t time_ns) {
    stage_latency(ctx, time_ns);
}

static void bus_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                        size_t n) {
    struct stage *st = ctx;
    if (strcmp(op, "ping") == 0) {
        rpc_reply_ok(call);
    } else if (strcmp(op, "stats") == 0) {
        struct buf *b = rpc_reply_begin(call, 1);
        mp_put_str(b, "stats");
        stage_stats_body(st, b);
        rpc_reply_end(call);
    } else if (strcmp(op, "put") == 0) {
        put_request(&st->put, call, body, n);
    } else if (st->on_request) {
        st->on_request(st->ctx, call, op, body, n);
    } else {
        rpc_reply_error(call, "%s does not know the request \"%s\"", st->name, op);
    }
}

/* ---- opening ---- */

static int open_inputs(struct stage *st, struct err *e) {
    sub_init(&st->sub, &st->loop);
    st->sub.ctx = st;
    st->sub.page = st->tally;
    st->sub.on_msg = bus_msg;
    st->sub.on_raw = st->on_raw ? bus_raw : NULL;
    st->sub.on_end = bus_end;
    st->sub.on_gap = bus_gap;
    for (size_t i = 0; i < st->topics.n; i++)
        if (sub_prefix(&st->sub, st->topics.item[i], e) < 0)
            return -1;
    for (size_t i = 0; i < st->inputs.n; i++)
        if (sub_add(&st->sub, st->inputs.item[i], e) < 0)
            return -1;
    bool use_stdin = !st->no_stdin && st->inputs.n == 0;
    return use_stdin ? sub_add(&st->sub, "-", e) : 0;
}

static int open_outputs(struct stage *st, struct err *e) {
    pub_init(&st->pub, &st->loop);
    st->pub.ctx = st;
    st->pub.page = st->tally;
    st->pub.on_blocked = bus_blocked;
    st->pub.on_broken = bus_broken;
    st->pub.on_sent = bus_sent;
    for (size_t i = 0; i < st->outputs.n; i++)
        if (pub_add(&st->pub, st->outputs.item[i], e) < 0)
            return -1;
    if (st->outputs.n > 0 || st->no_stdout)
        return 0;
    if (isatty(STDOUT_FILENO))
        log_warn("messages are for programs; to read them, add: | tapline tap");
    return pub_add(&st->pub, "-", e);
}

static int open_requests(struct stage *st, struct err *e) {
    rpc_server_init(&st->rpc, &st->loop);
    st->rpc.ctx = st;
    st->rpc.on_request = bus_request;
    st->put.pub = &st->pub;
    for (size_t i = 0; i < st->pub.outputs; i++) {
        const struct endpoint *ep = &st->pub.out[i]->ep;
        if (ep->kind == ENDPOINT_NNG && rpc_server_add(&st->rpc, ep, e) < 0)
            return -1;
    }
    return 0;
}

static void on_signal(uv_signal_t *h, int number) {
    struct stage *st = h->data;
    if (number == SIGHUP) {
        if (st->on_hangup && !st->stopped)
            st->on_hangup(st->ctx);
        return;
    }
    st->signalled = true;
    if (st->stopping)
        stage_stopped(st);
    else
        stage_stop(st, 0);
}

static void on_tick(uv_timer_t *t) {
    struct stage *st = t->data;
    if (st->on_tick && !st->stopped)
        st->on_tick(st->ctx);
    report_send(st);
    if (!st->stopped)
        pub_repeat(&st->pub); /* after the report: what is repeated is no queue */
}

static void on_prepare(uv_prepare_t *h) {
    struct stage *st = h->data;
    pub_flush(&st->pub);
}

/* One stage to a process: the log knows no context. */
static struct stage *logging;

static void on_log_timer(uv_timer_t *t) {
    (void)t;
    log_flush();
}

static void arm_log(void) {
    uv_timer_start(&logging->log_timer, on_log_timer, STAGE_LOG_MS, 0);
}

static void open_log(struct stage *st) {
    uv_timer_init(&st->loop, &st->log_timer);
    logging = st;
    if (log_supervised())
        log_defer(arm_log);
}

static void open_loop(struct stage *st) {
    static const int numbers[3] = {SIGTERM, SIGINT, SIGHUP};
    uv_loop_init(&st->loop);
    for (int i = 0; i < 3; i++) {
        uv_signal_init(&st->loop, &st->signals[i]);
        st->signals[i].data = st;
        uv_signal_start(&st->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(&st->loop, &st->tick);
    uv_timer_init(&st->loop, &st->stop_timer);
    uv_prepare_init(&st->loop, &st->prepare);
    st->tick.data = st->stop_timer.data = st->prepare.data = st;
    uv_prepare_start(&st->prepare, on_prepare);
}

bool stage_checking(void) {
    return checking;
}

/* Whatever can be wrong with a command line has been looked at by the time a stage is opened. */
static int check_only(struct stage *st) {
    struct err e;
    for (size_t i = 0; i < st->topics.n; i++)
        if (sub_prefix(&st->sub, st->topics.item[i], &e) < 0)
            return opt_usage_error(st->program, "%s", e.text);
    return 0;
}

int stage_open(struct stage *st, struct err *e) {
    if (checking)
        exit(check_only(st));
    program_hold_standard();
    signal(SIGPIPE, SIG_IGN);
    st->stats.started_ns = clock_mono_ns();
    st->tally = log_supervised() ? tally_open() : NULL;
    report_open(st);
    open_loop(st);
    open_log(st);
    st->opened = true;
    /* Outputs first: an input that ends at once must find them. */
    if (open_outputs(st, e) < 0 || open_requests(st, e) < 0)
        return -1;
    return open_inputs(st, e);
}

int stage_fail(struct stage *st, const struct err *e) {
    log_defer(NULL);
    log_error("%s", e->text);
    /* The program may have handles on the loop in any state, so it does not run any more: only the
     * sockets are closed, which removes their files. */
    if (st->opened) {
        alarm(EXIT_S);
        pub_close(&st->pub, 0);
        rpc_server_abandon(&st->rpc);
        report_close(st);
    }
    return e->cause == CAUSE_USAGE ? 2 : 1;
}

void stage_ready(struct stage *st) {
    st->ready = true;
    uv_timer_start(&st->tick, on_tick, TICK_MS, TICK_MS);
    report_send(st);
}

/* A filter at the end of its input ends when its reader has taken everything, as any filter does;
 * somebody who waits for us (a signal) does not wait for a slow reader. */
static void drain(struct stage *st) {
    alarm(0);
    pub_flush(&st->pub);
    while (!st->signalled && pub_queued(&st->pub))
        uv_run(&st->loop, UV_RUN_ONCE);
    alarm(HARD_STOP_S);
}

int stage_run(struct stage *st) {
    while (!st->stopped)
        uv_run(&st->loop, UV_RUN_ONCE);
    if (st->ended && !st->signalled)
        drain(st);
    report_send(st); /* the last one, while what the program counts is still there */
    return st->status;
}

/* ---- stopping ---- */

static void on_stop_timer(uv_timer_t *t) {
    stage_stopped(t->data);
}

void stage_stop(struct stage *st, int status) {
    if (st->stopping)
        return;
    st->stopping = true;
    st->status = status;
    alarm(HARD_STOP_S); /* whatever hangs from here on, the process ends */
    if (!st->on_stop) {
        stage_stopped(st);
        return;
    }
    uv_timer_start(&st->stop_timer, on_stop_timer, STAGE_STOP_MS, 0);
    st->on_stop(st->ctx);
}

void stage_stopped(struct stage *st) {
    st->stopped = true;
    sub_pause(&st->sub, true);
    uv_stop(&st->loop);
}

int stage_close(struct stage *st, int status) {
    st->counter_count = 0;
    log_defer(NULL);
    sub_close(&st->sub);
    put_unblocked(&st->put);
    rpc_server_close(&st->rpc);
    pub_close(&st->pub, FLUSH_MS);
    for (int i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&st->signals[i], NULL);
    uv_close((uv_handle_t *)&st->tick, NULL);
    uv_close((uv_handle_t *)&st->stop_timer, NULL);
    uv_close((uv_handle_t *)&st->log_timer, NULL);
    uv_close((uv_handle_t *)&st->prepare, NULL);
    uv_run(&st->loop, UV_RUN_DEFAULT);
    uv_loop_close(&st->loop);
    sub_free(&st->sub);
    rpc_server_free(&st->rpc);
    pub_free(&st->pub);
    report_close(st);
    tally_unmap(st->tally);
    st->tally = NULL;
    sock_fini();
    alarm(EXIT_S); /* what runs at exit may hang as well: a leak checker beside NNG's threads */
    st->opened = false;
    return status;
}
