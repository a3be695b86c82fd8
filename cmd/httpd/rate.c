#include "rate.h"

static const uint64_t SECOND_NS = 1000000000;

static void leak(struct bucket *b, double per_s, uint64_t now_ns) {
    double gone = (double)(now_ns - b->at_ns) / 1e9 * per_s;
    b->used = b->used > gone ? b->used - gone : 0;
    b->at_ns = now_ns;
}

bool bucket_take(struct bucket *b, double per_s, double capacity, uint64_t now_ns) {
    leak(b, per_s, now_ns);
    if (b->used + 1 > capacity)
        return false;
    b->used += 1;
    return true;
}

/* While the second is full the bucket must not run empty, or the next one begins with a burst. */
static void hold(struct bucket *b, unsigned per_s, double capacity, uint64_t now_ns) {
    leak(b, per_s, now_ns);
    if (b->used < capacity - 1)
        b->used = capacity - 1;
}

bool rate_pass(struct rate *r, uint64_t now_ns) {
    double capacity = r->per_s > 2 ? r->per_s / 2.0 : 1;
    uint64_t *oldest = &r->passed_ns[r->at];
    if (*oldest && now_ns - *oldest < SECOND_NS) {
        hold(&r->even, r->per_s, capacity, now_ns);
        return false;
    }
    if (!bucket_take(&r->even, r->per_s, capacity, now_ns))
        return false;
    *oldest = now_ns;
    r->at = (r->at + 1) % r->per_s;
    return true;
}
