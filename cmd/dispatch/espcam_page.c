/* The cameras as pages get them, once after {"type":"hello"} and then whenever something changes.
 */
#include <math.h>
#include <string.h>

#include "espcam.h"
#include "json.h"
#include "pages.h"

static const char GROUP[] = "espcam";

/* ---- one camera ---- */

/* Milliseconds, because a browser's numbers have 53 bits; nil for never. */
static void put_ms(struct buf *b, const char *key, uint64_t ns) {
    if (ns)
        mp_kv_uint(b, key, ns / 1000000u);
    else
        mp_kv_nil(b, key);
}

static void put_value(struct buf *b, const char *key, double v) {
    if (isnan(v))
        mp_kv_nil(b, key);
    else
        mp_kv_double(b, key, v);
}

static void put_text(struct buf *b, const char *key, const char *text) {
    mp_kv_str(b, key, text[0] ? text : NULL);
}

enum { PICTURE_KEYS = 8, COUNT_KEYS = 8, SENSOR_KEYS = 5, OTHER_KEYS = 8 };

static void put_picture(struct buf *b, const struct cam_camera *c, uint64_t now) {
    double per_min, bytes_per_s;
    cam_rate(c, now, &per_min, &bytes_per_s);
    put_ms(b, "picture_ms", c->picture_ns);
    mp_kv_uint(b, "bytes", c->bytes);
    mp_kv_uint(b, "width", c->width);
    mp_kv_uint(b, "height", c->height);
    mp_kv_uint(b, "frames", c->frames);
    put_text(b, "verified", c->verified);
    mp_kv_double(b, "per_min", per_min);
    mp_kv_double(b, "bytes_per_s", bytes_per_s);
}

static void put_counts(struct buf *b, const struct cam_camera *c) {
    mp_kv_uint(b, "good", c->good);
    mp_kv_uint(b, "unverified", c->unverified);
    mp_kv_uint(b, "broken", c->broken);
    put_ms(b, "broken_ms", c->broken_ns);
    put_text(b, "broken_reason", c->broken_reason);
    mp_kv_uint(b, "broken_bytes", c->broken_bytes);
    mp_kv_uint(b, "saved", c->saved);
    put_text(b, "saved_name", c->saved_name);
}

static void put_sensors(struct buf *b, const struct cam_camera *c) {
    put_ms(b, "sensor_ms", c->sensor_ns);
    put_value(b, "voltage_percent", c->voltage_percent);
    put_value(b, "temperature_c", c->temperature_c);
    put_value(b, "tds_v", c->tds_v);
    put_text(b, "camera_time", c->camera_time);
}

static void put_camera(struct buf *b, const struct cam_camera *c, uint64_t now) {
    static const char *const state[] = {"live", "silent", "asleep"};
    mp_put_map(b, OTHER_KEYS + PICTURE_KEYS + COUNT_KEYS + SENSOR_KEYS);
    mp_kv_str(b, "mac", c->mac);
    put_text(b, "name", c->name);
    mp_kv_str(b, "state", state[cam_is(c, now, (uint64_t)cams.opt.silent_ms * 1000000u)]);
    put_ms(b, "heard_ms", c->heard_ns);
    put_ms(b, "saved_ms", c->saved_ns);
    put_ms(b, "sleeps_until_ms", cam_sleeps_until(c));
    mp_kv_bool(b, "sleep_waits", cam_sleeps_has(&cams.sleeps, c->mac));
    mp_kv_uint(b, "total_bytes", c->good_bytes);
    put_picture(b, c, now);
    put_counts(b, c);
    put_sensors(b, c);
}

/* ---- all ---- */

void cam_page_put(struct buf *b) {
    uint64_t now = clock_wall_ns();
    mp_put_map(b, 10);
    mp_kv_str(b, "type", "cameras");
    put_ms(b, "now_ms", now);
    mp_kv_bool(b, "serial", cams.serial.connected);
    mp_kv_str(b, "device", cams.serial.device);
    mp_kv_str(b, "cause", serial_cause(&cams.serial));
    mp_kv_int(b, "silent_ms", cams.opt.silent_ms);
    mp_kv_uint(b, "clients", cams.ws_clients);
    mp_kv_bool(b, "auto_sleep", cams.opt.auto_sleep);
    mp_kv_str(b, "version", TAPLINE_VERSION);
    mp_put_str(b, "cameras");
    mp_put_array(b, (uint32_t)cams.table->n);
    for (size_t i = 0; i < cams.table->n; i++)
        put_camera(b, &cams.table->camera[i], now);
}

/* to: a client number, or 0 for every page. */
static void publish(uint64_t to) {
    static struct buf map, text;
    buf_clear(&map);
    buf_clear(&text);
    cam_page_put(&map);
    struct mp_cursor at = {buf_data(&map), buf_data(&map) + buf_len(&map)};
    json_from_mp(&text, &at, NULL);
    pages_send(cams.st, "espcam.cameras", to, GROUP, &text, 0);
}

void cam_page_broadcast(void) {
    if (cams.table->pages)
        publish(0);
}

static void on_hello(uint64_t client) {
    pages_join(cams.st, client, GROUP);
    cams.table->pages = 1;
    publish(client);
}

void cam_page_text(const struct msg *m) {
    uint64_t client;
    char type[16];
    const struct buf *json = pages_heard(m, &client, &cams.bad_texts);
    if (json && client && mp_get_cstr(buf_data(json), buf_len(json), "type", type, sizeof type) &&
        strcmp(type, "hello") == 0)
        on_hello(client);
}
