/* allowance: so many at once, and from then on one every so often. Pure: the clock is the caller's,
 * monotonic nanoseconds.
 *
 * All that is kept is the time until which the allowance is used up; 0 is one that is whole.
 */
#ifndef TAPLINE_ALLOWANCE_H
#define TAPLINE_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

struct allowance {
    uint64_t every_ns; /* one in this time */
    uint64_t at_once;  /* 1 or more */
};

static inline bool allowance_left(struct allowance a, uint64_t until_ns, uint64_t now_ns) {
    return until_ns <= now_ns || until_ns - now_ns <= (a.at_once - 1) * a.every_ns;
}

/* until_ns with one more taken, whether it is left or not. */
static inline uint64_t allowance_less(struct allowance a, uint64_t until_ns, uint64_t now_ns) {
    return (until_ns > now_ns ? until_ns : now_ns) + a.every_ns;
}

/* Take one, if it is left. */
static inline bool allowance_take(struct allowance a, uint64_t *until_ns, uint64_t now_ns) {
    if (!allowance_left(a, *until_ns, now_ns))
        return false;
    *until_ns = allowance_less(a, *until_ns, now_ns);
    return true;
}

/* So many a second, and a second's worth at once. rate: 1 to 10^9. */
static inline struct allowance allowance_a_second(uint64_t rate) {
    return (struct allowance){UINT64_C(1000000000) / rate, rate};
}

#endif
