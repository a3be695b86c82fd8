#include "mp.h"

#include <string.h>

static uint64_t big_endian(const uint8_t *p, unsigned n) {
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static void set_int(struct mp_value *v, int64_t i) {
    v->type = i < 0 ? MP_INT : MP_UINT;
    v->i = i;
}

static void set_float(struct mp_value *v, const uint8_t *p, unsigned n) {
    v->type = MP_DOUBLE;
    uint64_t bits = big_endian(p, n);
    if (n == 4) {
        uint32_t b32 = (uint32_t)bits;
        float f;
        memcpy(&f, &b32, sizeof f);
        v->d = (double)f;
    } else {
        memcpy(&v->d, &bits, sizeof v->d);
    }
}

/* How a type byte from 0xc0 to 0xdf continues: bytes of number or length that follow it. */
enum kind {
    K_NIL,
    K_BAD,
    K_BOOL,
    K_BIN,
    K_EXT,
    K_FLOAT,
    K_UINT,
    K_INT,
    K_FIXEXT,
    K_STR,
    K_ARRAY,
    K_MAP
};
static const struct {
    uint8_t kind, bytes;
} table[32] = {
    {K_NIL, 0},     {K_BAD, 0},  {K_BOOL, 0},   {K_BOOL, 0},   {K_BIN, 1},    {K_BIN, 2},
    {K_BIN, 4},     {K_EXT, 1},  {K_EXT, 2},    {K_EXT, 4},    {K_FLOAT, 4},  {K_FLOAT, 8},
    {K_UINT, 1},    {K_UINT, 2}, {K_UINT, 4},   {K_UINT, 8},   {K_INT, 1},    {K_INT, 2},
    {K_INT, 4},     {K_INT, 8},  {K_FIXEXT, 1}, {K_FIXEXT, 2}, {K_FIXEXT, 4}, {K_FIXEXT, 8},
    {K_FIXEXT, 16}, {K_STR, 1},  {K_STR, 2},    {K_STR, 4},    {K_ARRAY, 2},  {K_ARRAY, 4},
    {K_MAP, 2},     {K_MAP, 4},
};

/* Take the n bytes of a string, binary or extension that begin at p. */
static int take_bytes(struct mp_cursor *c, struct mp_value *v, enum mp_type t, const uint8_t *p,
                      uint64_t n) {
    if ((uint64_t)(c->end - p) < n)
        return 0;
    v->type = t;
    v->len = (uint32_t)n;
    v->p = p;
    c->at = p + n;
    return 1;
}

static int take_ext(struct mp_cursor *c, struct mp_value *v, const uint8_t *p, uint64_t n) {
    if (p == c->end)
        return 0;
    v->ext = (int8_t)*p;
    return take_bytes(c, v, MP_EXT, p + 1, n);
}

static int read_fixed(struct mp_cursor *c, struct mp_value *v, uint8_t b) {
    const uint8_t *p = c->at + 1;
    if (b >= 0xa0 && b < 0xc0)
        return take_bytes(c, v, MP_STR, p, b & 0x1f);
    if (b < 0x80 || b >= 0xe0) {
        set_int(v, (int8_t)b);
    } else {
        v->type = b < 0x90 ? MP_MAP : MP_ARRAY;
        v->len = b & 0x0f;
    }
    c->at = p;
    return 1;
}

static int64_t sign_extend(uint64_t u, unsigned bytes) {
    unsigned shift = 64 - 8 * bytes;
    return (int64_t)(u << shift) >> shift;
}

static int read_sized(struct mp_cursor *c, struct mp_value *v, uint8_t b) {
    enum kind kind = table[b - 0xc0].kind;
    unsigned n = table[b - 0xc0].bytes;
    const uint8_t *p = c->at + 1;
    if (kind == K_FIXEXT)
        return take_ext(c, v, p, n);
    if ((size_t)(c->end - p) < n)
        return 0;
    uint64_t u = big_endian(p, n);
    const uint8_t *after = p + n;
    switch (kind) {
    case K_BAD:
        return -1;
    case K_STR:
        return take_bytes(c, v, MP_STR, after, u);
    case K_BIN:
        return take_bytes(c, v, MP_BIN, after, u);
    case K_EXT:
        return take_ext(c, v, after, u);
    case K_NIL:
        v->type = MP_NIL;
        break;
    case K_BOOL:
        v->type = MP_BOOL;
        v->b = b & 1;
        break;
    case K_FLOAT:
        set_float(v, p, n);
        break;
    case K_UINT:
        v->type = MP_UINT;
        v->u = u;
        break;
    case K_INT:
        set_int(v, sign_extend(u, n));
        break;
    default:
        v->type = kind == K_MAP ? MP_MAP : MP_ARRAY;
        v->len = (uint32_t)u;
    }
    c->at = after;
    return 1;
}

int mp_read(struct mp_cursor *c, struct mp_value *v) {
    if (c->at >= c->end)
        return 0;
    uint8_t b = *c->at;
    return b >= 0xc0 && b < 0xe0 ? read_sized(c, v, b) : read_fixed(c, v, b);
}

static int skip_at(struct mp_cursor *c, int depth) {
    struct mp_value v;
    int r = mp_read(c, &v);
    if (r != 1 || (v.type != MP_ARRAY && v.type != MP_MAP))
        return r;
    if (depth == 0)
        return -1;
    uint64_t items = v.type == MP_MAP ? 2 * (uint64_t)v.len : v.len;
    for (; items && r == 1; items--)
        r = skip_at(c, depth - 1);
    return r;
}

int mp_skip(struct mp_cursor *c) {
    struct mp_cursor at = *c;
    int r = skip_at(&at, MP_DEPTH_MAX);
    if (r == 1)
        *c = at;
    return r;
}

bool mp_is(const struct mp_value *v, const char *s) {
    size_t n = strlen(s);
    return v->type == MP_STR && v->len == n && memcmp(v->p, s, n) == 0;
}

bool mp_find(const uint8_t *p, size_t n, const char *key, struct mp_value *v,
             struct mp_cursor *at) {
    struct mp_cursor c = {p, p + n};
    struct mp_value map, k;
    if (mp_read(&c, &map) != 1 || map.type != MP_MAP)
        return false;
    for (uint32_t i = 0; i < map.len; i++) {
        struct mp_cursor key_at = c;
        if (mp_read(&c, &k) != 1)
            return false;
        if (mp_is(&k, key)) {
            if (at)
                *at = c;
            return mp_read(&c, v) == 1;
        }
        if (k.type == MP_ARRAY || k.type == MP_MAP)
            c = key_at;
        if ((k.type == MP_ARRAY || k.type == MP_MAP) && mp_skip(&c) != 1)
            return false;
        if (mp_skip(&c) != 1)
            return false;
    }
    return false;
}

bool mp_get_uint(const uint8_t *p, size_t n, const char *key, uint64_t *out) {
    struct mp_value v;
    if (!mp_find(p, n, key, &v, NULL) || v.type != MP_UINT)
        return false;
    *out = v.u;
    return true;
}

bool mp_get_int(const uint8_t *p, size_t n, const char *key, int64_t *out) {
    struct mp_value v;
    if (!mp_find(p, n, key, &v, NULL))
        return false;
    if (v.type != MP_INT && (v.type != MP_UINT || v.u > INT64_MAX))
        return false;
    *out = v.i;
    return true;
}

bool mp_get_bool(const uint8_t *p, size_t n, const char *key, bool *out) {
    struct mp_value v;
    if (!mp_find(p, n, key, &v, NULL) || v.type != MP_BOOL)
        return false;
    *out = v.b;
    return true;
}

bool mp_get_double(const uint8_t *p, size_t n, const char *key, double *out) {
    struct mp_value v;
    if (!mp_find(p, n, key, &v, NULL))
        return false;
    if (v.type == MP_DOUBLE)
        *out = v.d;
    else if (v.type == MP_UINT)
        *out = (double)v.u;
    else if (v.type == MP_INT)
        *out = (double)v.i;
    else
        return false;
    return true;
}

static bool get_bytes(const uint8_t *p, size_t n, const char *key, enum mp_type t,
                      const uint8_t **s, size_t *len) {
    struct mp_value v;
    if (!mp_find(p, n, key, &v, NULL) || v.type != t)
        return false;
    *s = v.p;
    *len = v.len;
    return true;
}

bool mp_get_str(const uint8_t *p, size_t n, const char *key, const char **s, size_t *len) {
    const uint8_t *bytes;
    if (!get_bytes(p, n, key, MP_STR, &bytes, len))
        return false;
    *s = (const char *)bytes;
    return true;
}

bool mp_get_bin(const uint8_t *p, size_t n, const char *key, const uint8_t **s, size_t *len) {
    return get_bytes(p, n, key, MP_BIN, s, len);
}

bool mp_get_cstr(const uint8_t *p, size_t n, const char *key, char *out, size_t size) {
    const char *s;
    size_t len;
    if (!mp_get_str(p, n, key, &s, &len) || len >= size || memchr(s, 0, len))
        return false;
    memcpy(out, s, len);
    out[len] = 0;
    return true;
}
