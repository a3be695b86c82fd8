#include "msg.h"

#include <string.h>
#include <time.h>

/* First bytes of values; every encoder writes the array and the topic in their shortest form. */
enum { ARRAY_OF_4 = 0x94, FIXSTR = 0xa0, UINT8 = 0xcc, INT64 = 0xd3, STR8 = 0xd9 };

static uint64_t clock_ns(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t clock_wall_ns(void) {
    return clock_ns(CLOCK_REALTIME);
}

uint64_t clock_mono_ns(void) {
    return clock_ns(CLOCK_MONOTONIC);
}

static bool topic_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

bool msg_topic_valid(const char *t, size_t n) {
    if (n == 0 || n > MSG_TOPIC_MAX || t[0] == '.' || t[n - 1] == '.')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!topic_byte(t[i]) || (t[i] == '.' && t[i - 1] == '.'))
            return false;
    return true;
}

/* Whether the bytes at hand can begin field i of the head. What cannot is damage now: waiting for
 * the end of whatever it announces could mean waiting for gigabytes. */
static bool field_may_begin(const struct mp_cursor *c, int i) {
    uint8_t b = *c->at;
    if (i == 0)
        return b == ARRAY_OF_4;
    if (i == 1 && b == STR8)
        return c->end - c->at < 2 || c->at[1] <= MSG_TOPIC_MAX;
    if (i == 1)
        return (b & 0xe0) == FIXSTR;
    return b < 0x80 || (b >= UINT8 && b <= INT64);
}

static int parse_head(struct mp_cursor *c, struct msg *m) {
    struct mp_value v[4];
    static const enum mp_type want[4] = {MP_ARRAY, MP_STR, MP_UINT, MP_UINT};
    for (int i = 0; i < 4; i++) {
        if (c->at < c->end && !field_may_begin(c, i))
            return -1;
        int r = mp_read(c, &v[i]);
        if (r != 1)
            return r;
        if (v[i].type != want[i])
            return -1;
        if (i == 1 && !msg_topic_valid((const char *)v[1].p, v[1].len))
            return -1;
    }
    m->topic = (const char *)v[1].p;
    m->topic_len = v[1].len;
    m->time = v[2].u;
    m->seq = v[3].u;
    return 1;
}

static bool is_map(uint8_t b) {
    return (b & 0xf0) == 0x80 || b == 0xde || b == 0xdf;
}

long msg_parse(const uint8_t *p, size_t n, struct msg *m) {
    struct mp_cursor c = {p, p + n};
    int r = parse_head(&c, m);
    if (r != 1)
        return r;
    if (c.at == c.end)
        return 0;
    if (!is_map(*c.at))
        return -1;
    m->body = c.at;
    r = mp_skip(&c);
    if (r == 0 && n > MSG_MAX)
        return -1;
    if (r != 1)
        return r;
    m->body_len = (size_t)(c.at - m->body);
    m->raw = p;
    m->raw_len = (size_t)(c.at - p);
    return m->raw_len > MSG_MAX ? -1 : (long)m->raw_len;
}

static bool may_begin(const uint8_t *p, size_t n) {
    if (n < 2)
        return true;
    if (p[1] == STR8)
        return n < 4 || topic_byte((char)p[3]);
    if ((p[1] & 0xe0) != FIXSTR || p[1] == FIXSTR)
        return false;
    return n < 3 || topic_byte((char)p[2]);
}

size_t msg_resync(const uint8_t *p, size_t n) {
    for (size_t i = 1; i < n; i++) {
        const uint8_t *q = memchr(p + i, ARRAY_OF_4, n - i);
        if (!q)
            return n;
        i = (size_t)(q - p);
        if (may_begin(q, n - i))
            return i;
    }
    return n;
}

void msg_put_head(struct buf *b, const char *topic, size_t topic_len, uint64_t time, uint64_t seq) {
    buf_putc(b, (char)ARRAY_OF_4);
    mp_put_strn(b, topic, topic_len);
    mp_put_uint(b, time);
    mp_put_uint(b, seq);
}

bool msg_is(const struct msg *m, const char *s) {
    size_t n = strlen(s);
    return m->topic_len == n && memcmp(m->topic, s, n) == 0;
}

bool msg_has_prefix(const struct msg *m, const char *prefix) {
    size_t n = strlen(prefix);
    return m->topic_len >= n && memcmp(m->topic, prefix, n) == 0;
}
