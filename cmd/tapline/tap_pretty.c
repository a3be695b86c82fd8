#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "tap.h"

enum {
    SHORT_BYTES = 24,  /* binary within a line */
    DUMP_BYTES = 4096, /* below it */
    TOPIC_MOST = 32,
    INDENT = 14 /* a dump stands under the endpoint */
};

static const char *paint(const struct tap_pretty *p, const char *code) {
    return p->colour ? code : "";
}

void tap_hexdump(struct buf *b, const uint8_t *p, size_t n, int indent) {
    for (size_t at = 0; at < n; at += 16) {
        buf_printf(b, "%*s%08zx ", indent, "", at);
        for (size_t i = at; i < at + 16; i++) {
            if (i % 8 == 0)
                buf_putc(b, ' ');
            if (i < n)
                buf_printf(b, "%02x ", p[i]);
            else
                buf_puts(b, "   ");
        }
        buf_puts(b, " |");
        for (size_t i = at; i < at + 16 && i < n; i++)
            buf_putc(b, isprint(p[i]) ? (char)p[i] : '.');
        buf_puts(b, "|\n");
    }
}

static void put_short(struct buf *b, const struct mp_value *v) {
    size_t n = v->len < SHORT_BYTES ? v->len : SHORT_BYTES;
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%02x", v->p[i]);
    if (v->len > n)
        buf_printf(b, "... (%u bytes)", v->len);
}

/* Keys come from outside: what is not plain is shown as JSON shows it. */
static void put_key(const struct tap_pretty *p, struct buf *b, const struct mp_value *key) {
    bool plain = true;
    for (uint32_t i = 0; i < key->len; i++)
        plain = plain && isgraph(key->p[i]);
    buf_puts(b, paint(p, "\033[2m"));
    if (plain)
        buf_put(b, key->p, key->len);
    else
        json_put_str(b, (const char *)key->p, key->len);
    buf_printf(b, "%s ", paint(p, "\033[0m"));
}

/* A key of the body. Binary that follows further in is base64, as in JSON. */
static bool put_pair(const struct tap_pretty *p, struct buf *b, struct mp_cursor *c) {
    struct mp_value key, v;
    if (mp_read(c, &key) != 1 || key.type != MP_STR)
        return false;
    put_key(p, b, &key);
    struct mp_cursor at = *c;
    if (mp_read(&at, &v) != 1 || v.type != MP_BIN)
        return json_from_mp(b, c, &(struct json_style){true, JSON_BIN_BASE64}) == 1;
    *c = at;
    if (p->hex)
        buf_printf(b, "(%u bytes)", v.len);
    else
        put_short(b, &v);
    return true;
}

static void put_body(const struct tap_pretty *p, struct buf *b, const struct msg *m) {
    struct mp_cursor c = {m->body, m->body + m->body_len}, whole = c;
    struct mp_value map;
    size_t before = buf_len(b);
    mp_read(&c, &map);
    for (uint32_t i = 0; i < map.len; i++) {
        if (i)
            buf_puts(b, "  ");
        if (!put_pair(p, b, &c)) {
            b->end = b->start + before;
            json_from_mp(b, &whole, &(struct json_style){true, JSON_BIN_BASE64});
            return;
        }
    }
}

static void put_dumps(struct buf *b, const struct msg *m) {
    struct mp_cursor c = {m->body, m->body + m->body_len};
    struct mp_value map, key, v;
    mp_read(&c, &map);
    for (uint32_t i = 0; i < map.len && mp_read(&c, &key) == 1; i++) {
        struct mp_cursor at = c;
        if (mp_skip(&c) != 1 || mp_read(&at, &v) != 1 || v.type != MP_BIN)
            continue;
        size_t n = v.len < DUMP_BYTES ? v.len : DUMP_BYTES;
        tap_hexdump(b, v.p, n, INDENT);
        if (n < v.len)
            buf_printf(b, "%*s... %zu bytes more\n", INDENT, "", (size_t)v.len - n);
    }
}

static void widen(int *width, size_t n, int most) {
    if ((int)n > *width)
        *width = (int)n < most ? (int)n : most;
}

void tap_pretty(struct tap_pretty *p, struct buf *b, const char *from, const struct msg *m) {
    if (!p->first_ns)
        p->first_ns = m->time;
    widen(&p->from_width, strlen(from), TOPIC_MOST);
    widen(&p->topic_width, m->topic_len, TOPIC_MOST);
    int64_t since = (int64_t)(m->time - p->first_ns);
    buf_printf(b, "%s%+12.6f%s  %-*s  %s%-*.*s%s %s#%-6llu%s ", paint(p, "\033[32m"),
               (double)since / 1e9, paint(p, "\033[0m"), p->from_width, from,
               paint(p, "\033[1;36m"), p->topic_width, (int)m->topic_len, m->topic,
               paint(p, "\033[0m"), paint(p, "\033[2m"), (unsigned long long)m->seq,
               paint(p, "\033[0m"));
    put_body(p, b, m);
    buf_putc(b, '\n');
    if (p->hex)
        put_dumps(b, m);
}
