#include "hist.h"

/* Buckets 0..3 hold 0..3 us one by one; then four to each power of two. */
static unsigned bucket_of(uint64_t us) {
    if (us < 4)
        return (unsigned)us;
    unsigned log2 = 63u - (unsigned)__builtin_clzll(us);
    unsigned i = 4 * (log2 - 1) + (unsigned)((us >> (log2 - 2)) & 3);
    return i < HIST_BUCKETS ? i : HIST_BUCKETS - 1;
}

uint64_t hist_edge(unsigned i) {
    if (i < 4)
        return i;
    unsigned log2 = i / 4 + 1;
    return ((uint64_t)(4 + i % 4 + 1) << (log2 - 2)) - 1;
}

void hist_add(struct hist *h, uint64_t ns) {
    uint64_t us = ns / 1000;
    h->count++;
    h->sum_us += us;
    if (us > h->max_us)
        h->max_us = us;
    h->bucket[bucket_of(us)]++;
}

void hist_merge(struct hist *into, const struct hist *from) {
    into->count += from->count;
    into->sum_us += from->sum_us;
    if (from->max_us > into->max_us)
        into->max_us = from->max_us;
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        into->bucket[i] += from->bucket[i];
}

uint64_t hist_quantile(const struct hist *h, double q) {
    uint64_t want = (uint64_t)(q * (double)h->count + 0.999999), seen = 0;
    if (h->count == 0)
        return 0;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += h->bucket[i];
        if (seen >= want && seen) /* the last bucket has no edge */
            return hist_edge(i) < h->max_us && i < HIST_BUCKETS - 1 ? hist_edge(i) : h->max_us;
    }
    return h->max_us;
}
