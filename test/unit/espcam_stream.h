/* Frames of cameras for the tests of the codec, and what comes out of it. */
#ifndef TAPLINE_TEST_ESPCAM_STREAM_H
#define TAPLINE_TEST_ESPCAM_STREAM_H

#include <nettle/sha2.h>
#include <stdlib.h>

#include "buf.h"
#include "codec/espcam.h"
#include "test.h"

static const uint8_t MAC[6] = {0x24, 0x6f, 0x28, 0xa1, 0xb2, 0xc3};

static inline void put32(struct buf *b, uint32_t v, bool big) {
    for (int i = 0; i < 4; i++)
        buf_putc(b, (char)(v >> (big ? 24 - 8 * i : 8 * i)));
}

/* The checksum as the description has it, byte by byte. */
static inline uint32_t slow_sum(const uint8_t *p, size_t n) {
    uint32_t v = 0;
    for (size_t i = 0; i < n; i++)
        v ^= (uint32_t)p[i] << 8 * (i % 4);
    return v;
}

static inline void put_frame(struct buf *b, const uint8_t *mac, int type, uint32_t seq,
                             const void *data, size_t n, bool big) {
    buf_put(b, "\xFA\xCE\xAA\xBB", 4);
    buf_put(b, mac, 6);
    buf_putc(b, (char)type);
    put32(b, seq, big);
    put32(b, (uint32_t)n, big);
    buf_put(b, data, n);
    put32(b, slow_sum(data, n), big);
    buf_put(b, "\xCD\xEF\x56\x78", 4);
}

static inline void put_text(struct buf *b, int type, uint32_t seq, const char *text, bool big) {
    put_frame(b, MAC, type, seq, text, strlen(text), big);
}

static inline const char *sha256_hex(const void *p, size_t n) {
    static char hex[65];
    uint8_t d[32];
    struct sha256_ctx h;
    sha256_init(&h);
    sha256_update(&h, n, p);
    sha256_digest(&h, 32, d);
    for (int i = 0; i < 32; i++)
        sprintf(hex + 2 * i, "%02x", d[i]);
    return hex;
}

static inline const char *sum_hex(const uint8_t *p, size_t n) {
    static char hex[17];
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += p[i];
    sprintf(hex, "%08x%08x", (unsigned)n, sum);
    return hex;
}

#endif
