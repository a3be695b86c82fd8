/* What browsers say, and the state that pages ask for with {"type":"hello"}. */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "log.h"
#include "pages.h"
#include "panel.h"

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
    mp_kv_str(b, "cause", serial_cause(&panel.serial));
    mp_kv_str(b, "firmware", panel.firmware[0] ? panel.firmware : NULL);
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
    pages_send(panel.st, "panel.state", to, GROUP, text, mark ? panel.state->run : 0);
}

void panel_page_broadcast(void) {
    if (panel.state->pages)
        publish_state(0);
}

void panel_page_hello(uint64_t client) {
    pages_join(panel.st, client, GROUP);
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

void panel_page_text(const struct msg *m) {
    uint64_t client;
    char type[16];
    const struct buf *json = pages_heard(m, &client, &panel.bad_texts);
    if (!json || !mp_get_cstr(buf_data(json), buf_len(json), "type", type, sizeof type))
        return;
    if (strcmp(type, "ended") == 0)
        on_ended(m, client, buf_data(json), buf_len(json));
    else if (strcmp(type, "hello") == 0)
        panel_page_hello(client);
}
