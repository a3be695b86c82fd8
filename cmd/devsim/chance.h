/* chance: the same luck for the same seed, everywhere. */
#ifndef DEVSIM_CHANCE_H
#define DEVSIM_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
    uint64_t state; /* not 0 */
};

/* xorshift64*, its upper 53 bits. */
static inline uint64_t chance_next(struct chance *c) {
    c->state ^= c->state >> 12;
    c->state ^= c->state << 25;
    c->state ^= c->state >> 27;
    return (c->state * 2685821657736338717u) >> 11;
}

static inline uint64_t chance_below(struct chance *c, uint64_t n) {
    return chance_next(c) % n;
}

/* True so often as rate says, 0 to 1. Without a rate no luck is used up. */
static inline bool chance_hit(struct chance *c, double rate) {
    return rate > 0 && (double)chance_next(c) < rate * (double)(1ull << 53);
}

#endif
