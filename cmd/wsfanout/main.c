/* wsfanout: WebSocket clients on one side, the bus on the other.
 *
 * In:   connections that httpd has upgraded, handed over at $TAPLINE_RUN/NAME.sock;
 *       messages with text or data (standard input or -i), sent to all clients or those named;
 *       ws.join, ws.leave, ws.kick
 * Out:  ws.open, ws.text, ws.binary, ws.closed, ws.clients
 * Ends: 0 on SIGTERM or when the input has ended, after close frames to everybody (1001);
 *       1 when NAME.sock or an endpoint cannot be opened; 2 on wrong usage
 */
#include <stdio.h>

#include "fanout.h"
#include "log.h"

static struct fanout fanout = {.door = {.fd = -1},
                               .opt = {.clients = 4096,
                                       .queue = 1 << 20,
                                       .skip_above = 256 << 10,
                                       .memory = 64 << 20,
                                       .stall_ms = 20000,
                                       .ping_ms = 15000,
                                       .pong_ms = 20000,
                                       .max_message = 4 << 20,
                                       .message_ms = 30000,
                                       .rate = 1000}};

static const struct opt options[] = {
    {"socket", 0, OPT_TEXT, &fanout.opt.socket, "NAME",
     "take connections at $TAPLINE_RUN/NAME.sock (default: the first named -o)", 0, 0},
    {"clients", 0, OPT_INT, &fanout.opt.clients, "N", "refuse more than N clients", 1, 1 << 20},
    {"per-address", 0, OPT_INT, &fanout.opt.per_address, "N",
     "refuse more than N clients of one address (IPv6: of its first 64 bits); 0: a quarter of "
     "--clients, and any number from this machine itself",
     0, 1 << 20},
    {"queue", 0, OPT_SIZE, &fanout.opt.queue, "SIZE",
     "cut a client when more than SIZE bytes wait for it", 1, 1LL << 32},
    {"skip", 0, OPT_LIST, &fanout.opt.skip, "PREFIX",
     "of messages whose topic begins with PREFIX (hub.tag), a client that is behind gets the "
     "newest "
     "only (repeatable)",
     0, 0},
    {"skip-above", 0, OPT_SIZE, &fanout.opt.skip_above, "SIZE",
     "when more than SIZE bytes wait for a client, the oldest messages of --skip are left out "
     "until "
     "half of that waits",
     1, 1LL << 32},
    {"memory", 0, OPT_SIZE, &fanout.opt.memory, "SIZE",
     "close the client that holds most when what waits for all clients and what they have sent of "
     "unfinished messages is more than SIZE",
     1, 1LL << 40},
    {"stall", 0, OPT_DURATION, &fanout.opt.stall_ms, "TIME",
     "cut a client that takes nothing of what waits for so long", 1, 86400000},
    {"ping", 0, OPT_DURATION, &fanout.opt.ping_ms, "TIME",
     "ping a client that was silent for so long (0: never)", 0, 86400000},
    {"pong-timeout", 0, OPT_DURATION, &fanout.opt.pong_ms, "TIME",
     "cut a client that does not answer a ping for so long (0: never)", 0, 86400000},
    {"max-message", 0, OPT_SIZE, &fanout.opt.max_message, "SIZE",
     "close a client that sends a larger message", WSFRAME_CONTROL_MAX, MSG_MAX / 2},
    {"message-time", 0, OPT_DURATION, &fanout.opt.message_ms, "TIME",
     "close a client whose message is not complete after so long (0: never)", 0, 86400000},
    {"rate", 0, OPT_INT, &fanout.opt.rate, "N",
     "close a client that sends more than N frames a second (0: no limit)", 0, 1000000},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static const struct opt_program program = {
    .name = "wsfanout",
    .summary = "send messages to WebSocket clients and publish what they say",
    .details =
        "A message is sent when its body has \"text\" or \"data\": to everybody, or to the\n"
        "clients and groups in \"to\". With \"mark\" and \"confirm\" it is known later whether\n"
        "a client had it when it spoke. Connections come from httpd.",
    .tables = {options, NULL, NULL, NULL}};

/* ---- the loop's turns ---- */

static void on_msg(void *ctx, const struct msg *m) {
    order_take(ctx, m);
}

/* Right after the events of a turn, and again for what timers did. */
static void on_check(uv_check_t *h) {
    out_flush(h->data);
}

static void on_prepare(uv_prepare_t *h) {
    struct fanout *f = h->data;
    receive_waiting(f);
    out_flush(f);
    if (f->changed)
        event_clients(f);
}

/* Clients are what fills our output, so they wait, not the bus: dispatch may be unable to read what
 * we say before we have read what it says. What the bus makes us publish is bounded by the number
 * of clients. So is what the door does: whoever has been answered 101 must not miss what is sent
 * from then on, so a new client is taken, but not read. */
static void on_blocked(void *ctx, bool full) {
    struct fanout *f = ctx;
    f->blocked = full;
    sub_pause(&f->st->sub, false);
    for (size_t i = 0; i < f->open_count; i++)
        client_poll(f->open[i]);
    if (!full)
        watch_resume(f);
}

static void on_second(void *ctx) {
    struct fanout *f = ctx;
    door_wake(&f->door);
}

static void on_stop(void *ctx) {
    struct fanout *f = ctx;
    f->stopping = true;
    senders_close(f);
    for (size_t i = 0; i < f->leaving_count; i++)
        f->leaving[i]->deadline_ms = fanout_ms(f) + STOP_WAIT_MS;
    out_room(f);
    while (f->open_count)
        client_close(f->open[f->open_count - 1], WSFRAME_GOING_AWAY, "server stops", CAUSE_OK,
                     END_WAIT);
    if (f->leaving_count == 0)
        stage_stopped(f->st);
    else
        watch_start(f);
}

/* ---- opening and closing ---- */

static int choose_name(struct fanout *f, struct err *e) {
    const char *name = f->opt.socket;
    for (size_t i = 0; i < f->st->pub.outputs && !name; i++) {
        const struct endpoint *ep = &f->st->pub.out[i]->ep;
        if (ep->kind == ENDPOINT_NNG && endpoint_name_valid(ep->name))
            name = ep->name;
    }
    if (!name)
        return err_set(e, CAUSE_USAGE,
                       "no name for the socket that takes connections (give --socket NAME or "
                       "-o NAME)");
    if (!endpoint_name_valid(name))
        return err_set(e, CAUSE_USAGE, "--socket \"%s\": letters, digits, _ - and dots only", name);
    snprintf(f->name, sizeof f->name, "%.63s", name);
    return 0;
}

/* The storage of a message that grows is up to twice its bytes. */
static int check_limits(const struct options *o, struct err *e) {
    if (o->memory >= 2 * o->max_message)
        return 0;
    return err_set(e, CAUSE_USAGE,
                   "--memory %lld is too little for one message of --max-message %lld (twice as "
                   "much is needed)",
                   (long long)o->memory, (long long)o->max_message);
}

static void show_counters(struct fanout *f) {
    const struct stage_counter all[] = {{"clients", &f->n.clients},
                                        {"opened", &f->n.opened},
                                        {"closed", &f->n.closed},
                                        {"refused", &f->n.refused},
                                        {"refused_of_address", &f->n.crowded},
                                        {"cut_slow", &f->n.cut_slow},
                                        {"cut_flood", &f->n.cut_flood},
                                        {"cut_dead", &f->n.cut_dead},
                                        {"cut_memory", &f->n.cut_memory},
                                        {"cut_late", &f->n.cut_late},
                                        {"faults", &f->n.faults},
                                        {"messages_sent", &f->n.messages},
                                        {"frames_sent", &f->n.frames},
                                        {"bytes_sent", &f->n.bytes},
                                        {"sends", &f->n.sends},
                                        {"frames_skipped", &f->n.skipped},
                                        {"texts_received", &f->n.texts},
                                        {"binaries_received", &f->n.binaries},
                                        {"pings_sent", &f->n.pings},
                                        {"pongs_received", &f->n.pongs},
                                        {"bad_handovers", &f->n.bad_handovers},
                                        {"memory_bytes", &f->memory}};
    stage_counters(f->st, all, sizeof all / sizeof *all);
}

static int fanout_open(struct fanout *f, struct stage *st, struct err *e) {
    f->st = st;
    if (check_limits(&f->opt, e) < 0 || skip_check(&f->opt, e) < 0 || choose_name(f, e) < 0 ||
        client_table_open(f) < 0)
        return -1;
    watch_open(f);
    uv_prepare_init(&st->loop, &f->prepare);
    uv_check_init(&st->loop, &f->check);
    f->prepare.data = f->check.data = f;
    uv_prepare_start(&f->prepare, on_prepare);
    uv_check_start(&f->check, on_check);
    show_counters(f);
    pub_retain(&st->pub, "ws.clients");
    event_clients(f);
    if (senders_open(f, e) < 0)
        return -1;
    client_crowd_open(f);
    return 0;
}

static void fanout_close(struct fanout *f) {
    senders_close(f);
    watch_close(f);
    uv_close((uv_handle_t *)&f->prepare, NULL);
    uv_close((uv_handle_t *)&f->check, NULL);
    if (f->changed)
        event_clients(f);
    client_table_free(f);
    out_batch_free(f);
}

static struct stage stage = {.ctx = &fanout,
                             .on_msg = on_msg,
                             .on_request = event_request,
                             .on_tick = on_second,
                             .on_stop = on_stop,
                             .on_blocked = on_blocked};

int main(int argc, char **argv) {
    struct err e;
    struct opt_program p = program;
    p.tables[1] = stage_common_options;
    int status = stage_options(&stage, &p, argc, argv, NULL);
    if (status >= 0)
        return status;
    if (stage_open(&stage, &e) < 0 || fanout_open(&fanout, &stage, &e) < 0)
        return stage_fail(&stage, &e);
    stage_ready(&stage);
    status = stage_run(&stage);
    fanout_close(&fanout);
    return stage_close(&stage, status);
}
