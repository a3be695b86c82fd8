#include "espcam_text.h"

#include <math.h>
#include <nettle/sha2.h>
#include <string.h>

enum { SHA_DIGITS = 64, SUM_DIGITS = 16, HEAD = 5 /* HASH: */ };

/* Lower case only, as the cameras write it: a letter in upper case was damaged. */
static int hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t hex_run(const uint8_t *p, size_t n) {
    size_t i = 0;
    while (i < n && hex_digit(p[i]) >= 0)
        i++;
    return i;
}

bool espcam_text_is_end(const uint8_t *p, size_t n) {
    switch (n) {
    case 3:
        return memcmp(p, "EOF", 3) == 0;
    case 4:
        return memcmp(p, "EOF!", 4) == 0;
    case 11:
        return memcmp(p, "---EOF---\r\n", 11) == 0;
    default:
        return false;
    }
}

/* Digits of the token behind HASH:, 0 = there is none. */
static size_t token_digits(const uint8_t *p, size_t n) {
    size_t digits = hex_run(p + HEAD, n - HEAD);
    bool ends = HEAD + digits == n || p[HEAD + digits] == ',';
    return ends && (digits == SHA_DIGITS || digits == SUM_DIGITS) ? digits : 0;
}

bool espcam_text_is_hash(const uint8_t *p, size_t n, bool any) {
    if (n < HEAD || memcmp(p, "HASH:", HEAD) != 0)
        return false;
    return any || token_digits(p, n) > 0;
}

/* ---- token ---- */

static uint32_t hex_read(const uint8_t *p, size_t digits) {
    uint32_t v = 0;
    for (size_t i = 0; i < digits; i++)
        v = v << 4 | (uint32_t)hex_digit(p[i]);
    return v;
}

static void token_read(const uint8_t *p, size_t digits, struct espcam_token *t) {
    static const uint8_t zeros[32];
    if (digits == SUM_DIGITS) {
        t->kind = ESPCAM_TOKEN_SUM;
        t->size = hex_read(p, 8);
        t->sum = hex_read(p + 8, 8);
    } else if (digits == SHA_DIGITS) {
        for (size_t i = 0; i < sizeof t->sha256; i++)
            t->sha256[i] = (uint8_t)hex_read(p + 2 * i, 2);
        t->kind = memcmp(t->sha256, zeros, 32) == 0 ? ESPCAM_TOKEN_ABSENT : ESPCAM_TOKEN_SHA256;
    }
}

bool espcam_token_usable(const struct espcam_token *t) {
    return t->kind == ESPCAM_TOKEN_SHA256 || t->kind == ESPCAM_TOKEN_SUM;
}

bool espcam_token_equal(const struct espcam_token *a, const struct espcam_token *b) {
    if (a->kind != b->kind)
        return false;
    return a->kind == ESPCAM_TOKEN_SUM ? a->size == b->size && a->sum == b->sum
                                       : memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
}

/* Sum of all bytes: four lanes of 16 bits, which 128 steps of 510 at most do not overflow. */
static uint32_t bytes_sum(const uint8_t *p, size_t n) {
    const uint64_t even = 0x00FF00FF00FF00FFull;
    uint32_t sum = 0;
    while (n >= 8) {
        uint64_t lanes = 0, x;
        for (int i = 0; i < 128 && n >= 8; i++, p += 8, n -= 8) {
            memcpy(&x, p, sizeof x);
            lanes += (x & even) + (x >> 8 & even);
        }
        for (; lanes; lanes >>= 16)
            sum += lanes & 0xFFFF;
    }
    while (n > 0)
        sum += p[--n];
    return sum;
}

static bool sha256_is(const uint8_t *want, const uint8_t *p, size_t n) {
    struct sha256_ctx h;
    uint8_t got[SHA256_DIGEST_SIZE];
    sha256_init(&h);
    sha256_update(&h, n, p);
    sha256_digest(&h, sizeof got, got);
    return memcmp(got, want, sizeof got) == 0;
}

bool espcam_token_matches(const struct espcam_token *t, const uint8_t *p, size_t n) {
    if (t->kind == ESPCAM_TOKEN_SUM)
        return t->size == n && t->sum == bytes_sum(p, n);
    return sha256_is(t->sha256, p, n);
}

/* ---- sensors ---- */

void espcam_sensors_clear(struct espcam_sensors *s) {
    *s = (struct espcam_sensors){.voltage_percent = NAN, .temperature_c = NAN, .tds_v = NAN};
}

bool espcam_sensors_any(const struct espcam_sensors *s) {
    return !isnan(s->voltage_percent) || !isnan(s->temperature_c) || !isnan(s->tds_v) || s->time[0];
}

/* A number such as -4.25, whatever the locale; NAN when the field is anything else. */
static double number_read(const uint8_t *p, size_t n) {
    double v = 0, scale = 0;
    bool minus = n > 0 && p[0] == '-', any = false;
    if (n > 12)
        return NAN;
    for (size_t i = minus; i < n; i++) {
        if (p[i] == '.' && scale == 0) {
            scale = 1;
            continue;
        }
        if (p[i] < '0' || p[i] > '9')
            return NAN;
        v = v * 10 + (p[i] - '0');
        scale *= 10;
        any = true;
    }
    v = scale > 1 ? v / scale : v;
    return any ? (minus ? -v : v) : NAN;
}

/* -999 = there is no sensor. */
static double sensor_read(const uint8_t *p, size_t n) {
    double v = number_read(p, n);
    return v <= -999 ? NAN : v;
}

/* 255 = could not be measured. */
static double percent_read(const uint8_t *p, size_t n) {
    double v = number_read(p, n);
    return v >= 0 && v <= 100 ? v : NAN;
}

static void time_read(const uint8_t *p, size_t n, char out[ESPCAM_TIME_SIZE]) {
    static const char form[] = "0000/00/00 00:00:00.000";
    if (n != sizeof form - 1)
        return;
    for (size_t i = 0; i < n; i++)
        if (form[i] == '0' ? p[i] < '0' || p[i] > '9' : p[i] != (uint8_t)form[i])
            return;
    memcpy(out, p, n);
    out[n] = '\0';
}

static bool field_is(const uint8_t *p, size_t n, const char *key, size_t *skip) {
    *skip = strlen(key);
    return n >= *skip && memcmp(p, key, *skip) == 0;
}

static void field_read(const uint8_t *p, size_t n, struct espcam_sensors *s) {
    size_t k;
    if (field_is(p, n, "VOLT:", &k))
        s->voltage_percent = percent_read(p + k, n - k);
    else if (field_is(p, n, "TEMP:", &k))
        s->temperature_c = sensor_read(p + k, n - k);
    else if (field_is(p, n, "TDS_VOLT:", &k))
        s->tds_v = sensor_read(p + k, n - k);
    else
        time_read(p, n, s->time);
}

/* Fields are found by their keys: their order has changed more than once. */
void espcam_text_read(const uint8_t *p, size_t n, struct espcam_token *t,
                      struct espcam_sensors *s) {
    *t = (struct espcam_token){0};
    espcam_sensors_clear(s);
    if (n < HEAD)
        return;
    token_read(p + HEAD, token_digits(p, n), t);
    for (size_t i = HEAD; i < n; i++) {
        const uint8_t *comma = memchr(p + i, ',', n - i);
        size_t len = comma ? (size_t)(comma - (p + i)) : n - i;
        field_read(p + i, len, s);
        i += len;
    }
}
