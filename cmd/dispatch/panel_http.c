/* Requests of httpd: /status, /health, /test/play/{id}, /test/stop. The texts are the protocol's.
 */
#include <stdio.h>
#include <string.h>

#include "panel.h"

enum { FILES_SHOWN = 10 };
static const char JSON_TYPE[] = "application/json; charset=utf-8";
static const char TEXT_TYPE[] = "text/plain; charset=utf-8";

static void reply(struct rpc_call *call, unsigned status, const char *type, const char *text,
                  size_t n) {
    struct buf *b = rpc_reply_begin(call, 3);
    mp_kv_uint(b, "status", status);
    mp_kv_str(b, "type", type);
    mp_kv_strn(b, "text", text, n);
    rpc_reply_end(call);
}

static void reply_text(struct rpc_call *call, unsigned status, const char *text) {
    reply(call, status, TEXT_TYPE, text, strlen(text));
}

static void reply_map(struct rpc_call *call, unsigned status, const struct buf *map) {
    const struct buf *text = panel_json(map);
    reply(call, status, JSON_TYPE, (const char *)buf_data(text), buf_len(text));
}

/* The ten keys of the protocol in their order, then ours. */
static void on_status(struct rpc_call *call) {
    static struct buf b;
    buf_clear(&b);
    mp_put_map(&b, 17);
    mp_kv_str(&b, "version", TAPLINE_VERSION);
    mp_kv_str(&b, "mode", panel_mode());
    mp_kv_uint(&b, "num_media", (uint64_t)panel.opt.buttons);
    panel_put_id(&b, "current_button", panel.state->current);
    mp_kv_uint(&b, "ws_clients", panel.ws_clients);
    mp_kv_bool(&b, "serial_connected", panel.serial.connected);
    mp_kv_str(&b, "serial_port", panel.serial.device);
    mp_kv_uint(&b, "media_missing", panel.media.missing);
    mp_put_str(&b, "missing_files");
    panel_put_missing(&b, FILES_SHOWN);
    mp_kv_bool(&b, "esp32_local_led", panel.opt.local_led);
    panel_put_id(&b, "lit_button", panel.state->lit);
    panel_put_id(&b, "last_button", panel.state->last_press);
    mp_kv_uint(&b, "plays", panel.state->run);
    mp_kv_str(&b, "serial_path", panel.serial.path);
    mp_kv_str(&b, "serial_cause", panel.serial.cause);
    mp_kv_str(&b, "firmware", panel.firmware[0] ? panel.firmware : NULL);
    mp_kv_uint(&b, "uptime_s", (clock_mono_ns() - panel.st->stats.started_ns) / 1000000000u);
    reply_map(call, 200, &b);
}

static void on_health(struct rpc_call *call) {
    static struct buf b;
    bool complete = panel.media.missing == 0, well = panel.serial.connected && complete;
    buf_clear(&b);
    mp_put_map(&b, 3);
    mp_kv_str(&b, "status", well ? "healthy" : "degraded");
    mp_kv_bool(&b, "serial", panel.serial.connected);
    mp_kv_bool(&b, "media_complete", complete);
    reply_map(call, well ? 200 : 503, &b);
}

static size_t span(const char *s, size_t n, const char *accept) {
    size_t i = 0;
    while (i < n && strchr(accept, s[i]) && s[i])
        i++;
    return i;
}

/* A whole number as the protocol takes it; 0 for one that is no button. False when it is none. */
static bool parse_id(const char *s, size_t n, uint64_t *id) {
    bool negative = n && *s == '-';
    size_t sign = n && (*s == '-' || *s == '+');
    uint64_t v = 0;
    s += sign;
    n -= sign;
    if (n == 0 || span(s, n, "0123456789") != n)
        return false;
    for (size_t i = span(s, n, "0"); i < n && v <= (uint64_t)panel.opt.buttons; i++)
        v = v * 10 + (uint64_t)(s[i] - '0');
    *id = !negative && v <= (uint64_t)panel.opt.buttons ? v : 0;
    return true;
}

static void on_play(struct rpc_call *call, const uint8_t *body, size_t n, bool act) {
    struct mp_value params;
    struct mp_cursor at;
    const char *text = "";
    size_t len = 0;
    char answer[64];
    uint64_t id;
    if (mp_find(body, n, "params", &params, &at))
        mp_get_str(at.at, (size_t)(at.end - at.at), "id", &text, &len);
    if (!parse_id(text, len, &id)) {
        reply_text(call, 400, "ERROR: Ungueltige ID");
    } else if (id == 0) {
        snprintf(answer, sizeof answer, "ERROR: ID muss 1-%d sein", (int)panel.opt.buttons);
        reply_text(call, 400, answer);
    } else {
        if (act)
            panel_press(id, clock_wall_ns());
        snprintf(answer, sizeof answer, "OK: play %u", (unsigned)id);
        reply_text(call, 200, answer);
    }
}

void panel_http_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                        size_t n) {
    char method[8] = "GET";
    (void)ctx;
    mp_get_cstr(body, n, "method", method, sizeof method);
    bool act = strcmp(method, "HEAD") != 0;
    if (strcmp(op, "status") == 0) {
        on_status(call);
    } else if (strcmp(op, "health") == 0) {
        on_health(call);
    } else if (strcmp(op, "play") == 0) {
        on_play(call, body, n, act);
    } else if (strcmp(op, "stop") == 0) {
        if (act)
            panel_clear(clock_wall_ns(), true);
        reply_text(call, 200, "OK: stopped");
    } else {
        rpc_reply_error(call, "dispatch panel does not know the request \"%s\"", op);
    }
}
