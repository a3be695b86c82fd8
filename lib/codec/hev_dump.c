#include "hev_dump.h"

#include <string.h>

enum { A0 = 0xA0, SIZE_BYTE = 0x1B };

static bool are_records(const uint8_t *p, size_t n) {
    return n >= HEV_DUMP_RECORD && p[0] == A0 && p[1] == SIZE_BYTE;
}

void hev_dump_init(struct hev_dump *d, const uint8_t *p, size_t n) {
    d->start = p;
    d->end = p + n;
    d->form = are_records(p, n) ? HEV_DUMP_RECORDS : HEV_DUMP_TEXT;
    hev_dump_rewind(d);
}

void hev_dump_rewind(struct hev_dump *d) {
    d->at = d->start;
    d->line = 0;
}

/* ---- what a payload is ---- */

/* Without a type byte the length tells DATA from ALARM; commands are not in dumps. */
static const struct hev_layout *layout_of(const struct hev_dump_payload *out) {
    const struct hev_layout *l = hev_layout_of(HEV_ADDR_DATA, out->data, out->len, NULL);
    return l ? l : hev_layout_of(HEV_ADDR_ALARM, out->data, out->len, NULL);
}

static int payload_know(struct hev_dump_payload *out, const char **why) {
    const struct hev_layout *l = layout_of(out);
    if (!l) {
        *why = "no known version, type and length";
        return -1;
    }
    double ms = hev_payload_get(out->data, l, "timestamp", -1);
    out->address = hev_type_address(l->type);
    out->timed = ms >= 0;
    out->ms = out->timed ? (uint32_t)ms : 0;
    return 1;
}

/* ---- records ---- */

static int record_next(struct hev_dump *d, struct hev_dump_payload *out, const char **why) {
    const uint8_t *p = d->at;
    size_t n = (size_t)(d->end - p);
    if (n == 0)
        return 0;
    out->line = ++d->line;
    d->at += n < HEV_DUMP_RECORD ? n : HEV_DUMP_RECORD;
    if (!are_records(p, n)) {
        *why = n < HEV_DUMP_RECORD ? "the last record is cut off" : "a record begins with A0 1B";
        return -1;
    }
    out->len = HEV_DUMP_RECORD - 1;
    out->data[0] = p[0];
    memcpy(out->data + 1, p + 2, out->len - 1);
    return payload_know(out, why);
}

/* ---- text ---- */

static int digit_value(uint8_t c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_take(struct hev_dump_payload *out, const uint8_t *p, size_t n) {
    if (n % 2 || n / 2 > sizeof out->data)
        return false;
    out->len = n / 2;
    for (size_t i = 0; i < out->len; i++) {
        int high = digit_value(p[2 * i]), low = digit_value(p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out->data[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next line without white space at its ends; false at the end of the file. */
static bool line_next(struct hev_dump *d, const uint8_t **line, size_t *n) {
    if (d->at == d->end)
        return false;
    const uint8_t *p = d->at, *lf = memchr(p, '\n', (size_t)(d->end - p));
    const uint8_t *stop = lf ? lf : d->end;
    d->at = lf ? lf + 1 : d->end;
    d->line++;
    while (p < stop && is_space(*p))
        p++;
    while (stop > p && is_space(stop[-1]))
        stop--;
    *line = p;
    *n = (size_t)(stop - p);
    return true;
}

static int text_next(struct hev_dump *d, struct hev_dump_payload *out, const char **why) {
    const uint8_t *p;
    size_t n = 0;
    while (line_next(d, &p, &n) && n == 0)
        ;
    if (n == 0)
        return 0;
    out->line = d->line;
    if (n < 4 || p[0] != 'b' || p[1] != '\'' || p[n - 1] != '\'' || !hex_take(out, p + 2, n - 3)) {
        *why = "not b'HEX' with whole bytes";
        return -1;
    }
    return payload_know(out, why);
}

int hev_dump_next(struct hev_dump *d, struct hev_dump_payload *out, const char **why) {
    const char *ignored;
    *out = (struct hev_dump_payload){0};
    return (d->form == HEV_DUMP_RECORDS ? record_next : text_next)(d, out, why ? why : &ignored);
}
