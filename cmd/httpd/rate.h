/* rate: how much of a stream passes. Pure: the clock is the caller's. */
#ifndef HTTPD_RATE_H
#define HTTPD_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum { RATE_MAX = 1000 };

/* So many at once, then so many a second. {0} is a bucket that nothing was taken from. */
struct bucket {
    double used;
    uint64_t at_ns; /* when `used` was right */
};

bool bucket_take(struct bucket *b, double per_s, double capacity, uint64_t now_ns);

/* At most per_s within any second, whatever comes, and evenly spread when more comes for long; half
 * a second's worth may pass at once. */
struct rate {
    unsigned per_s; /* 1..RATE_MAX, set by the owner; the rest is zero at first */
    unsigned at;
    uint64_t passed_ns[RATE_MAX]; /* of the last per_s */
    struct bucket even;
};

bool rate_pass(struct rate *r, uint64_t now_ns);

#endif
