/* What pages are sent: samples at the device's full rate, a few at a time, and the state whenever
 * something of it changes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hev.h"
#include "json.h"
#include "pace.h"
#include "pages.h"

enum {
    BATCH_MS = 16, /* a frame of the screen */
    BATCH_MAX = 100
};

static const char GROUP[] = "hev";
static const uint8_t DECIMALS[VENT_CHANNELS] = {2, 2, 1}; /* of pressure, flow, volume */

void vent_put_number(struct buf *b, double v, int decimals) {
    char text[64];
    if (!isfinite(v)) {
        buf_puts(b, "null");
        return;
    }
    int n = snprintf(text, sizeof text, "%.*f", decimals, v);
    while (decimals && text[n - 1] == '0')
        n--;
    if (decimals && text[n - 1] == '.')
        n--;
    if (n == 2 && strncmp(text, "-0", 2) == 0)
        buf_putc(b, '0');
    else
        buf_put(b, text, (size_t)n);
}

/* ---- samples ---- */

static struct {
    struct buf text;
    uint64_t begin_us;
    unsigned count;
} batch;

static void batch_send(void) {
    if (!batch.count)
        return;
    uv_timer_stop(&vent.batch_timer);
    buf_puts(&batch.text, "]}");
    pages_send(vent.st, "hev.samples", 0, GROUP, &batch.text, 0);
    batch.count = 0;
    vent.batches++;
}

static void on_batch(uv_timer_t *t) {
    (void)t;
    batch_send();
}

static void batch_begin(uint64_t time_us) {
    batch.begin_us = time_us;
    buf_clear(&batch.text);
    buf_puts(&batch.text, "{\"type\":\"samples\",\"t\":");
    vent_put_number(&batch.text, (double)time_us / 1000, 3);
    buf_puts(&batch.text, ",\"s\":[");
    uv_timer_start(&vent.batch_timer, on_batch, BATCH_MS, 0);
}

void vent_page_sample(const struct vent_sample *s) {
    if (!vent.memory->pages)
        return;
    if (batch.count && s->time_us < batch.begin_us)
        batch_send();
    if (!batch.count)
        batch_begin(s->time_us);
    buf_puts(&batch.text, batch.count++ ? ",[" : "[");
    vent_put_number(&batch.text, (double)(s->time_us - batch.begin_us) / 1000, 3);
    for (int k = 0; k < VENT_CHANNELS; k++) {
        buf_putc(&batch.text, ',');
        vent_put_number(&batch.text, s->v[k], DECIMALS[k]);
    }
    buf_putc(&batch.text, ']');
    if (batch.count == BATCH_MAX)
        batch_send();
}

/* ---- state ---- */

static void put_text(struct buf *b, const char *key, const char *text) {
    mp_kv_str(b, key, text[0] ? text : NULL);
}

/* The latest message of a kind as it came, nil before the first. */
static void put_kept(struct buf *b, const char *key, enum vent_kind k) {
    size_t n;
    const uint8_t *p = vent_kept_body(k, &n);
    mp_put_str(b, key);
    if (p)
        buf_put(b, p, n);
    else
        mp_put_nil(b);
}

static void put_version(struct buf *b) {
    size_t n;
    uint64_t version = 0;
    const uint8_t *p = vent_kept_body(VENT_DATA, &n);
    if (p && mp_get_uint(p, n, "version", &version))
        mp_kv_uint(b, "device_version", version);
    else
        mp_kv_nil(b, "device_version");
}

static void put_flow_of_samples(struct buf *b) {
    mp_kv_bool(b, "raw", vent.raw);
    mp_kv_bool(b, "stale", vent.stale);
    if (vent.sample_ns)
        mp_kv_uint(b, "age_ms", (clock_mono_ns() - vent.sample_ns) / 1000000u);
    else
        mp_kv_nil(b, "age_ms");
    mp_kv_double(b, "interval_ms", round(vent.interval_ms * 10) / 10);
    mp_kv_int(b, "stale_ms", vent.opt.stale_ms);
}

static void put_unsent(struct buf *b) {
    if (vent.unsent_ns)
        mp_kv_uint(b, "unsent_ms", vent.unsent_ns / 1000000u);
    else
        mp_kv_nil(b, "unsent_ms");
}

void vent_page_put_state(struct buf *b) {
    mp_put_map(b, 23);
    mp_kv_str(b, "type", "state");
    mp_kv_uint(b, "now_ms", clock_wall_ns() / 1000000u);
    mp_kv_bool(b, "serial", vent.serial.connected);
    mp_kv_str(b, "device", vent.serial.device);
    mp_kv_str(b, "cause", serial_cause(&vent.serial));
    put_version(b);
    put_flow_of_samples(b);
    put_text(b, "state", vent.state);
    put_text(b, "mode", vent.mode);
    mp_put_str(b, "numbers");
    vent_numbers_put(b);
    put_unsent(b);
    mp_put_str(b, "targets");
    vent_targets_put(b);
    put_kept(b, "battery", VENT_BATTERY);
    mp_put_str(b, "alarms");
    vent_alarms_put(b);
    put_kept(b, "link", VENT_LINK);
    put_kept(b, "servers", VENT_SERVERS);
    mp_kv_uint(b, "clients", vent.ws_clients);
    mp_kv_int(b, "history_ms", vent.opt.history_ms);
    mp_kv_str(b, "version", TAPLINE_VERSION);
}

static void send_state(uint64_t client) {
    static struct buf map, text;
    buf_clear(&map);
    buf_clear(&text);
    vent_page_put_state(&map);
    struct mp_cursor at = {buf_data(&map), buf_data(&map) + buf_len(&map)};
    if (json_from_mp(&text, &at, NULL) != 1)
        return;
    pages_send(vent.st, "hev.state", client, GROUP, &text, 0);
    vent.states++;
}

static void tell(void) {
    if (vent.memory->pages)
        send_state(0);
}

static struct pace pace = {.change_ms = 20, .apart_ms = 100, .heartbeat_ms = 1000, .tell = tell};

void vent_changed(void) {
    pace_changed(&pace);
}

/* ---- what they say ---- */

void vent_page_text(const struct msg *m) {
    uint64_t client;
    char type[16];
    const struct buf *json = pages_heard(m, &client, &vent.bad_texts);
    if (!json || !client ||
        !mp_get_cstr(buf_data(json), buf_len(json), "type", type, sizeof type) ||
        strcmp(type, "hello") != 0)
        return;
    pages_join(vent.st, client, GROUP);
    vent.memory->pages = 1;
    send_state(client);
}

/* ---- life ---- */

void vent_page_open(uv_loop_t *loop) {
    pace_open(&pace, loop);
    uv_timer_init(loop, &vent.batch_timer);
    vent_changed();
}

void vent_page_close(void) {
    pace_close(&pace);
    uv_close((uv_handle_t *)&vent.batch_timer, NULL);
    buf_free(&batch.text);
}
