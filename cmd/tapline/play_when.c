#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "play.h"

enum { DAY_S = 86400 };

/* ".5" behind the seconds; the number of bytes. */
static size_t fraction(const char *s, uint64_t *ns) {
    size_t n = 1;
    uint64_t unit = 100000000u;
    *ns = 0;
    if (*s != '.')
        return 0;
    for (; isdigit((unsigned char)s[n]); n++, unit /= 10)
        *ns += (uint64_t)(s[n] - '0') * unit;
    return n;
}

static bool parse_clock(const char *text, struct tm *tm, uint64_t *ns, bool *dated) {
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
                                          "%Y-%m-%dT%H:%M", "%H:%M:%S", "%H:%M"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct tm t = *tm;
        t.tm_sec = 0;
        const char *end = strptime(text, formats[i], &t);
        if (!end || end[fraction(end, ns)])
            continue;
        *dated = i < 3;
        t.tm_isdst = -1;
        *tm = t;
        return true;
    }
    return false;
}

int play_when(const char *text, uint64_t start_ns, uint64_t *offset_ns, struct err *e) {
    int64_t ms;
    uint64_t part;
    bool dated;
    time_t start_s = (time_t)(start_ns / 1000000000u);
    struct tm tm;
    if (opt_number(OPT_DURATION, text, &ms, NULL) == 0 && ms >= 0) {
        *offset_ns = (uint64_t)ms * 1000000u;
        return 0;
    }
    localtime_r(&start_s, &tm);
    if (!parse_clock(text, &tm, &part, &dated))
        return err_set(e, CAUSE_USAGE,
                       "\"%s\" is neither a time from the start (10s) nor of the clock (09:41:07,"
                       " 2026-07-12T09:41:07)",
                       text);
    time_t s = mktime(&tm);
    if (!dated && s < start_s)
        s += DAY_S;
    uint64_t at = s > 0 ? (uint64_t)s * 1000000000u + part : 0;
    *offset_ns = at > start_ns ? at - start_ns : 0;
    return 0;
}
