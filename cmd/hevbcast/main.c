/* hevbcast: the ventilator's TCP service.
 *
 * In:   hev.* messages (framedecode --format hev) on standard input or -i; clients at two broadcast
 *       ports and a request port; the same requests on the bus
 * Out:  the newest values and latched alarms as JSON to every client, ack or nack to requests;
 *       hev.send for the serial line, hev.alarms, hev.command, hev.clients
 * Ends: 0 on SIGTERM or when the input has ended; 1 when a port or an endpoint cannot be opened;
 *       2 on wrong usage
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hevbcast.h"
#include "log.h"

static struct hevbcast hevbcast = {
    .newest_type = -1,
    .diag_fd = -1,
    .opt = {.host = "127.0.0.1",
            .dialect = "D1",
            .mcu = "A0",
            .port = {[PORT_WEBUI] = 54320, [PORT_QUERY] = 54321, [PORT_NATIVE] = 54322},
            .stall_ms = 30000,
            .request_ms = 5000,
            .max_age_ms = 2000,
            .clients = 4096}};

static const struct opt options[] = {
    {"host", 0, OPT_TEXT, &hevbcast.opt.host, "ADDRESS", "listen there (0.0.0.0: everywhere)", 0,
     0},
    {"webui-port", 0, OPT_INT, &hevbcast.opt.port[PORT_WEBUI], "PORT",
     "broadcast port for web pages (0: none)", 0, 65535},
    {"query-port", 0, OPT_INT, &hevbcast.opt.port[PORT_QUERY], "PORT",
     "port for requests (0: none)", 0, 65535},
    {"native-port", 0, OPT_INT, &hevbcast.opt.port[PORT_NATIVE], "PORT",
     "broadcast port for native pages (0: none)", 0, 65535},
    {"dialect", 0, OPT_TEXT, &hevbcast.opt.dialect, "D1|D2|D3", "what the clients understand", 0,
     0},
    {"interval", 0, OPT_DURATION, &hevbcast.opt.interval_ms, "TIME",
     "at most one broadcast in this time (0: each frame at once)", 0, 86400000},
    {"keepalive", 0, OPT_DURATION, &hevbcast.opt.keepalive_ms, "TIME",
     "D2, D3: a keepalive after so long without a broadcast (0: never)", 0, 86400000},
    {"mcu-version", 0, OPT_TEXT, &hevbcast.opt.mcu, "A0..B6",
     "what the serial side speaks, until it has said so itself", 0, 0},
    {"clients", 0, OPT_INT, &hevbcast.opt.clients, "N", "refuse more than N clients", 1, 1 << 20},
    {"per-address", 0, OPT_INT, &hevbcast.opt.per_address, "N",
     "refuse more than N clients of one address (IPv6: of its first 64 bits); 0: a quarter of "
     "--clients, and any number from this machine itself",
     0, 1 << 20},
    {"stall", 0, OPT_DURATION, &hevbcast.opt.stall_ms, "TIME",
     "cut a client that takes nothing of what waits for it for so long (0: never)", 0, 86400000},
    {"request-timeout", 0, OPT_DURATION, &hevbcast.opt.request_ms, "TIME",
     "nack a client that asks for nothing for so long", 1, 86400000},
    {"max-age", 0, OPT_DURATION, &hevbcast.opt.max_age_ms, "TIME",
     "a command that waits so long for the ventilator is not sent any more (0: however late)", 0,
     3600000},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static struct opt_program program = {
    .name = "hevbcast",
    .summary = "serve a ventilator's values, alarms and commands over TCP",
    .details =
        "D1: one JSON text of at most 600 bytes per send, {\"sensors\": {...}, \"alarms\": "
        "[...]};\n"
        "a client that has not read the last one gets the newest when it has. D2: the same with a\n"
        "leading \"type\". D3: {\"type\": T, T: {...}, \"alarms\": [...]}, each with a NUL behind "
        "it.\n"
        "A request that ends in NUL is answered with one, in any dialect.\n\n"
        "-o takes hev.send {id, kind, data} (for framedecode --link), hev.alarms, hev.command and\n"
        "hev.clients; requests there: values, alarms, clients, request {text}.",
    .tables = {options, NULL, NULL, NULL}};

/* ---- options ---- */

static int check_dialect(struct hevbcast *h, struct err *e) {
    static const char *const names[] = {"D1", "D2", "D3"};
    for (int i = 0; i < 3; i++)
        if (strcasecmp(h->opt.dialect, names[i]) == 0) {
            h->dialect = i;
            h->opt.dialect = names[i];
            if (i == DIALECT_D1 && h->opt.keepalive_ms)
                return err_set(e, CAUSE_USAGE,
                               "--keepalive: D1 clients do not understand it and stop");
            return 0;
        }
    return err_set(e, CAUSE_USAGE, "--dialect %s: there are D1, D2 and D3", h->opt.dialect);
}

