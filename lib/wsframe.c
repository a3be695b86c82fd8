#include "wsframe.h"

#include <string.h>

enum { FIN = 0x80, LEN_16 = 126, LEN_64 = 127 };

size_t wsframe_header(uint8_t out[WSFRAME_HEADER_MAX], enum wsframe_opcode op, uint64_t n) {
    int bytes = n < LEN_16 ? 0 : n <= UINT16_MAX ? 2 : 8;
    out[0] = (uint8_t)(FIN | op);
    out[1] = bytes == 0 ? (uint8_t)n : bytes == 2 ? LEN_16 : LEN_64;
    for (int i = 0; i < bytes; i++)
        out[2 + i] = (uint8_t)(n >> (8 * (bytes - 1 - i)));
    return 2 + (size_t)bytes;
}

void wsframe_put(struct buf *b, enum wsframe_opcode op, const void *p, size_t n) {
    if (op >= WSFRAME_CLOSE && n > WSFRAME_CONTROL_MAX)
        n = WSFRAME_CONTROL_MAX;
    uint8_t *to = buf_reserve(b, WSFRAME_HEADER_MAX + n);
    size_t head = wsframe_header(to, op, n);
    if (n)
        memcpy(to + head, p, n);
    buf_added(b, head + n);
}

void wsframe_put_close(struct buf *b, unsigned code, const char *reason, size_t n) {
    uint8_t payload[WSFRAME_CONTROL_MAX] = {(uint8_t)(code >> 8), (uint8_t)code};
    if (code == WSFRAME_NO_CODE) {
        wsframe_put(b, WSFRAME_CLOSE, NULL, 0);
        return;
    }
    if (n > WSFRAME_REASON_MAX)
        for (n = WSFRAME_REASON_MAX; n && ((uint8_t)reason[n] & 0xc0) == 0x80;)
            n--;
    if (!wsframe_utf8(reason, n))
        n = 0;
    memcpy(payload + 2, reason, n);
    wsframe_put(b, WSFRAME_CLOSE, payload, 2 + n);
}

bool wsframe_code_valid(unsigned code) {
    if (code >= 3000)
        return code <= 4999;
    return code >= 1000 && code <= 1014 && code != 1004 && code != WSFRAME_NO_CODE &&
           code != WSFRAME_ABNORMAL;
}

/* ---- UTF-8 ---- */

/* Length of the well-formed sequence at s, 0 when there is none. The bounds of the second byte
 * exclude overlong forms, surrogates and everything above U+10FFFF. */
static size_t sequence(const uint8_t *s, size_t n) {
    uint8_t a = s[0], low = 0x80, high = 0xbf;
    size_t len = a < 0x80 ? 1 : a < 0xc2 ? 0 : a < 0xe0 ? 2 : a < 0xf0 ? 3 : a < 0xf5 ? 4 : 0;
    if (len < 2 || n < len)
        return len == 1;
    if (a == 0xe0)
        low = 0xa0;
    else if (a == 0xed)
        high = 0x9f;
    else if (a == 0xf0)
        low = 0x90;
    else if (a == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

static bool eight_ascii(const uint8_t *s) {
    uint64_t w;
    memcpy(&w, s, sizeof w);
    return (w & 0x8080808080808080u) == 0;
}

bool wsframe_utf8(const void *p, size_t n) {
    const uint8_t *s = p, *end = s + n;
    while (s < end) {
        if (end - s >= 8 && eight_ascii(s)) {
            s += 8;
            continue;
        }
        size_t len = sequence(s, (size_t)(end - s));
        if (len == 0)
            return false;
        s += len;
    }
    return true;
}
