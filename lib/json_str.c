#include "json.h"

#include <string.h>

#include "utf8.h"

static bool plain(uint8_t c) {
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static uint64_t has_zero(uint64_t w) {
    return (w - 0x0101010101010101u) & ~w;
}

/* Bytes at the start that need no escape and are ASCII; eight at a time, as most text is that. */
static size_t plain_run(const uint8_t *s, size_t n) {
    const uint64_t ones = 0x0101010101010101u;
    size_t i = 0;
    for (uint64_t w; i + sizeof w <= n; i += sizeof w) {
        memcpy(&w, s + i, sizeof w);
        uint64_t stop =
            w | (w - ones * 0x20) | has_zero(w ^ ones * '"') | has_zero(w ^ ones * '\\');
        if (stop & ones << 7)
            break;
    }
    while (i < n && plain(s[i]))
        i++;
    return i;
}

static void put_escaped(struct buf *b, uint8_t c) {
    static const char named[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    char text[6] = {'\\', (char)c};
    size_t n = 2;
    if (c < 0x20 && named[c]) {
        text[1] = named[c];
    } else if (c < 0x20) {
        memcpy(text, c < 0x10 ? "\\u000" : "\\u001", 5);
        text[5] = "0123456789abcdef"[c & 15];
        n = 6;
    }
    buf_put(b, text, n);
}

/* One character that plain_run stopped at; returns the bytes it took. */
static size_t put_special(struct buf *b, const uint8_t *s, size_t n) {
    if (*s < 0x80) {
        put_escaped(b, *s);
        return 1;
    }
    int len = utf8_step(s, n);
    if (len > 0)
        buf_put(b, s, (size_t)len);
    else
        buf_put(b, "\xef\xbf\xbd", 3);
    return (size_t)(len > 0 ? len : -len);
}

void json_put_str(struct buf *b, const char *text, size_t n) {
    const uint8_t *s = (const uint8_t *)text;
    buf_reserve(b, n + 2);
    buf_putc(b, '"');
    while (n) {
        size_t run = plain_run(s, n);
        buf_put(b, s, run);
        if (run < n)
            run += put_special(b, s + run, n - run);
        s += run;
        n -= run;
    }
    buf_putc(b, '"');
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_group(char *out, const uint8_t *p, size_t n) {
    uint32_t bits = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
    out[0] = digits[bits >> 18];
    out[1] = digits[bits >> 12 & 63];
    out[2] = n > 1 ? digits[bits >> 6 & 63] : '=';
    out[3] = n > 2 ? digits[bits & 63] : '=';
}

void json_put_base64(struct buf *b, const void *data, size_t n) {
    const uint8_t *p = data;
    size_t len = (n + 2) / 3 * 4;
    char *out = (char *)buf_reserve(b, len);
    for (; n > 3; n -= 3, p += 3, out += 4)
        encode_group(out, p, 3);
    if (n)
        encode_group(out, p, n);
    buf_added(b, len);
}

/* The value of a base64 digit; 64 for any other character. */
static uint32_t digit_value(char c) {
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* Four characters, the last `pad` of them '=', to 3 - pad bytes. */
static bool decode_group(uint8_t *out, const char *s, unsigned pad) {
    uint32_t bits = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t v = i + pad < 4 ? digit_value(s[i]) : 0;
        if (v > 63)
            return false;
        bits = bits << 6 | v;
    }
    for (unsigned i = 0; i < 3 - pad; i++)
        out[i] = (uint8_t)(bits >> (16 - 8 * i));
    return !pad || !(bits & ((1u << 8 * pad) - 1));
}

bool json_get_base64(struct buf *b, const char *s, size_t n) {
    if (n % 4)
        return false;
    unsigned pad = n && s[n - 1] == '=' ? 1 + (s[n - 2] == '=') : 0;
    uint8_t *out = buf_reserve(b, n / 4 * 3);
    for (size_t i = 0; i < n; i += 4)
        if (!decode_group(out + i / 4 * 3, s + i, i + 4 == n ? pad : 0))
            return false;
    buf_added(b, n / 4 * 3 - pad);
    return true;
}
