#include "jpeg.h"

#include <stdbool.h>
#include <string.h>

enum { SOI = 0xD8, EOI = 0xD9, SOS = 0xDA, DHT = 0xC4, JPG = 0xC8, DAC = 0xCC };

static size_t be16(const uint8_t *p) {
    return (size_t)p[0] << 8 | p[1];
}

static bool is_frame(int marker) {
    return marker >= 0xC0 && marker <= 0xCF && marker != DHT && marker != JPG && marker != DAC;
}

static bool stands_alone(int marker) {
    return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7);
}

/* Behind the data of a scan: at the next marker that is neither a stuffed byte nor a restart. */
static size_t skip_scan(const uint8_t *p, size_t n, size_t at) {
    while (at + 1 < n) {
        const uint8_t *ff = memchr(p + at, 0xFF, n - at - 1);
        if (!ff)
            return n;
        at = (size_t)(ff - p);
        if (p[at + 1] != 0 && p[at + 1] != 0xFF && !stands_alone(p[at + 1]))
            return at;
        at += p[at + 1] == 0xFF ? 1 : 2;
    }
    return n;
}

/* Behind the segment at `at`; n or more: the bytes end inside it; 0: this is no segment. */
static size_t skip_segment(const uint8_t *p, size_t n, size_t at, unsigned *width,
                           unsigned *height) {
    int marker = p[at + 1];
    if (stands_alone(marker))
        return at + 2;
    if (n - at < 4)
        return n;
    size_t len = be16(p + at + 2), end = at + 2 + len;
    if (len < 2)
        return 0;
    if (is_frame(marker) && len >= 8 && n - at >= 9) {
        *height = (unsigned)be16(p + at + 5);
        *width = (unsigned)be16(p + at + 7);
    }
    return marker == SOS && end < n ? skip_scan(p, n, end) : end;
}

long jpeg_scan(const uint8_t *p, size_t n, unsigned *width, unsigned *height) {
    static const uint8_t start[2] = {0xFF, SOI};
    *width = *height = 0;
    if (n == 0 || memcmp(p, start, n < 2 ? n : 2) != 0)
        return n == 0 ? 0 : -1;
    for (size_t at = 2; at + 1 < n;) {
        if (p[at] != 0xFF)
            return -1;
        if (p[at + 1] == EOI)
            return (long)at + 2;
        size_t next = p[at + 1] == 0xFF ? at + 1 : skip_segment(p, n, at, width, height);
        if (next == 0)
            return -1;
        at = next;
    }
    return 0;
}
