#include "campacket.h"

#include <string.h>

static const uint8_t MAGIC[2] = {0x00, 0xFF};

/* ---- packets ---- */

static uint8_t checksum(const uint8_t *p, size_t n) {
    uint8_t x = 0;
    for (size_t i = 0; i < n; i++)
        x ^= p[i];
    return x;
}

/* Bytes in front of the next magic, or of a last byte that may be the first half of one. */
static size_t garbage_len(const uint8_t *p, size_t n) {
    size_t at = 0;
    while (at < n && !(p[at] == MAGIC[0] && (at + 1 == n || p[at + 1] == MAGIC[1])))
        at++;
    return at;
}

enum campacket_found campacket_next(const uint8_t *p, size_t n, size_t max, struct campacket *out,
                                    size_t *used) {
    *used = garbage_len(p, n);
    if (*used)
        return CAMPACKET_GARBAGE;
    if (n < CAMPACKET_HEAD)
        return CAMPACKET_MORE;
    size_t len = (size_t)p[4] << 8 | p[5];
    if (len > max) {
        *used = sizeof MAGIC;
        return CAMPACKET_LONG;
    }
    if (n < CAMPACKET_OVERHEAD + len)
        return CAMPACKET_MORE;
    if (checksum(p, CAMPACKET_HEAD + len) != p[CAMPACKET_HEAD + len]) {
        *used = sizeof MAGIC;
        return CAMPACKET_CHECKSUM;
    }
    *out = (struct campacket){.id = p[2], .type = p[3], .payload = p + CAMPACKET_HEAD, .len = len};
    *used = CAMPACKET_OVERHEAD + len;
    return CAMPACKET_OK;
}

size_t campacket_put(uint8_t *out, uint8_t id, uint8_t type, const void *payload, size_t n) {
    memcpy(out, MAGIC, sizeof MAGIC);
    out[2] = id;
    out[3] = type;
    out[4] = (uint8_t)(n >> 8);
    out[5] = (uint8_t)n;
    if (n)
        memcpy(out + CAMPACKET_HEAD, payload, n);
    out[CAMPACKET_HEAD + n] = checksum(out, CAMPACKET_HEAD + n);
    return CAMPACKET_OVERHEAD + n;
}

/* ---- data stream ---- */

void campacket_data(uint8_t out[CAMPACKET_DATA], uint8_t value, uint64_t time_ms) {
    out[0] = value;
    for (int i = 0; i < 8; i++)
        out[1 + i] = (uint8_t)(time_ms >> (56 - 8 * i));
}

bool campacket_data_read(const uint8_t *p, size_t n, uint8_t *value, uint64_t *time_ms) {
    if (n != CAMPACKET_DATA)
        return false;
    *value = p[0];
    *time_ms = 0;
    for (int i = 0; i < 8; i++)
        *time_ms = *time_ms << 8 | p[1 + i];
    return true;
}

/* ---- settings ---- */

/* Whole part of a number, of which a byte shows the low 8 bits. The hair that is added makes up for
 * what binary fractions leave out: (1 / 127.5 - 1 + 1) * 127.5 is 0.99999999999999, and a byte that
 * was set must be read back as it was. */
static uint8_t low_byte(double x) {
    static const double HAIR = 1e-6;
    double whole = x < 0 ? x - HAIR : x + HAIR;
    return whole > -1e15 && whole < 1e15 ? (uint8_t)(uint64_t)(int64_t)whole : 0;
}

void camsettings_put(uint8_t out[CAMPACKET_SETTINGS], const struct camsettings *s) {
    memset(out, 0, CAMPACKET_SETTINGS);
    out[0] = low_byte(s->shutter_us / 100);
    out[1] = low_byte(s->gain);
    out[2] = low_byte(s->awb_red * 10);
    out[3] = low_byte(s->awb_blue * 10);
    out[4] = low_byte(s->contrast * 10);
    out[5] = low_byte((s->brightness + 1.0) * 127.5);
}

void camsettings_get(const uint8_t p[CAMPACKET_SETTINGS_SET], struct camsettings *s) {
    *s = (struct camsettings){.shutter_us = p[0] * 100.0,
                              .gain = p[1],
                              .awb_red = p[2] / 10.0,
                              .awb_blue = p[3] / 10.0,
                              .contrast = p[4] / 10.0,
                              .brightness = p[5] / 127.5 - 1.0};
}
