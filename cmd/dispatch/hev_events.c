#include "hev_events.h"

#include <stdio.h>
#include <string.h>

#include "json.h"

void vent_events_add(struct vent_events *e, uint64_t time_us, const char *kind, const char *text) {
    struct vent_event *v = &e->event[e->count++ % VENT_EVENTS];
    v->time_us = time_us;
    snprintf(v->kind, sizeof v->kind, "%s", kind);
    snprintf(v->text, sizeof v->text, "%s", text);
}

/* The file they lie in may have been left half written. */
static void put_text(struct buf *b, const char *key, const char *text, size_t size) {
    buf_printf(b, ",\"%s\":", key);
    json_put_str(b, text, strnlen(text, size));
}

void vent_events_json(const struct vent_events *e, uint64_t from_us, uint64_t to_us,
                      struct buf *b) {
    uint64_t kept = e->count < VENT_EVENTS ? e->count : VENT_EVENTS;
    const char *comma = "";
    for (uint64_t i = e->count - kept; i < e->count; i++) {
        const struct vent_event *v = &e->event[i % VENT_EVENTS];
        if (v->time_us < from_us || v->time_us >= to_us)
            continue;
        buf_printf(b, "%s{\"t\":%llu", comma, (unsigned long long)((v->time_us - from_us) / 1000));
        put_text(b, "kind", v->kind, sizeof v->kind);
        put_text(b, "text", v->text, sizeof v->text);
        buf_putc(b, '}');
        comma = ",";
    }
}
