/* The rules of the ventilator's screen (lib/codec/hev.md): what the device tells is kept, the last
 * half hour of its curves too, and pages are told; what pages want of the device goes to hevbcast.
 */
#include "hev.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "statefile.h"

/* The ring has room for so many samples a second; of a faster device less of the past is kept. */
enum { SAMPLES_PER_S = 250, WATCH_MS = 100 };

struct vent_rules vent = {.opt = {.history_ms = 1800000, .stale_ms = 1000, .requests = "bcast"}};

static const struct opt options[] = {
    {"history", 0, OPT_DURATION, &vent.opt.history_ms, "TIME",
     "how much of the curves is kept, in memory: 6 KB a second, taken at the start", 10000,
     4 * 3600 * 1000},
    {"stale", 0, OPT_DURATION, &vent.opt.stale_ms, "TIME",
     "no sample for so long is told; of a slow device, 2.5 of its intervals", 100, 60000},
    {"requests", 0, OPT_TEXT, &vent.opt.requests, "ENDPOINT",
     "of hevbcast, which commands and acknowledgements are passed on to", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

void vent_event(const char *kind, const char *text) {
    vent_events_add(&vent.memory->events, clock_wall_ns() / 1000, kind, text);
}

/* ---- messages ---- */

static void on_serial(const struct msg *m) {
    bool was = vent.serial.connected;
    serial_take(&vent.serial, m, vent.st, "no ventilator connected");
    if (was != vent.serial.connected)
        vent_event("device", vent.serial.connected ? "on" : "off");
    vent_changed();
}

/* hev.command: what somebody has asked of the device, here or over TCP. */
static void on_command(const struct msg *m) {
    char type[32] = "", cmd[48] = "", reply[16] = "", text[96];
    mp_get_cstr(m->body, m->body_len, "cmdtype", type, sizeof type);
    mp_get_cstr(m->body, m->body_len, "cmd", cmd, sizeof cmd);
    mp_get_cstr(m->body, m->body_len, "reply", reply, sizeof reply);
    if (!type[0] && !cmd[0])
        return;
    snprintf(text, sizeof text, "%s %s", type, cmd);
    vent_event(strcmp(reply, "ack") == 0 ? "command" : "refused", text);
}

/* hev.sent: whether the device has acknowledged what was sent. */
static void on_sent(const struct msg *m) {
    bool ok = true;
    mp_get_bool(m->body, m->body_len, "ok", &ok);
    if (ok)
        return;
    vent.unsent_ns = m->time;
    vent_event("unsent", "");
    vent_changed();
    log_warn("a command was not acknowledged by the device");
}

static void on_ws_count(const struct msg *m) {
    if (mp_get_uint(m->body, m->body_len, "count", &vent.ws_clients) && vent.ws_clients == 0)
        vent.memory->pages = 0;
    vent_changed();
}

static void on_msg(void *ctx, const struct msg *m) {
    static const struct {
        const char *topic;
        void (*take)(const struct msg *m);
    } other[] = {
        {"serial.state", on_serial}, {"hev.alarms", vent_alarms_take}, {"hev.command", on_command},
        {"hev.sent", on_sent},       {"ws.text", vent_page_text},      {"ws.clients", on_ws_count},
    };
    (void)ctx;
    vent_data_take(m);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (msg_is(m, other[i].topic))
            other[i].take(m);
}

/* ---- life ---- */

static uint64_t room(void) {
    return (uint64_t)vent.opt.history_ms * SAMPLES_PER_S / 1000;
}

static size_t memory_bytes(void) {
    return sizeof *vent.memory + vent_ring_bytes(room());
}

static void open_memory(const char *name) {
    const uint64_t magic = 0x6865760000000000u | sizeof *vent.memory;
    vent.memory = statefile_open(name, memory_bytes());
    if (vent.memory->magic != magic)
        *vent.memory = (struct vent_memory){.magic = magic};
    vent.ring = (struct vent_ring *)(vent.memory + 1);
    vent_ring_check(vent.ring, room());
    if (!vent.ring->kept)
        return;
    vent.raw = vent_ring_at(vent.ring, vent.ring->kept - 1)->raw;
    log_info("%llu samples of earlier are still known", (unsigned long long)vent.ring->kept);
}

static void on_watch(uv_timer_t *t) {
    if (!vent_data_watch())
        uv_timer_stop(t);
}

void vent_watch(void) {
    if (!uv_is_active((uv_handle_t *)&vent.watch_timer))
        uv_timer_start(&vent.watch_timer, on_watch, WATCH_MS, WATCH_MS);
}

static void open_counters(struct stage *st) {
    stage_counter(st, "samples", &vent.samples);
    stage_counter(st, "samples_unordered", &vent.unordered);
    stage_counter(st, "samples_kept", &vent.ring->kept);
    stage_counter(st, "clock_jumps", &vent.clock.jumps);
    stage_counter(st, "breaths", &vent.breaths.count);
    stage_counter(st, "batches_sent", &vent.batches);
    stage_counter(st, "states_sent", &vent.states);
    stage_counter(st, "requests", &vent.requests);
    stage_counter(st, "requests_failed", &vent.requests_failed);
    stage_counter(st, "bad_texts", &vent.bad_texts);
    stage_counter(st, "browsers", &vent.ws_clients);
}

static int open_rules(struct stage *st, struct err *e) {
    vent.st = st;
    vent_breaths_init(&vent.breaths);
    if (vent_http_open(e) < 0)
        return -1;
    open_memory(st->name);
    uv_timer_init(&st->loop, &vent.watch_timer);
    vent_page_open(&st->loop);
    open_counters(st);
    return 0;
}

static void close_rules(struct stage *st) {
    (void)st;
    vent_http_close();
    vent_page_close();
    uv_close((uv_handle_t *)&vent.watch_timer, NULL);
    for (int i = 0; i < VENT_KINDS; i++)
        buf_free(&vent.kept[i].body);
    statefile_close(vent.memory, memory_bytes());
}

const struct rules rules_hev = {
    .name = "hev",
    .summary =
        "the rules of the ventilator's screen: curves, figures, alarms, their last half hour",
    .options = options,
    .details = "In: hev.data and other payloads, hev.link, hev.sent, hev.alarms, hev.command,\n"
               "hev.clients, serial.state, ws.text, ws.clients.\n"
               "Out: hev.samples, hev.state, ws.join.\n"
               "Requests: state; history {query: \"last=MS&points=N\"} or with from=MS&to=MS;\n"
               "request {text}, passed on to hevbcast.\n"
               "What is kept survives this process, in the run directory.\n",
    .open = open_rules,
    .on_msg = on_msg,
    .on_request = vent_http_request,
    .close = close_rules,
};
