/* The data stream's last minute, and the last attempts to authenticate. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "camera.h"
#include "json.h"

static struct camera_sample *sample_at(uint64_t i) {
    return &camera.memory->sample[i % CAMERA_SAMPLES];
}

static struct camera_event *event_at(uint64_t i) {
    return &camera.memory->event[i % CAMERA_EVENTS];
}

/* ---- data stream ---- */

/* cam.data {value, time_ms}: the time is the one that clients of the data port are told. */
void camera_data_take(const struct msg *m) {
    double value;
    uint64_t time_ms = m->time / 1000000u;
    if (!mp_get_double(m->body, m->body_len, "value", &value) || !isfinite(value))
        return;
    mp_get_uint(m->body, m->body_len, "time_ms", &time_ms);
    *sample_at(camera.memory->samples++) = (struct camera_sample){time_ms, value};
    camera.values++;
    camera_page_sample();
}

uint64_t camera_data_oldest(void) {
    uint64_t end = camera.memory->samples, i = end > CAMERA_SAMPLES ? end - CAMERA_SAMPLES : 0;
    uint64_t now = clock_wall_ns() / 1000000u, span = (uint64_t)camera.opt.history_ms;
    while (i < end && sample_at(i)->time_ms + span < now)
        i++;
    return i;
}

/* {"type":"data","all":BOOL,"t":MS,"s":[[ms since t, value],...]} */
void camera_data_text(struct buf *b, uint64_t from, bool all) {
    uint64_t end = camera.memory->samples, begin = from < end ? sample_at(from)->time_ms : 0;
    buf_printf(b, "{\"type\":\"data\",\"all\":%s,\"t\":%llu,\"s\":[", all ? "true" : "false",
               (unsigned long long)begin);
    for (uint64_t i = from; i < end; i++) {
        buf_printf(b, "%s[%lld,", i == from ? "" : ",",
                   (long long)(int64_t)(sample_at(i)->time_ms - begin));
        json_put_double(b, sample_at(i)->value);
        buf_putc(b, ']');
    }
    buf_puts(b, "]}");
}

/* ---- attempts to authenticate ---- */

/* Without the port, which is another one each time. */
static void host_of(const struct msg *m, char *out, size_t size) {
    if (!mp_get_cstr(m->body, m->body_len, "peer", out, size))
        out[0] = 0;
    char *colon = strrchr(out, ':'), *bracket = strrchr(out, ']');
    if (colon && (bracket ? colon > bracket : strchr(out, ':') == colon))
        *colon = 0;
}

static bool same(const struct camera_event *a, const struct camera_event *b) {
    return a->ok == b->ok && strcmp(a->peer, b->peer) == 0 && strcmp(a->reason, b->reason) == 0;
}

/* cam.auth {peer, ok, reason}. Somebody who guesses fills one place, not all of them. */
void camera_auth_take(const struct msg *m) {
    struct camera_event e = {.time_ms = m->time / 1000000u, .count = 1};
    struct camera_memory *all = camera.memory;
    host_of(m, e.peer, sizeof e.peer);
    mp_get_bool(m->body, m->body_len, "ok", &e.ok);
    if (!mp_get_cstr(m->body, m->body_len, "reason", e.reason, sizeof e.reason))
        e.reason[0] = 0;
    camera.attempts++;
    camera.refused += !e.ok;
    if (all->events && same(event_at(all->events - 1), &e)) {
        e.count += event_at(all->events - 1)->count;
        all->events--;
    }
    *event_at(all->events++) = e;
    camera_changed();
}

void camera_auth_put(struct buf *b) {
    uint64_t end = camera.memory->events, n = end < CAMERA_EVENTS ? end : CAMERA_EVENTS;
    mp_put_array(b, (uint32_t)n);
    for (uint64_t i = end - n; i < end; i++) {
        const struct camera_event *e = event_at(i);
        mp_put_map(b, 5);
        mp_kv_uint(b, "ms", e->time_ms);
        mp_kv_uint(b, "count", e->count);
        mp_kv_bool(b, "ok", e->ok);
        mp_kv_str(b, "peer", e->peer);
        mp_kv_str(b, "reason", e->reason);
    }
}
