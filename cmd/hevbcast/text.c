#include <string.h>

#include "hevbcast.h"
#include "json.h"
#include "log.h"

/* Python's default, and the shortest. */
struct spacing {
    const char *comma, *colon;
};
static const struct spacing python = {", ", ": "}, compact = {",", ":"};

/* ---- D1 and D2 ---- */

static void put_key(struct buf *b, const char *key, const struct spacing *s) {
    buf_putc(b, '"');
    buf_puts(b, key);
    buf_putc(b, '"');
    buf_puts(b, s->colon);
}

static void put_sensors(const struct sensors *v, struct buf *b, const struct spacing *s) {
    if (!v->any) {
        buf_puts(b, "null");
        return;
    }
    buf_putc(b, '{');
    for (size_t i = 0; i < KEYS; i++) {
        if (i == SENSOR_TIMESTAMP && !v->timestamp)
            continue;
        if (i)
            buf_puts(b, s->comma);
        put_key(b, state_sensor_key(i), s);
        if (v->real[i])
            json_put_double(b, v->value[i]);
        else
            json_put_int(b, (int64_t)v->value[i]);
    }
    buf_putc(b, '}');
}

static void put_names(const struct alarms *a, const bool *show, struct buf *b,
                      const struct spacing *s) {
    bool first = true;
    for (size_t i = 0; i < a->n; i++) {
        if (!show[i])
            continue;
        buf_puts(b, first ? "[" : s->comma);
        first = false;
        buf_putc(b, '"');
        buf_puts(b, a->list[i]->name);
        buf_putc(b, '"');
    }
    buf_puts(b, first ? "null" : "]");
}

/* The bytes it takes. */
static size_t put_state(const struct hevbcast *h, const bool *show, struct buf *b,
                        const struct spacing *s) {
    buf_clear(b);
    buf_putc(b, '{');
    if (h->dialect == DIALECT_D2) {
        put_key(b, "type", s);
        buf_puts(b, "\"broadcast\"");
        buf_puts(b, s->comma);
    }
    put_key(b, "sensors", s);
    put_sensors(&h->sensors, b, s);
    buf_puts(b, s->comma);
    put_key(b, "alarms", s);
    put_names(&h->alarms, show, b, s);
    buf_putc(b, '}');
    return buf_len(b);
}

/* Of the least urgent alarms shown, the newest. Its bytes in the compact list; 0 when none is left.
 */
static size_t hide_one(const struct alarms *a, bool *show) {
    size_t victim = ALARMS_MAX;
    for (size_t i = 0; i < a->n; i++)
        if (show[i] && (victim == ALARMS_MAX || a->list[i]->priority <= a->list[victim]->priority))
            victim = i;
    if (victim == ALARMS_MAX)
        return 0;
    show[victim] = false;
    return strlen(a->list[victim]->name) + strlen("\"\",");
}

/* A D1 client reads D1_PACKET_MAX bytes at a time and takes them for a whole JSON text. */
unsigned text_state(const struct hevbcast *h, struct buf *out) {
    static struct log_limit full;
    bool show[ALARMS_MAX];
    unsigned left_out = 0;
    for (size_t i = 0; i < h->alarms.n; i++)
        show[i] = alarms_first_of_name(&h->alarms, i);
    if (put_state(h, show, out, &python) <= D1_PACKET_MAX)
        return 0;
    size_t size = put_state(h, show, out, &compact), gone = 1;
    for (; size > D1_PACKET_MAX && gone; left_out++) {
        gone = hide_one(&h->alarms, show);
        size -= gone;
    }
    if (left_out == 0)
        return 0;
    log_limited(&full, LOG_WARN, "%u of %zu alarms do not fit into the %d bytes of a packet",
                left_out, h->alarms.n, D1_PACKET_MAX);
    put_state(h, show, out, &compact);
    return left_out;
}

/* ---- D3 ---- */

bool text_payload(struct hevbcast *h, enum hev_type type, struct buf *out) {
    const struct json_style style = {.spaced = true};
    const struct buf *body = &h->body[type];
    struct mp_cursor c = {buf_data(body), buf_data(body) + buf_len(body)};
    size_t before = buf_len(out);
    const char *name = hev_type_name(type);
    buf_printf(out, "{\"type\": \"%s\", \"%s\": ", name, name);
    if (buf_len(body) == 0 || json_from_mp(out, &c, &style) != 1) {
        out->end = out->start + before;
        return false;
    }
    buf_puts(out, ", \"alarms\": ");
    if (h->alarms.n)
        buf_put(out, buf_data(&h->alarms.objects), buf_len(&h->alarms.objects));
    else
        buf_put(out, "[]", 2);
    buf_put(out, "}", 2); /* with its NUL */
    return true;
}
