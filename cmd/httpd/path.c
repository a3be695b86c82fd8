#include "path.h"

#include <string.h>

static int hex(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One decoded byte at *raw, which moves on; -1 when it may not stand in a segment. */
static int next_byte(const char **raw, const char *end) {
    const char *s = *raw;
    int c = (unsigned char)*s;
    if (c == '%') {
        if (end - s < 3 || hex(s[1]) < 0 || hex(s[2]) < 0)
            return -1;
        c = hex(s[1]) * 16 + hex(s[2]);
        *raw = s + 3;
        return c == '/' ? -1 : c ? c : -1;
    }
    *raw = s + 1;
    return c ? c : -1;
}

static bool segment_ok(const char *s, size_t n) {
    return n > 0 && !(n == 1 && s[0] == '.') && !(n == 2 && s[0] == '.' && s[1] == '.');
}

/* Close the segment that ends at `end` of text. */
static bool close_segment(struct path *p, size_t end) {
    size_t start = p->at[p->n];
    if (p->n == PATH_SEGMENTS || !segment_ok(p->text + start, end - start))
        return false;
    p->len[p->n++] = (uint16_t)(end - start);
    return true;
}

bool path_parse(struct path *p, const char *raw, size_t n) {
    const char *end = raw + n;
    size_t o = 0;
    p->n = 0;
    p->at[0] = 0;
    p->text[0] = 0;
    p->slash = n > 1 && raw[n - 1] == '/';
    if (n == 0 || *raw != '/')
        return false;
    if (p->slash)
        end--;
    for (raw++; raw < end;) {
        int c = *raw == '/' ? (raw++, '/') : next_byte(&raw, end);
        if (c < 0 || o + 2 > PATH_BYTES || (c == '/' && !close_segment(p, o)))
            return false;
        p->text[o++] = (char)c;
        if (c == '/')
            p->at[p->n] = (uint16_t)o;
    }
    p->text[o] = 0;
    if (n > 1 && !close_segment(p, o))
        return false;
    p->at[p->n] = (uint16_t)o;
    return true;
}

const char *path_rest(const struct path *p, size_t i) {
    return i < p->n ? p->text + p->at[i] : "";
}
