/* random: what tests make up: the same bits in every run, and inputs whose end is watched. */
#ifndef TAPLINE_TEST_RANDOM_H
#define TAPLINE_TEST_RANDOM_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* xorshift64 */
static inline uint64_t random_bits(void) {
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* A copy in a block of exactly its size, so that AddressSanitizer sees a byte read too far. */
static inline uint8_t *exact(const void *p, size_t n) {
    uint8_t *copy = malloc(n ? n : 1);
    if (n)
        memcpy(copy, p, n);
    return copy;
}

#endif
