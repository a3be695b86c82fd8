#include "json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 32 /* bytes of any number as text */, EXACT_POWERS = 22, DIGITS_SAFE = 15 };

/* A positive number: 0.DDD times ten to the power of point, without zeros at the end. */
struct decimal {
    char digit[24];
    int n;
    int point;
};

static const double power[EXACT_POWERS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static char *put_whole(char *p, uint64_t v) {
    char text[20], *at = text + sizeof text;
    do {
        *--at = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    size_t n = (size_t)(text + sizeof text - at);
    memcpy(p, at, n);
    return p + n;
}

void json_put_uint(struct buf *b, uint64_t v) {
    char *p = (char *)buf_reserve(b, NUMBER_MAX);
    buf_added(b, (size_t)(put_whole(p, v) - p));
}

void json_put_int(struct buf *b, int64_t v) {
    if (v < 0)
        buf_putc(b, '-');
    json_put_uint(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

static uint64_t strip_zeros(uint64_t m, int *stripped) {
    static const uint64_t step[] = {100000000, 10000, 100, 10};
    static const int zeros[] = {8, 4, 2, 1};
    for (int i = 0; i < 4; i++)
        if (m % step[i] == 0) {
            m /= step[i];
            *stripped += zeros[i];
        }
    return m;
}

/* The power of ten that makes v a number of 15 digits before the point; outside 0 to 22 when there
 * is none that a double holds exactly. */
static int scale_of(double v) {
    int k = DIGITS_SAFE - 1 - (ilogb(v) * 1233 >> 12); /* 1233/4096 is log10(2) */
    if (k < 0 || k > EXACT_POWERS)
        return k;
    return v * power[k] >= 1e15 ? k - 1 : k;
}

/* Digits by one multiplication and a division to prove them: m is below 2^53 and the power exact,
 * so the quotient is what reading the text gives; and no two texts of up to 15 digits read as the
 * same double, so the one found is the shortest. */
static bool digits_by_scaling(struct decimal *d, double v, int k) {
    uint64_t m = (uint64_t)(v * power[k] + 0.5);
    if ((double)m / power[k] != v)
        return false;
    int stripped = 0;
    m = strip_zeros(m, &stripped);
    d->n = (int)(put_whole(d->digit, m) - d->digit);
    d->point = d->n + stripped - k;
    return true;
}

static void digits_from_text(struct decimal *d, const char *text) {
    d->n = 0;
    for (; *text != 'e'; text++)
        if (*text != '.')
            d->digit[d->n++] = *text;
    while (d->n > 1 && d->digit[d->n - 1] == '0')
        d->n--;
    d->point = atoi(text + 1) + 1;
}

/* Below a power of two doubles lie closer than above it, so the nearest text may read back as the
 * neighbour below where the next text up does not. */
static bool next_up_reads_back(char *text, double v, int n) {
    int exponent;
    char *last = text + n; /* one digit, the point, n - 1 digits */
    if (n < 2 || frexp(v, &exponent) != 0.5 || *last == '9')
        return false;
    ++*last;
    return strtod(text, NULL) == v;
}

static void digits_by_trying(struct decimal *d, double v, int n) {
    char text[NUMBER_MAX];
    for (; n <= DBL_DECIMAL_DIG; n++) {
        snprintf(text, sizeof text, "%.*e", n - 1, v);
        if (n == DBL_DECIMAL_DIG || strtod(text, NULL) == v || next_up_reads_back(text, v, n))
            break;
    }
    digits_from_text(d, text);
}

static void shortest(struct decimal *d, double v) {
    int k = scale_of(v);
    if (k < 0 || k > EXACT_POWERS)
        digits_by_trying(d, v, v < DBL_MIN ? 1 : DIGITS_SAFE);
    else if (!digits_by_scaling(d, v, k))
        digits_by_trying(d, v, DIGITS_SAFE + 1);
}

static char *put(char *p, const char *s, int n) {
    memcpy(p, s, (size_t)n);
    return p + n;
}

static char *put_zeros(char *p, int n) {
    memset(p, '0', (size_t)n);
    return p + n;
}

static char *lay_out_exponent(char *p, const struct decimal *d) {
    int e = d->point - 1;
    *p++ = d->digit[0];
    if (d->n > 1) {
        *p++ = '.';
        p = put(p, d->digit + 1, d->n - 1);
    }
    *p++ = 'e';
    *p++ = e < 0 ? '-' : '+';
    e = abs(e);
    if (e < 10)
        *p++ = '0';
    return put_whole(p, (uint64_t)e);
}

static char *lay_out(char *p, const struct decimal *d) {
    if (d->point <= -4 || d->point > 16)
        return lay_out_exponent(p, d);
    if (d->point <= 0) {
        p = put_zeros(put(p, "0.", 2), -d->point);
        return put(p, d->digit, d->n);
    }
    if (d->point >= d->n) {
        p = put_zeros(put(p, d->digit, d->n), d->point - d->n);
        return put(p, ".0", 2);
    }
    p = put(p, d->digit, d->point);
    *p++ = '.';
    return put(p, d->digit + d->point, d->n - d->point);
}

static char *put_positive(char *p, double v) {
    if (v < 1e16 && v == (double)(uint64_t)v)
        return put(put_whole(p, (uint64_t)v), ".0", 2);
    struct decimal d;
    shortest(&d, v);
    return lay_out(p, &d);
}

void json_put_double(struct buf *b, double v) {
    if (!isfinite(v)) {
        buf_put(b, "null", 4);
        return;
    }
    char *at = (char *)buf_reserve(b, NUMBER_MAX), *p = at;
    if (signbit(v))
        *p++ = '-';
    buf_added(b, (size_t)(put_positive(p, fabs(v)) - at));
}
