/* The rules of a controlled camera's page: what camctl tells is kept for whoever opens the page,
 * with the last minute of the data stream; what pages want of it is passed on to camctl.
 */
#include "camera.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "statefile.h"

struct camera_rules camera = {.opt = {.requests = "cam", .history_ms = 60000}};

static const struct opt options[] = {
    {"requests", 0, OPT_TEXT, &camera.opt.requests, "ENDPOINT",
     "of camctl, which settings and restarts are passed on to", 0, 0},
    {"history", 0, OPT_DURATION, &camera.opt.history_ms, "TIME",
     "how much of the data stream a page gets when it is opened", 1000, 80000},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

/* ---- messages ---- */

static void keep(struct buf *into, const struct msg *m) {
    buf_clear(into);
    buf_put(into, m->body, m->body_len);
    camera_changed();
}

static struct camera_process *process_of(const char *name) {
    for (size_t i = 0; i < camera.processes; i++)
        if (strcmp(camera.process[i].name, name) == 0)
            return &camera.process[i];
    if (camera.processes == CAMERA_PROCESSES)
        return NULL;
    struct camera_process *p = &camera.process[camera.processes++];
    snprintf(p->name, sizeof p->name, "%s", name);
    return p;
}

/* cam.process.NAME */
static void on_process(const struct msg *m) {
    char name[CAMERA_NAME];
    struct camera_process *p = NULL;
    if (mp_get_cstr(m->body, m->body_len, "name", name, sizeof name))
        p = process_of(name);
    if (!p) {
        camera.unknown_processes++;
        return;
    }
    p->changed = true;
    keep(&p->body, m);
    camera_ask_look(); /* a camera program that is started anew runs with other settings */
}

static void on_settings(const struct msg *m) {
    keep(&camera.settings, m);
    camera_ask_look();
}

static void on_ws_count(const struct msg *m) {
    if (mp_get_uint(m->body, m->body_len, "count", &camera.ws_clients) && camera.ws_clients == 0)
        camera.memory->pages = 0;
    camera_changed();
}

static void on_msg(void *ctx, const struct msg *m) {
    static const char PROCESS[] = "cam.process.";
    (void)ctx;
    if (msg_is(m, "cam.data"))
        camera_data_take(m);
    else if (msg_is(m, "cam.settings"))
        on_settings(m);
    else if (msg_is(m, "cam.clients"))
        keep(&camera.servers, m);
    else if (msg_is(m, "cam.auth"))
        camera_auth_take(m);
    else if (msg_is(m, "ws.text"))
        camera_page_text(m);
    else if (msg_is(m, "ws.clients"))
        on_ws_count(m);
    else if (msg_has_prefix(m, PROCESS))
        on_process(m);
}

/* ---- requests ---- */

static void on_state(struct rpc_call *call) {
    struct buf *b = rpc_reply_begin(call, 1);
    mp_put_str(b, "body");
    camera_page_put_state(b, true);
    rpc_reply_end(call);
}

static void on_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                       size_t n) {
    (void)ctx;
    if (strcmp(op, "state") == 0)
        on_state(call);
    else if (strcmp(op, "set") == 0)
        camera_ask_set(call, body, n);
    else if (strcmp(op, "restart") == 0)
        camera_ask_restart(call, body, n);
    else
        rpc_reply_error(call, "dispatch camera does not know the request \"%s\"", op);
}

/* ---- life ---- */

static void open_memory(const char *name) {
    const uint64_t magic = 0x63616d0000000000u | sizeof *camera.memory;
    camera.memory = statefile_open(name, sizeof *camera.memory);
    if (camera.memory->magic != magic)
        *camera.memory = (struct camera_memory){.magic = magic};
}

static void open_counters(struct stage *st) {
    stage_counter(st, "values", &camera.values);
    stage_counter(st, "attempts", &camera.attempts);
    stage_counter(st, "attempts_refused", &camera.refused);
    stage_counter(st, "batches_sent", &camera.batches);
    stage_counter(st, "states_sent", &camera.states);
    stage_counter(st, "requests", &camera.requests);
    stage_counter(st, "requests_failed", &camera.requests_failed);
    stage_counter(st, "unknown_processes", &camera.unknown_processes);
    stage_counter(st, "bad_texts", &camera.bad_texts);
    stage_counter(st, "browsers", &camera.ws_clients);
}

static int open_rules(struct stage *st, struct err *e) {
    camera.st = st;
    open_memory(st->name);
    camera_page_open(&st->loop);
    open_counters(st);
    return camera_ask_open(e);
}

static void close_rules(struct stage *st) {
    (void)st;
    camera_ask_close();
    camera_page_close();
    for (size_t i = 0; i < camera.processes; i++)
        buf_free(&camera.process[i].body);
    buf_free(&camera.settings);
    buf_free(&camera.servers);
    buf_free(&camera.about);
    buf_free(&camera.limits);
    statefile_close(camera.memory, sizeof *camera.memory);
}

const struct rules rules_camera = {
    .name = "camera",
    .summary = "the rules of a controlled camera's page: settings, processes, data stream",
    .options = options,
    .details =
        "In: cam.settings, cam.process.NAME, cam.clients, cam.auth, cam.data, ws.text,\n"
        "ws.clients.\n"
        "Out: camera.state, camera.process, camera.data, ws.join.\n"
        "Requests: state; set {shutter, gain, awb_red, awb_blue, contrast, brightness} and\n"
        "restart {name}, passed on to camctl.\n"
        "The data stream and who authenticated survive this process, in the run directory.\n",
    .open = open_rules,
    .on_msg = on_msg,
    .on_request = on_request,
    .close = close_rules,
};
