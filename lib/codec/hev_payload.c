#include "hev.h"

#include <math.h>
#include <string.h>

/* ---- numbers on the wire ---- */

static uint32_t uint_get(const uint8_t *p, size_t bytes) {
    uint32_t v = 0;
    for (size_t i = bytes; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static void uint_put(uint8_t *p, size_t bytes, uint32_t v) {
    for (size_t i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static float float_of(uint32_t bits) {
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static uint32_t float_bits(float f) {
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

/* ---- fields ---- */

struct hev_value hev_field_get(const struct hev_field *f, const uint8_t *at) {
    struct hev_value v = {.form = f->form};
    switch (f->form) {
    case HEV_I8:
        v.i = (int8_t)at[0];
        break;
    case HEV_F32:
        v.f = (double)float_of(uint_get(at, 4));
        break;
    case HEV_TEXT:
        v.text.p = (const char *)at;
        v.text.len = strnlen(v.text.p, f->size);
        break;
    case HEV_PAD:
        break;
    default:
        v.u = uint_get(at, f->size);
    }
    return v;
}

/* The named field; *at is set to its offset. */
static const struct hev_field *field_find(const struct hev_layout *l, const char *name,
                                          size_t *at) {
    *at = 0;
    for (size_t i = 0; i < l->count; *at += l->fields[i++].size)
        if (l->fields[i].name && strcmp(l->fields[i].name, name) == 0)
            return &l->fields[i];
    return NULL;
}

static bool whole_within(double v, double low, double high) {
    return v >= low && v <= high && v == floor(v);
}

static bool number_put(const struct hev_field *f, uint8_t *at, double v) {
    switch (f->form) {
    case HEV_U8:
    case HEV_U16:
    case HEV_U32:
        if (!whole_within(v, 0, ldexp(1, 8 * f->size) - 1))
            return false;
        uint_put(at, f->size, (uint32_t)v);
        return true;
    case HEV_I8:
        if (!whole_within(v, -128, 127))
            return false;
        uint_put(at, 1, (uint32_t)(int32_t)v);
        return true;
    case HEV_F32:
        if (isfinite(v) && !isfinite((float)v))
            return false;
        uint_put(at, 4, float_bits((float)v));
        return true;
    default:
        return false;
    }
}

/* ---- payloads ---- */

size_t hev_payload_begin(uint8_t out[HEV_PAYLOAD_MAX], const struct hev_layout *l,
                         unsigned version) {
    memset(out, 0, l->bytes);
    hev_payload_set(out, l, "version", version & 0xFF);
    hev_payload_set(out, l, "payload_type", l->type);
    return l->bytes;
}

bool hev_payload_set(uint8_t *payload, const struct hev_layout *l, const char *name, double v) {
    size_t at;
    const struct hev_field *f = field_find(l, name, &at);
    return f && number_put(f, payload + at, v);
}

bool hev_payload_set_text(uint8_t *payload, const struct hev_layout *l, const char *name,
                          const char *s, size_t n) {
    size_t at;
    const struct hev_field *f = field_find(l, name, &at);
    if (!f || f->form != HEV_TEXT || n > f->size)
        return false;
    memset(payload + at, 0, f->size);
    memcpy(payload + at, s, n);
    return true;
}

static double value_number(const struct hev_value *v, double missing) {
    switch (v->form) {
    case HEV_U8:
    case HEV_U16:
    case HEV_U32:
        return v->u;
    case HEV_I8:
        return v->i;
    case HEV_F32:
        return v->f;
    default:
        return missing;
    }
}

double hev_payload_get(const uint8_t *payload, const struct hev_layout *l, const char *name,
                       double missing) {
    size_t at;
    const struct hev_field *f = field_find(l, name, &at);
    if (!f)
        return missing;
    struct hev_value v = hev_field_get(f, payload + at);
    return value_number(&v, missing);
}
