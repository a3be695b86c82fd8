#include "keep.h"

#include <stdio.h>
#include <string.h>

#include "opt.h"

static int parse_one(struct keep *k, const char *text, struct err *e) {
    size_t digits = strspn(text, "0123456789.");
    bool plain = digits && text[digits] == 0;
    bool size = digits && text[digits] && strchr("kKMGT", text[digits]);
    int64_t *into = plain ? &k->count : size ? &k->bytes : &k->age_ms;
    int64_t v;
    if (opt_number(plain ? OPT_INT : size ? OPT_SIZE : OPT_DURATION, text, &v, NULL) < 0 || v <= 0)
        return err_set(e, CAUSE_USAGE, "\"%s\" is no number, age or size (such as 1000, 7d or 2G)",
                       text);
    if (*into)
        return err_set(e, CAUSE_USAGE, "\"%s\": %s is given twice", text,
                       plain  ? "the number"
                       : size ? "the size"
                              : "the age");
    *into = v;
    return 0;
}

int keep_parse(struct keep *k, const char *text, struct err *e) {
    char one[32];
    for (const char *s = text;; s++) {
        size_t n = strcspn(s, ",");
        snprintf(one, sizeof one, "%.*s", (int)n, s);
        if (parse_one(k, one, e) < 0)
            return -1;
        s += n;
        if (*s == 0)
            return 0;
    }
}

bool keep_any(const struct keep *k) {
    return k->count || k->age_ms || k->bytes;
}

bool keep_exceeded(const struct keep *k, uint64_t n, uint64_t bytes, uint64_t oldest_us,
                   uint64_t now_us) {
    if (n == 0)
        return false;
    return (k->count && n > (uint64_t)k->count) || (k->bytes && bytes > (uint64_t)k->bytes) ||
           (k->age_ms && oldest_us + (uint64_t)k->age_ms * 1000 < now_us);
}
