#include "json.h"

struct writer {
    struct buf *out;
    struct mp_cursor in;
    const char *comma, *colon;
    size_t gap; /* bytes of comma and of colon */
    enum json_bin bin;
};

static int put_value(struct writer *w, int depth);

static struct writer writer(struct buf *out, const struct mp_cursor *in,
                            const struct json_style *style) {
    bool spaced = style && style->spaced;
    return (struct writer){.out = out,
                           .in = *in,
                           .comma = ", ",
                           .colon = ": ",
                           .gap = spaced ? 2 : 1,
                           .bin = style ? style->bin : JSON_BIN_BASE64};
}

static void put_hex(struct buf *b, const uint8_t *p, size_t n) {
    char *out = (char *)buf_reserve(b, 2 * n);
    for (size_t i = 0; i < n; i++) {
        *out++ = "0123456789abcdef"[p[i] >> 4];
        *out++ = "0123456789abcdef"[p[i] & 15];
    }
    buf_added(b, 2 * n);
}

static void put_bin(struct writer *w, const struct mp_value *v) {
    bool tagged = w->bin == JSON_BIN_TAGGED;
    if (tagged) {
        buf_puts(w->out, "{\"$bin\"");
        buf_put(w->out, w->colon, w->gap);
    }
    buf_putc(w->out, '"');
    if (w->bin == JSON_BIN_HEX)
        put_hex(w->out, v->p, v->len);
    else
        json_put_base64(w->out, v->p, v->len);
    buf_put(w->out, "\"}", tagged ? 2 : 1);
}

/* A key that is no string: its JSON, in quotes unless it has them. */
static int put_odd_key(struct writer *w, int depth) {
    struct buf text = {0};
    struct writer k = *w;
    k.out = &text;
    int r = put_value(&k, depth);
    if (r == 1 && *buf_data(&text) == '"')
        buf_put(w->out, buf_data(&text), buf_len(&text));
    else if (r == 1)
        json_put_str(w->out, (const char *)buf_data(&text), buf_len(&text));
    w->in = k.in;
    buf_free(&text);
    return r;
}

static int put_key(struct writer *w, int depth) {
    struct mp_cursor at = w->in;
    struct mp_value v;
    int r = mp_read(&w->in, &v);
    if (r != 1)
        return r;
    if (v.type == MP_STR) {
        json_put_str(w->out, (const char *)v.p, v.len);
        return 1;
    }
    w->in = at;
    return put_odd_key(w, depth);
}

static int put_items(struct writer *w, uint32_t n, int depth) {
    int r = 1;
    buf_putc(w->out, '[');
    for (uint32_t i = 0; i < n && r == 1; i++) {
        if (i)
            buf_put(w->out, w->comma, w->gap);
        r = put_value(w, depth);
    }
    buf_putc(w->out, ']');
    return r;
}

static int put_pairs(struct writer *w, uint32_t n, int depth) {
    int r = 1;
    buf_putc(w->out, '{');
    for (uint32_t i = 0; i < n && r == 1; i++) {
        if (i)
            buf_put(w->out, w->comma, w->gap);
        r = put_key(w, depth);
        if (r == 1) {
            buf_put(w->out, w->colon, w->gap);
            r = put_value(w, depth);
        }
    }
    buf_putc(w->out, '}');
    return r;
}

/* depth: how many containers may still open. */
static int put_value(struct writer *w, int depth) {
    struct mp_value v;
    int r = mp_read(&w->in, &v);
    if (r != 1)
        return r;
    switch (v.type) {
    case MP_MAP:
        return depth ? put_pairs(w, v.len, depth - 1) : -1;
    case MP_ARRAY:
        return depth ? put_items(w, v.len, depth - 1) : -1;
    case MP_STR:
        json_put_str(w->out, (const char *)v.p, v.len);
        break;
    case MP_UINT:
        json_put_uint(w->out, v.u);
        break;
    case MP_INT:
        json_put_int(w->out, v.i);
        break;
    case MP_DOUBLE:
        json_put_double(w->out, v.d);
        break;
    case MP_BIN:
        put_bin(w, &v);
        break;
    case MP_BOOL:
        buf_puts(w->out, v.b ? "true" : "false");
        break;
    case MP_NIL:
    case MP_EXT:
        buf_put(w->out, "null", 4);
        break;
    }
    return 1;
}

static void cut_to(struct buf *b, size_t len) {
    b->end = b->start + len;
}

int json_from_mp(struct buf *out, struct mp_cursor *c, const struct json_style *style) {
    size_t before = buf_len(out);
    struct writer w = writer(out, c, style);
    int r = put_value(&w, MP_DEPTH_MAX);
    if (r == 1)
        *c = w.in;
    else
        cut_to(out, before);
    return r;
}

static void put_field(struct writer *w, const char *name) {
    buf_put(w->out, w->comma, w->gap);
    buf_puts(w->out, name);
    buf_put(w->out, w->colon, w->gap);
}

int json_put_msg(struct buf *out, const struct msg *m, const struct json_style *style) {
    size_t before = buf_len(out);
    struct mp_cursor body = {m->body, m->body + m->body_len};
    struct writer w = writer(out, &body, style);
    buf_puts(out, "{\"topic\"");
    buf_put(out, w.colon, w.gap);
    json_put_str(out, m->topic, m->topic_len);
    put_field(&w, "\"time\"");
    json_put_uint(out, m->time);
    put_field(&w, "\"seq\"");
    json_put_uint(out, m->seq);
    put_field(&w, "\"body\"");
    int r = put_value(&w, MP_DEPTH_MAX);
    buf_putc(out, '}');
    if (r != 1)
        cut_to(out, before);
    return r;
}