static int check_mcu(struct hevbcast *h, struct err *e) {
    char *end;
    long v = strtol(h->opt.mcu, &end, 16);
    if (*end || v < HEV_VERSION_FIRST || v > HEV_VERSION_LAST)
        return err_set(e, CAUSE_USAGE, "--mcu-version %s: there are A0 to B6", h->opt.mcu);
    h->version = (unsigned)v;
    return 0;
}

static int check_options(struct hevbcast *h) {
    struct err e;
    if (check_dialect(h, &e) < 0 || check_mcu(h, &e) < 0 || entrance_check(&h->opt, &e) < 0)
        return opt_usage_error(&program, "%s", e.text);
    return -1;
}

/* ---- the loop's turns ---- */

static void on_msg(void *ctx, const struct msg *m) {
    state_take(ctx, m);
}

static void on_prepare(uv_prepare_t *p) {
    struct hevbcast *h = p->data;
    if (h->alarms_changed)
        bus_alarms(h);
    if (h->clients_changed)
        bus_clients(h);
}

static void on_second(void *ctx) {
    struct hevbcast *h = ctx;
    clients_watch(h);
    pending_watch(h);
    doors_wake(&h->doors);
}

/* Whoever does not take our commands must not hold the broadcasts up: what is published is then
 * bounded by refusing requests. */
static void on_blocked(void *ctx, bool full) {
    struct hevbcast *h = ctx;
    h->blocked = full;
    sub_pause(&h->st.sub, false);
}

/* ---- opening and closing ---- */

static void show_counters(struct hevbcast *h) {
    const struct stage_counter all[] = {{"clients", &h->n.clients},
                                        {"opened", &h->n.opened},
                                        {"refused", &h->n.refused},
                                        {"refused_of_address", &h->n.crowded},
                                        {"cut_slow", &h->n.cut_slow},
                                        {"connections_lost", &h->n.lost},
                                        {"broadcasts", &h->n.texts},
                                        {"sends", &h->n.sends},
                                        {"bytes_sent", &h->n.bytes},
                                        {"joined", &h->n.joined},
                                        {"coalesced", &h->n.coalesced},
                                        {"texts_dropped", &h->n.dropped},
                                        {"alarms_received", &h->n.alarms},
                                        {"alarms_acked", &h->n.acked},
                                        {"alarms_left_out", &h->n.left_out},
                                        {"alarms_overflowed", &h->alarms.overflowed},
                                        {"requests", &h->n.requests},
                                        {"acks", &h->n.acks},
                                        {"nacks", &h->n.nacks},
                                        {"request_timeouts", &h->n.timeouts},
                                        {"requests_displaced", &h->n.displaced},
                                        {"commands", &h->n.commands},
                                        {"commands_unanswered", &h->n.unanswered},
                                        {"commands_expired", &h->n.expired},
                                        {"strange_messages", &h->n.strange}};
    stage_counters(&h->st, all, sizeof all / sizeof *all);
}

static int hevbcast_open(struct hevbcast *h, struct err *e) {
    client_table_open(h);
    unread_open(h);
    cast_open(h);
    uv_prepare_init(&h->st.loop, &h->prepare);
    h->prepare.data = h;
    uv_prepare_start(&h->prepare, on_prepare);
    show_counters(h);
    if (entrance_open(h, e) < 0)
        return -1;
    state_open(h);
    bus_open(h);
    return 0;
}

static void hevbcast_close(struct hevbcast *h) {
    h->stopping = true;
    doors_close(&h->doors);
    queries_close(h);
    client_table_free(h);
    cast_close(h);
    unread_close(h);
    uv_close((uv_handle_t *)&h->prepare, NULL);
}

int main(int argc, char **argv) {
    struct hevbcast *h = &hevbcast;
    struct err e = {0};
    h->st.ctx = h;
    h->st.on_msg = on_msg;
    h->st.on_request = bus_request;
    h->st.on_tick = on_second;
    h->st.on_blocked = on_blocked;
    program.tables[1] = stage_common_options;
    int status = stage_options(&h->st, &program, argc, argv, NULL);
    if (status < 0)
        status = check_options(h);
    if (status >= 0)
        return status;
    if (stage_open(&h->st, &e) < 0 || hevbcast_open(h, &e) < 0)
        return stage_fail(&h->st, &e);
    stage_ready(&h->st);
    status = stage_run(&h->st);
    hevbcast_close(h);
    status = stage_close(&h->st, status);
    state_free(h);
    pending_free(h);
    return status;
}
