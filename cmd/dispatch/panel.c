/* The rules of the selection panel (lib/codec/panel.md): the newest press always wins; for one
 * press every browser is sent stop, then play, adjacent and in the order of the presses; the LED
 * goes out when a browser says that what plays now has ended.
 */
#include "panel.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "pace.h"

struct panel_rules panel = {.opt = {.buttons = 10, .media = "media", .local_led = true}};

static const struct opt options[] = {
    {"buttons", 0, OPT_INT, &panel.opt.buttons, "N", "ids 1 to N are buttons", 1,
     PANEL_BUTTONS_MAX},
    {"media", 0, OPT_TEXT, &panel.opt.media, "DIR", "where NNN.jpg and NNN.mp3 are", 0, 0},
    {"local-led", 0, OPT_FLAG, &panel.opt.local_led, NULL,
     "the panel lights the LED of a pressed button itself, so no LEDSET is sent", 0, 0},
    {"state-at-join", 0, OPT_FLAG, &panel.opt.state_at_join, NULL,
     "send what plays to every browser that joins, not only to pages that ask", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

/* ---- towards the device ---- */

static void send_command(enum panel_cmd cmd, uint64_t id, uint64_t time_ns) {
    char line[PANEL_COMMAND_SIZE];
    size_t n = panel_command(line, cmd, (unsigned)id);
    if (!panel.serial.connected) {
        panel.clear_owed = cmd == PANEL_LEDCLR;
        log_warn("serial port not connected: %.*s is not sent", (int)n - 1, line);
        return;
    }
    panel.clear_owed = false;
    struct buf *b = stage_begin(panel.st, "serial.tx", time_ns, 1);
    mp_kv_bin(b, "data", line, n);
    stage_end(panel.st);
}

/* ---- what plays ---- */

static void publish_stop(uint64_t time_ns) {
    struct buf *b = stage_begin(panel.st, "panel.stop", time_ns, 1);
    mp_kv_str(b, "text", "{\"type\": \"stop\"}");
    stage_end(panel.st);
}

/* to: a client number, or 0 for every browser. */
static void publish_play(uint64_t id, uint64_t time_ns, bool confirm, uint64_t to) {
    char text[64];
    snprintf(text, sizeof text, "{\"type\": \"play\", \"id\": %u}", (unsigned)id);
    struct buf *b = stage_begin(panel.st, "panel.play", time_ns, 5 + (to != 0));
    mp_kv_uint(b, "id", id);
    mp_kv_uint(b, "run", panel.state->run);
    mp_kv_str(b, "text", text);
    mp_kv_uint(b, "mark", panel.state->run);
    mp_kv_bool(b, "confirm", confirm);
    if (to)
        mp_kv_uint(b, "to", to);
    stage_end(panel.st);
}

void panel_press(uint64_t id, uint64_t time_ns) {
    bool confirm = panel_state_play(panel.state, id, time_ns);
    if (!panel.opt.local_led)
        send_command(PANEL_LEDSET, id, time_ns);
    panel.clear_owed = false;
    publish_stop(time_ns);
    publish_play(id, time_ns, confirm, 0);
    panel.presses++;
    panel_changed();
    log_info("button %u pressed", (unsigned)id);
    if (panel_media_absent(&panel.media, (unsigned)id))
        log_warn("media of button %u incomplete: %s/%03u.jpg or .mp3 is missing", (unsigned)id,
                 panel.opt.media, (unsigned)id);
}

void panel_clear(uint64_t time_ns, bool broadcast) {
    panel.state->current = 0;
    if (broadcast)
        publish_stop(time_ns);
    send_command(PANEL_LEDCLR, 0, time_ns);
    if (panel.serial.connected)
        panel.state->lit = 0;
    panel_changed();
}

/* ---- what the device says ---- */

static void on_press(const struct msg *m) {
    static struct log_limit limit;
    uint64_t id = 0;
    if (mp_get_uint(m->body, m->body_len, "id", &id) && id >= 1 &&
        id <= (uint64_t)panel.opt.buttons) {
        panel_press(id, m->time);
        return;
    }
    panel.out_of_range++;
    log_limited(&limit, LOG_WARN, "press of button %llu ignored: buttons are 1 to %d",
                (unsigned long long)id, (int)panel.opt.buttons);
}

static void on_serial(const struct msg *m) {
    bool was = panel.serial.connected;
    serial_take(&panel.serial, m, panel.st, "no panel connected");
    if (was && !panel.serial.connected)
        panel.firmware[0] = 0;
    if (panel.serial.connected && panel.clear_owed) {
        send_command(PANEL_LEDCLR, 0, m->time);
        panel.state->lit = panel.state->current;
    }
    panel_changed();
}

static void on_words(const struct msg *m, const char *what) {
    char text[256] = "";
    mp_get_cstr(m->body, m->body_len, "text", text, sizeof text);
    log_info("panel %s %s", what, text);
}

static void on_firmware(const struct msg *m) {
    mp_get_cstr(m->body, m->body_len, "text", panel.firmware, sizeof panel.firmware);
    on_words(m, "firmware:");
    panel_changed();
}

static void on_device_error(const struct msg *m) {
    char text[256] = "";
    mp_get_cstr(m->body, m->body_len, "text", text, sizeof text);
    log_warn("panel reports an error: %s", text);
}

/* ---- browsers ---- */

static void on_ws_open(const struct msg *m) {
    uint64_t client;
    char peer[64] = "";
    if (!mp_get_uint(m->body, m->body_len, "client", &client))
        return;
    mp_get_cstr(m->body, m->body_len, "peer", peer, sizeof peer);
    panel_clients_open(&panel.clients, panel.state, client, peer);
    log_info("browser joined: %s", peer);
    if (panel.opt.state_at_join && panel.state->current)
        publish_play(panel.state->current, m->time, false, client);
}

static void on_ws_closed(const struct msg *m) {
    uint64_t client;
    if (!mp_get_uint(m->body, m->body_len, "client", &client))
        return;
    panel_clients_closed(&panel.clients, panel.state, client);
    log_info("browser left: %llu", (unsigned long long)client);
}

static void on_ws_count(const struct msg *m) {
    if (mp_get_uint(m->body, m->body_len, "count", &panel.ws_clients) && panel.ws_clients == 0)
        panel.state->pages = 0;
    panel_changed();
}

static void on_msg(void *ctx, const struct msg *m) {
    (void)ctx;
    if (msg_is(m, "panel.press"))
        on_press(m);
    else if (msg_is(m, "ws.text"))
        panel_page_text(m);
    else if (msg_is(m, "serial.state"))
        on_serial(m);
    else if (msg_is(m, "ws.open"))
        on_ws_open(m);
    else if (msg_is(m, "ws.closed"))
        on_ws_closed(m);
    else if (msg_is(m, "ws.clients"))
        on_ws_count(m);
    else if (msg_is(m, "panel.firmware"))
        on_firmware(m);
    else if (msg_is(m, "panel.error"))
        on_device_error(m);
    else if (msg_is(m, "panel.ready"))
        log_info("panel is ready");
    else if (msg_is(m, "panel.mode"))
        on_words(m, "mode:");
    else if (msg_is(m, "panel.mapping"))
        on_words(m, "bit mapping:");
}

/* ---- life ---- */

static struct pace pace = {.change_ms = 20, .heartbeat_ms = 5000, .tell = panel_page_broadcast};

void panel_changed(void) {
    pace_changed(&pace);
}

static void open_counters(struct stage *st) {
    stage_counter(st, "presses", &panel.presses);
    stage_counter(st, "ended", &panel.ended);
    stage_counter(st, "ended_late", &panel.ended_late);
    stage_counter(st, "ended_other", &panel.ended_other);
    stage_counter(st, "bad_texts", &panel.bad_texts);
    stage_counter(st, "presses_out_of_range", &panel.out_of_range);
    stage_counter(st, "browsers", &panel.ws_clients);
}

static int panel_open(struct stage *st, struct err *e) {
    (void)e;
    panel.st = st;
    panel.state = panel_state_open(st->name);
    if (panel.state->current > (uint64_t)panel.opt.buttons)
        panel.state->current = 0;
    pace_open(&pace, &st->loop);
    panel_media_open(&panel.media, &st->loop, panel.opt.media, (unsigned)panel.opt.buttons,
                     panel_changed);
    open_counters(st);
    panel_changed();
    return 0;
}

static void panel_close(struct stage *st) {
    (void)st;
    panel_media_close(&panel.media);
    pace_close(&pace);
    panel_media_free(&panel.media);
    panel_clients_free(&panel.clients);
    panel_state_close(panel.state);
}

const struct rules rules_panel = {
    .name = "panel",
    .summary = "the rules of the selection panel: a press plays a picture and a sound",
    .options = options,
    .details = "In: panel.press, serial.state, ws.open, ws.text, ws.closed, ws.clients.\n"
               "Out: panel.stop, panel.play, panel.state, ws.join, serial.tx.\n"
               "Requests: status, health, play {params: {id}}, stop.\n",
    .open = panel_open,
    .on_msg = on_msg,
    .on_request = panel_http_request,
    .close = panel_close,
};
