#include "human.h"

#include <stdio.h>

/* Two digits that count, or as many as the whole number has. */
static char *scaled(char *out, size_t size, double v, const char *unit) {
    snprintf(out, size, v < 9.95 ? "%.1f%s" : "%.0f%s", v, unit);
    return out;
}

char *human_count(char *out, size_t size, double n) {
    static const char *const units[] = {"", "k", "M", "G"};
    int u = 0;
    if (n == (double)(uint64_t)n && n < 1000) {
        snprintf(out, size, "%.0f", n);
        return out;
    }
    for (; n >= 999.5 && u < 3; u++)
        n /= 1000;
    return scaled(out, size, n, units[u]);
}

char *human_bytes(char *out, size_t size, uint64_t n) {
    static const char *const units[] = {"", "K", "M", "G", "T"};
    double v = (double)n;
    int u = 0;
    if (n < 1024) {
        snprintf(out, size, "%u", (unsigned)n);
        return out;
    }
    for (; v >= 1023.5 && u < 4; u++)
        v /= 1024;
    return scaled(out, size, v, units[u]);
}

char *human_us(char *out, size_t size, uint64_t us) {
    if (us < 1000)
        snprintf(out, size, "%uus", (unsigned)us);
    else if (us < 999500)
        scaled(out, size, (double)us / 1e3, "ms");
    else
        scaled(out, size, (double)us / 1e6, "s");
    return out;
}

char *human_ms(char *out, size_t size, uint64_t ms) {
    unsigned long long s = ms / 1000;
    if (s < 60)
        scaled(out, size, (double)ms / 1e3, "s");
    else if (s < 3600)
        snprintf(out, size, "%llum%02llus", s / 60, s % 60);
    else if (s < 86400)
        snprintf(out, size, "%lluh%02llum", s / 3600, s / 60 % 60);
    else
        snprintf(out, size, "%llud%02lluh", s / 86400, s / 3600 % 24);
    return out;
}
