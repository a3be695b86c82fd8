/* keep: how many pictures may stay. */
#ifndef IMGWRITE_KEEP_H
#define IMGWRITE_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct keep {
    int64_t count, age_ms, bytes; /* 0 = any */
};

/* "1000,7d,2G" in any order: a bare number is a count, s m h d are an age, k M G T a size. */
int keep_parse(struct keep *k, const char *text, struct err *e);

bool keep_any(const struct keep *k);

/* Whether the oldest of n pictures, with bytes in all, has to go. */
bool keep_exceeded(const struct keep *k, uint64_t n, uint64_t bytes, uint64_t oldest_us,
                   uint64_t now_us);

#endif
