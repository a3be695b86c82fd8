#include "settings.h"

#include <math.h>
#include <string.h>

#include "json.h"

#define AT(field_) offsetof(struct camsettings, field_)

/* Limits: campacket.md, section 4. */
const struct setting settings_table[SETTINGS] = {
    {"shutter", "us", AT(shutter_us), 0, 41600, 1, 10000},
    {"gain", "", AT(gain), 0, 16, 1, 1},
    {"awb_red", "", AT(awb_red), 0, 32, 0, 1},
    {"awb_blue", "", AT(awb_blue), 0, 32, 0, 1},
    {"contrast", "", AT(contrast), 0, 32, 0, 1},
    {"brightness", "", AT(brightness), -1, 1, 0, 0}};

void settings_standard(struct camsettings *s) {
    for (size_t i = 0; i < SETTINGS; i++)
        *settings_value(s, i) = settings_table[i].standard;
}

static int check_one(const struct setting *t, double v, struct err *e) {
    if (!(v >= t->min && v <= t->max))
        return err_set(e, CAUSE_USAGE, "%s %g: must be %g to %g", t->name, v, t->min, t->max);
    if (t->step > 0 && v != floor(v))
        return err_set(e, CAUSE_USAGE, "%s %g: must be a whole number", t->name, v);
    return 0;
}

int settings_check(const struct camsettings *s, unsigned mask, struct err *e) {
    struct camsettings copy = *s;
    for (size_t i = 0; i < SETTINGS; i++)
        if (mask >> i & 1 && check_one(&settings_table[i], *settings_value(&copy, i), e) < 0)
            return -1;
    return 0;
}

bool settings_merge(struct camsettings *s, const struct camsettings *from, unsigned mask) {
    struct camsettings copy = *from;
    bool changed = false;
    for (size_t i = 0; i < SETTINGS; i++) {
        double *v = settings_value(s, i), *w = settings_value(&copy, i);
        if (!(mask >> i & 1) || *v == *w)
            continue;
        *v = *w;
        changed = true;
    }
    return changed;
}

/* ---- maps ---- */

static int number_of(const struct mp_value *v, const char *name, double *out, struct err *e) {
    if (v->type == MP_UINT)
        *out = (double)v->u;
    else if (v->type == MP_INT)
        *out = (double)v->i;
    else if (v->type == MP_DOUBLE)
        *out = v->d;
    else
        return err_set(e, CAUSE_USAGE, "%s: is no number", name);
    return 0;
}

static int take_pair(struct mp_cursor *c, const char *other, struct camsettings *s, unsigned *mask,
                     struct err *e) {
    struct mp_value key, value;
    const char *text;
    if (mp_read(c, &key) != 1 || key.type != MP_STR)
        return err_set(e, CAUSE_USAGE, "a key is no text");
    text = (const char *)key.p;
    struct mp_cursor at = *c;
    if (mp_read(&at, &value) != 1 || mp_skip(c) != 1)
        return err_set(e, CAUSE_USAGE, "a value is missing");
    for (size_t i = 0; i < SETTINGS; i++) {
        if (!mp_is(&key, settings_table[i].name))
            continue;
        *mask |= 1u << i;
        return number_of(&value, settings_table[i].name, settings_value(s, i), e);
    }
    if (other && mp_is(&key, other))
        return 0;
    return err_set(e, CAUSE_USAGE,
                   "unknown setting \"%.*s\" (there are shutter, gain, awb_red, awb_blue, contrast "
                   "and brightness)",
                   key.len < 40 ? (int)key.len : 40, text);
}

int settings_from_map(const uint8_t *p, size_t n, const char *other, struct camsettings *s,
                      unsigned *mask, struct err *e) {
    struct mp_cursor c = {p, p + n};
    struct mp_value head;
    *mask = 0;
    if (mp_read(&c, &head) != 1 || head.type != MP_MAP)
        return err_set(e, CAUSE_USAGE, "settings must be an object, {\"gain\": 2}");
    for (uint32_t i = 0; i < head.len; i++)
        if (take_pair(&c, other, s, mask, e) < 0)
            return -1;
    return settings_check(s, *mask, e);
}

static void write_value(const struct setting *t, double v, void (*whole)(struct buf *, uint64_t),
                        void (*real)(struct buf *, double), struct buf *b) {
    if (t->step > 0)
        whole(b, (uint64_t)v);
    else
        real(b, v);
}

void settings_put(struct buf *b, const struct camsettings *s) {
    struct camsettings copy = *s;
    for (size_t i = 0; i < SETTINGS; i++) {
        mp_put_str(b, settings_table[i].name);
        write_value(&settings_table[i], *settings_value(&copy, i), mp_put_uint, mp_put_double, b);
    }
}

/* ---- files ---- */

void settings_text(struct buf *b, const struct camsettings *s) {
    struct camsettings copy = *s;
    for (size_t i = 0; i < SETTINGS; i++) {
        buf_printf(b, "%s\"%s\": ", i ? ", " : "{", settings_table[i].name);
        write_value(&settings_table[i], *settings_value(&copy, i), json_put_uint, json_put_double,
                    b);
    }
    buf_puts(b, "}\n");
}

int settings_read(const char *text, size_t n, struct camsettings *s, struct err *e) {
    struct buf map = {0};
    struct camsettings got;
    unsigned mask;
    settings_standard(&got);
    int r = json_to_mp(&map, text, n, e);
    if (r == 0)
        r = settings_from_map(buf_data(&map), buf_len(&map), NULL, &got, &mask, e);
    if (r == 0)
        *s = got;
    buf_free(&map);
    return r;
}
