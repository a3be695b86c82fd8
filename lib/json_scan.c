#include "json_scan.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

/* A read position; what went wrong first, and where. */
struct scan {
    const char *start, *at, *end;
    const char *fault;
};

static bool wrong(struct scan *s, const char *fault) {
    if (!s->fault)
        s->fault = fault;
    return false;
}

static void skip_blanks(struct scan *s) {
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static bool is_next(const struct scan *s, char c) {
    return s->at < s->end && *s->at == c;
}

static bool take(struct scan *s, char c) {
    if (!is_next(s, c))
        return false;
    s->at++;
    return true;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static int hex(char c) {
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ---- values ---- */

static bool take_escape(struct scan *s) {
    if (s->at < s->end && *s->at && strchr("\"\\/bfnrt", *s->at)) {
        s->at++;
        return true;
    }
    if (!take(s, 'u'))
        return wrong(s, "no such escape");
    for (int i = 0; i < 4; i++, s->at++)
        if (s->at == s->end || hex(*s->at) < 0)
            return wrong(s, "\\u needs four hexadecimal digits");
    return true;
}

static bool take_string(struct scan *s) {
    if (!take(s, '"'))
        return wrong(s, "a string in double quotes is wanted");
    while (s->at < s->end) {
        char c = *s->at++;
        if (c == '"')
            return true;
        if (c == '\\' && !take_escape(s))
            return false;
        if ((uint8_t)c < 0x20) {
            s->at--;
            return wrong(s, "a control character in a string");
        }
    }
    return wrong(s, "the text ends inside a string");
}

static bool take_digits(struct scan *s) {
    const char *from = s->at;
    while (s->at < s->end && is_digit(*s->at))
        s->at++;
    return s->at > from || wrong(s, "a digit is wanted");
}

static bool take_number(struct scan *s) {
    take(s, '-');
    if (!take(s, '0') && !take_digits(s))
        return false;
    if (take(s, '.') && !take_digits(s))
        return false;
    if (!take(s, 'e') && !take(s, 'E'))
        return true;
    if (!take(s, '+'))
        take(s, '-');
    return take_digits(s);
}

static bool take_word(struct scan *s, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
        return wrong(s, "this is no JSON value");
    s->at += n;
    return true;
}

static bool take_value(struct scan *s, struct json_raw *v, int depth);

/* Between members or items: true = one more follows. *ok: the rest is well-formed so far. */
static bool more(struct scan *s, char close, bool *ok) {
    skip_blanks(s);
    if (take(s, ','))
        return true;
    *ok = take(s, close) || wrong(s, "a comma or the closing bracket is wanted");
    return false;
}

static bool take_array(struct scan *s, int depth) {
    struct json_raw item;
    bool ok = true;
    s->at++;
    skip_blanks(s);
    if (take(s, ']'))
        return true;
    do {
        if (!take_value(s, &item, depth + 1))
            return false;
    } while (more(s, ']', &ok));
    return ok;
}

static bool take_member(struct scan *s, struct json_member *m, int depth) {
    skip_blanks(s);
    m->key = s->at;
    if (!take_string(s))
        return false;
    m->key_len = (size_t)(s->at - m->key);
    skip_blanks(s);
    if (!take(s, ':'))
        return wrong(s, "a colon is wanted");
    return take_value(s, &m->value, depth + 1);
}

/* o: where the members are kept; NULL = nowhere. */
static bool take_object(struct scan *s, struct json_object *o, int depth) {
    struct json_member one;
    bool ok = true;
    s->at++;
    skip_blanks(s);
    if (take(s, '}'))
        return true;
    do {
        if (o && o->n == JSON_SCAN_KEYS)
            return wrong(s, "more than 128 keys");
        if (!take_member(s, o ? &o->item[o->n++] : &one, depth))
            return false;
    } while (more(s, '}', &ok));
    return ok;
}

static bool take_kind(struct scan *s, struct json_raw *v, int depth) {
    switch (*s->at) {
    case '{':
        v->kind = RAW_OBJECT;
        return take_object(s, NULL, depth);
    case '[':
        v->kind = RAW_ARRAY;
        return take_array(s, depth);
    case '"':
        v->kind = RAW_STRING;
        return take_string(s);
    case 'n':
        v->kind = RAW_NULL;
        return take_word(s, "null");
    case 't':
        v->kind = RAW_TRUE;
        return take_word(s, "true");
    case 'f':
        v->kind = RAW_FALSE;
        return take_word(s, "false");
    default:
        v->kind = RAW_NUMBER;
        return *s->at == '-' || is_digit(*s->at) ? take_number(s)
                                                 : wrong(s, "this is no JSON value");
    }
}

static bool take_value(struct scan *s, struct json_raw *v, int depth) {
    skip_blanks(s);
    if (s->at == s->end)
        return wrong(s, "the text ends where a value is wanted");
    if (depth > JSON_SCAN_DEPTH)
        return wrong(s, "nested too deeply");
    v->p = s->at;
    if (!take_kind(s, v, depth))
        return false;
    v->n = (size_t)(s->at - v->p);
    return true;
}

int json_scan(struct json_object *o, const char *text, size_t n, struct err *e) {
    struct scan s = {.start = text, .at = text, .end = text + n};
    o->n = 0;
    if (!utf8_valid(text, n))
        return err_set(e, CAUSE_PROTOCOL, "the text is not UTF-8");
    skip_blanks(&s);
    if (!is_next(&s, '{')) {
        wrong(&s, "a JSON object is wanted");
    } else if (take_object(&s, o, 0)) {
        skip_blanks(&s);
        if (s.at == s.end)
            return 0;
        wrong(&s, "something follows the object");
    }
    o->n = 0;
    return err_set(e, CAUSE_PROTOCOL, "byte %zu: %s", (size_t)(s.at - s.start) + 1, s.fault);
}

/* ---- looking at values ---- */

static unsigned four_hex(const char *p) {
    return (unsigned)(hex(p[0]) << 12 | hex(p[1]) << 8 | hex(p[2]) << 4 | hex(p[3]));
}

/* One escape behind its backslash; the code point and how many bytes it took. The text is
 * well-formed: a closing quote follows. */
static unsigned escape(const char *p, size_t *took) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    *took = 1;
    if (*p != 'u')
        return (uint8_t)to[strchr(from, *p) - from];
    unsigned c = four_hex(p + 1), low;
    *took = 5;
    if ((c & 0xfc00) != 0xd800 || p[5] != '\\' || p[6] != 'u')
        return c;
    low = four_hex(p + 7);
    if ((low & 0xfc00) != 0xdc00)
        return c;
    *took = 11;
    return 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
}

bool json_key_is(const struct json_member *m, const char *name) {
    const char *p = m->key + 1, *end = m->key + m->key_len - 1;
    for (; p < end && *name; name++) {
        size_t took = 0;
        unsigned c = *p == '\\' ? escape(p + 1, &took) : (uint8_t)*p;
        if (c != (uint8_t)*name)
            return false;
        p += 1 + took;
    }
    return p == end && !*name;
}

const struct json_raw *json_get(const struct json_object *o, const char *name) {
    for (size_t i = o->n; i-- > 0;)
        if (json_key_is(&o->item[i], name))
            return &o->item[i].value;
    return NULL;
}

/* The UTF-8 of a code point; 0 for one that is none (NUL, half a pair). */
static size_t encode(unsigned c, char out[4]) {
    if (c == 0 || (c & ~0x7ffu) == 0xd800)
        return 0;
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    static const uint8_t head[] = {0, 0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(head[n] | c);
    return n;
}

bool json_raw_text(const struct json_raw *v, char *out, size_t size) {
    if (!v || v->kind != RAW_STRING)
        return false;
    const char *p = v->p + 1, *end = v->p + v->n - 1;
    size_t at = 0, took;
    while (p < end) {
        char one[4] = {*p};
        size_t n = 1;
        if (*p++ == '\\') {
            n = encode(escape(p, &took), one);
            p += took;
        }
        if (n == 0 || at + n >= size)
            return false;
        memcpy(out + at, one, n);
        at += n;
    }
    if (at >= size)
        return false;
    out[at] = 0;
    return true;
}

/* No number that means anything here is longer. */
enum { NUMBER_TEXT = 64 };

bool json_raw_number(const struct json_raw *v, double *d) {
    char text[NUMBER_TEXT];
    if (!v || v->kind != RAW_NUMBER || v->n >= sizeof text)
        return false;
    memcpy(text, v->p, v->n);
    text[v->n] = 0;
    *d = strtod(text, NULL);
    return isfinite(*d);
}
