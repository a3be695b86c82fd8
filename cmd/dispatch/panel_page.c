/* What browsers say, and the state that pages ask for with {"type":"hello"}. */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "log.h"
#include "panel.h"

/* No text of the protocol is longer than 100 bytes; a longer one is not worth a parser's memory. */
enum { SHOWN_BYTES = 50, TEXT_MAX = 1024 };
static const char GROUP[] = "panel";

void panel_put_missing(struct buf *b, unsigned limit) {
    unsigned n = panel.media.missing < limit ? panel.media.missing : limit;
    char name[PANEL_FILE_NAME];
    mp_put_array(b, n);
    for (unsigned i = 0; i < n && panel_media_name(&panel.media, i, name); i++)
        mp_put_str(b, name);
}

void panel_put_id(struct buf *b, const char *key, uint64_t id) {
    if (id)
        mp_kv_uint(b, key, id);
    else
        mp_kv_nil(b, key);
}

static void put_state(struct buf *b) {
    const struct panel_state *s = panel.state;
    uint64_t now = clock_wall_ns();
    mp_put_map(b, 14);
    mp_kv_str(b, "type", "state");
    panel_put_id(b, "current", s->current);
    panel_put_id(b, "lit", s->lit);
    mp_put_str(b, "elapsed_ms");
    if (s->current && now > s->started_ns)
        mp_put_uint(b, (now - s->started_ns) / 1000000u);
    else
        mp_put_nil(b);
    mp_kv_bool(b, "serial", panel.serial.connected);
    mp_kv_str(b, "device", panel.serial.device);
    mp_kv_str(b, "cause", panel.serial.cause[0] ? panel.serial.cause : "absent");
    mp_kv_str(b, "firmware", panel.serial.firmware[0] ? panel.serial.firmware : NULL);
    mp_kv_uint(b, "num_media", (uint64_t)panel.opt.buttons);
    mp_put_str(b, "missing");
    panel_put_missing(b, UINT32_MAX);
    mp_kv_uint(b, "clients", panel.ws_clients);
    mp_kv_str(b, "mode", panel_mode());
    mp_kv_str(b, "version", TAPLINE_VERSION);
    mp_kv_bool(b, "local_led", panel.opt.local_led);
}

const char *panel_mode(void) {
    return panel.opt.buttons == 10 ? "prototype" : "production";
}

const struct buf *panel_json(const struct buf *map) {
    static struct buf text;
    struct mp_cursor c = {buf_data(map), buf_data(map) + buf_len(map)};
    buf_clear(&text);
    json_from_mp(&text, &c, &(struct json_style){.spaced = true});
    return &text;
}

/* to: a client number, or 0 for every page. */
static void publish_state(uint64_t to) {
    static struct buf map;
    buf_clear(&map);
    put_state(&map);
    const struct buf *text = panel_json(&map);
    bool mark = to && panel.state->current;
    struct buf *b = stage_begin(panel.st, "panel.state", 0, 2 + mark);
    if (to)
        mp_kv_uint(b, "to", to);
    else
        mp_kv_str(b, "to", GROUP);
    mp_kv_strn(b, "text", (const char *)buf_data(text), buf_len(text));
    if (mark)
        mp_kv_uint(b, "mark", panel.state->run);
    stage_end(panel.st);
}

void panel_page_broadcast(void) {
    if (panel.state->pages)
        publish_state(0);
}

void panel_page_hello(uint64_t client) {
    struct buf *b = stage_begin(panel.st, "ws.join", 0, 2);
    mp_kv_uint(b, "client", client);
    mp_kv_str(b, "group", GROUP);
    stage_end(panel.st);
    panel.state->pages = 1;
    publish_state(client);
}

static void on_ended(const struct msg *m, uint64_t client, const uint8_t *p, size_t n) {
    uint64_t id = 0, sent = 0, seen = 0;
    static struct log_limit limit;
    if (!mp_get_uint(p, n, "id", &id)) {
        panel.bad_texts++;
        log_limited(&limit, LOG_WARN, "browser %llu: \"ended\" without a whole number as id",
                    (unsigned long long)client);
        return;
    }
    mp_get_uint(m->body, m->body_len, "sent", &sent);
    mp_get_uint(m->body, m->body_len, "seen", &seen);
    switch (panel_clients_ended(&panel.clients, panel.state, client, id, sent, seen)) {
    case PANEL_END_NOW:
        panel.ended++;
        panel_clear(m->time, false);
        log_info("play of %u ended: LEDs off", (unsigned)id);
        break;
    case PANEL_END_LATE:
        panel.ended_late++;
        break;
    case PANEL_END_OTHER:
        panel.ended_other++;
    }
}

static void bad_text(uint64_t client, const char *text, size_t n) {
    static struct log_limit limit;
    char shown[SHOWN_BYTES * 4 + 8];
    panel.bad_texts++;
    log_quote(shown, sizeof shown, text, n < SHOWN_BYTES ? n : SHOWN_BYTES);
    log_limited(&limit, LOG_WARN, "browser %llu: a text that means nothing here: %s",
                (unsigned long long)client, shown);
}

void panel_page_text(const struct msg *m) {
    static struct buf json;
    const char *text;
    size_t n;
    uint64_t client = 0;
    char type[16];
    mp_get_uint(m->body, m->body_len, "client", &client);
    if (!mp_get_str(m->body, m->body_len, "text", &text, &n))
        return;
    buf_clear(&json);
    if (n > TEXT_MAX || json_to_mp(&json, text, n, NULL) < 0) {
        bad_text(client, text, n);
        return;
    }
    const uint8_t *p = buf_data(&json);
    if (!mp_get_cstr(p, buf_len(&json), "type", type, sizeof type))
        return;
    if (strcmp(type, "ended") == 0)
        on_ended(m, client, p, buf_len(&json));
    else if (strcmp(type, "hello") == 0)
        panel_page_hello(client);
}
