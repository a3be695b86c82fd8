#include "utf8.h"

#include <stdint.h>

static int continuation_bytes(uint8_t c) {
    if (c >= 0xc2 && c < 0xe0)
        return 1;
    if (c >= 0xe0 && c < 0xf0)
        return 2;
    return c >= 0xf0 && c < 0xf5 ? 3 : 0;
}

int utf8_step(const void *text, size_t n) {
    const uint8_t *s = text;
    if (s[0] < 0x80)
        return 1;
    /* The second byte's range excludes overlong forms, surrogates and what is above U+10FFFF. */
    uint8_t low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
    uint8_t high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
    int more = continuation_bytes(s[0]);
    for (int i = 1; i <= more; i++) {
        if ((size_t)i >= n || s[i] < low || s[i] > high)
            return -i;
        low = 0x80;
        high = 0xbf;
    }
    return more ? more + 1 : -1;
}

bool utf8_valid(const void *text, size_t n) {
    const uint8_t *s = text;
    for (size_t i = 0; i < n;) {
        int len = utf8_step(s + i, n - i);
        if (len < 0)
            return false;
        i += (size_t)len;
    }
    return true;
}
