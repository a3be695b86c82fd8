/* Detections: looked at, put together again with the very text of every value, and sent to the
 * games. Nothing that was not forwarded is kept or counted as one.
 */
#include <stdio.h>
#include <string.h>

#include "hub.h"

/* Digits that cannot make a number infinite. */
enum { SHORT_NUMBER = 20 };

/* ---- looking ---- */

static bool is_coordinate(const struct json_member *m) {
    return json_key_is(m, "x_cm") || json_key_is(m, "y_cm") || json_key_is(m, "z_cm");
}

static bool is_finite(const struct json_raw *v) {
    double d;
    bool plain = v->n < SHORT_NUMBER && !memchr(v->p, 'e', v->n) && !memchr(v->p, 'E', v->n);
    return plain || json_raw_number(v, &d);
}

static int check_member(const struct json_member *m, struct err *e) {
    const struct json_raw *v = &m->value;
    int shown = m->key_len > 40 ? 40 : (int)m->key_len - 2;
    if (v->kind == RAW_NUMBER)
        return is_finite(v)
                   ? 0
                   : err_set(e, CAUSE_PROTOCOL, "%.*s: too large a number", shown, m->key + 1);
    if (v->kind != RAW_NULL && is_coordinate(m))
        return err_set(e, CAUSE_PROTOCOL, "%.*s: a number is wanted", shown, m->key + 1);
    return 0;
}

static int check(const struct json_object *fields, struct err *e) {
    for (size_t i = 0; i < fields->n; i++)
        if (check_member(&fields->item[i], e) < 0)
            return -1;
    return 0;
}

/* ---- putting together ---- */

static void put_member(struct buf *b, const struct json_member *m) {
    buf_putc(b, ',');
    buf_put(b, m->key, m->key_len);
    buf_putc(b, ':');
    buf_put(b, m->value.p, m->value.n);
}

static void put_addr(struct buf *b, const char *addr) {
    buf_puts(b, ",\"smartcam_ip\":\"");
    buf_puts(b, addr);
    buf_putc(b, '"');
}

/* Always flat: event first, the fields in the order they came, server_timestamp last. */
static void put_text(struct buf *b, const struct json_object *fields,
                     const struct hub_source *from) {
    bool addr = false;
    buf_puts(b, "{\"event\":\"apriltag_data\"");
    for (size_t i = 0; i < fields->n; i++) {
        const struct json_member *m = &fields->item[i];
        if (json_key_is(m, "event") || json_key_is(m, "server_timestamp"))
            continue;
        if (!from->own_addr || !json_key_is(m, "smartcam_ip")) {
            put_member(b, m);
        } else if (!addr) {
            put_addr(b, from->addr);
            addr = true;
        }
    }
    if (from->own_addr && !addr)
        put_addr(b, from->addr);
    buf_printf(b, ",\"server_timestamp\":%.6f}", (double)(from->time_ns / 1000) / 1e6);
}

/* ---- what is known of the camera ---- */

static struct hub_camera *camera_by(const struct json_object *fields,
                                    const struct hub_source *from) {
    char name[HUB_NAME];
    bool made;
    if (!json_raw_text(json_get(fields, "camera_name"), name, sizeof name) || !*name)
        snprintf(name, sizeof name, "camera");
    return hub_cameras_get(&hub.state->cameras, name, from->addr, from->time_ns, &made);
}

/* Its delay in ms, < 0 when it gives no time. */
static double note_delay(struct hub_camera *c, const struct json_object *fields, uint64_t time_ns) {
    double ms;
    if (!json_raw_number(json_get(fields, "timestamp"), &ms) || ms < 0 || ms > UINT32_MAX)
        return -1;
    return hub_delay_add(&c->delay, (uint32_t)ms, (double)(time_ns / 1000) / 1e3);
}

static void note(struct hub_camera *c, const struct hub_source *from, const struct buf *text,
                 uint64_t took_ns) {
    c->rate_at[c->tags % HUB_RATE] = (double)(from->time_ns / 1000) / 1e6;
    c->tags++;
    c->heard_ns = c->tag_ns = from->time_ns;
    c->tag_us = took_ns / 1000;
    snprintf(c->via, sizeof c->via, "%s", from->via);
    hist_add(&c->hub, took_ns);
    c->latest_len = (uint32_t)buf_len(text);
    memcpy(hub_cameras_latest(&hub.state->cameras, c), buf_data(text), buf_len(text));
    hub.n.tags++;
    hub.state->events++;
    hub.state->http_events += strcmp(from->via, "http") == 0;
    hub.state->udp_events += strcmp(from->via, "udp") == 0;
}

/* ---- sending ---- */

static void put_tag_id(struct buf *b, const struct json_object *fields) {
    double id;
    if (!json_raw_number(json_get(fields, "tag_id"), &id))
        mp_kv_nil(b, "tag_id");
    else if (id >= 0 && id < 9e15 && id == (double)(uint64_t)id)
        mp_kv_uint(b, "tag_id", (uint64_t)id);
    else
        mp_kv_double(b, "tag_id", id);
}

static void publish(const struct hub_camera *c, const struct json_object *fields,
                    const struct hub_source *from, const struct buf *text, double delay_ms,
                    uint64_t took_ns) {
    struct buf *b = stage_begin(hub.st, "hub.tag", from->time_ns, 8);
    mp_kv_str(b, "to", "games");
    mp_kv_strn(b, "text", (const char *)buf_data(text), buf_len(text));
    mp_kv_str(b, "camera", c->id);
    mp_kv_str(b, "via", from->via);
    mp_kv_str(b, "peer", from->addr);
    put_tag_id(b, fields);
    mp_kv_uint(b, "hub_us", took_ns / 1000);
    if (delay_ms < 0)
        mp_kv_nil(b, "delay_ms");
    else
        mp_kv_double(b, "delay_ms", hub_round(delay_ms, 3));
    stage_end(hub.st);
}

static int refuse(struct hub_camera *c) {
    hub.n.tags_refused++;
    if (c)
        c->refused++;
    return -1;
}

int hub_tag_take(const struct json_object *fields, struct hub_camera *camera,
                 const struct hub_source *from, struct err *e) {
    static struct buf text;
    if (check(fields, e) < 0)
        return refuse(camera);
    buf_clear(&text);
    put_text(&text, fields, from);
    if (buf_len(&text) > HUB_TAG_MAX) {
        err_set(e, CAUSE_LIMIT, "a detection of more than %d bytes", HUB_TAG_MAX);
        return refuse(camera);
    }
    struct hub_camera *c = camera ? camera : camera_by(fields, from);
    if (!c) {
        err_set(e, CAUSE_LIMIT, "more than %d cameras are connected", HUB_CAMERAS);
        return refuse(c);
    }
    double delay_ms = note_delay(c, fields, from->time_ns);
    uint64_t now = clock_wall_ns(), took = now > from->time_ns ? now - from->time_ns : 0;
    publish(c, fields, from, &text, delay_ms, took);
    note(c, from, &text, took);
    hub_poll_add((const char *)buf_data(&text), buf_len(&text), from->time_ns);
    hub_page_tag(c);
    return 0;
}

bool hub_tag_latest(uint64_t client) {
    const struct hub_camera *c = hub_cameras_newest_tag(&hub.state->cameras);
    if (c)
        hub_say(client, hub_cameras_latest(&hub.state->cameras, c), c->latest_len);
    return c != NULL;
}
