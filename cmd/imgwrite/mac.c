#include "mac.h"

#include <ctype.h>
#include <stdio.h>

enum { DIGITS = 12 };

static int digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool mac_parse(const char *s, size_t n, uint64_t *mac) {
    char between = n > 2 && (s[2] == ':' || s[2] == '-') ? s[2] : 0;
    uint64_t v = 0;
    size_t at = 0;
    for (int i = 0; i < DIGITS; i++, at++) {
        if (between && i && i % 2 == 0 && (at >= n || s[at++] != between))
            return false;
        int d = at < n ? digit(s[at]) : -1;
        if (d < 0)
            return false;
        v = v << 4 | (unsigned)d;
    }
    *mac = v;
    return at == n;
}

const char *mac_text(uint64_t mac, char out[MAC_TEXT]) {
    uint8_t b[6];
    for (int i = 0; i < 6; i++)
        b[i] = (uint8_t)(mac >> (40 - 8 * i));
    snprintf(out, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
    return out;
}
