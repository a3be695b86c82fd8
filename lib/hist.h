/* hist: how long things took, from 1 us to over an hour, in buckets that grow by a quarter of a
 * power of two, so a percentile is at most 25 % too high.
 */
#ifndef TAPLINE_HIST_H
#define TAPLINE_HIST_H

#include <stdint.h>

enum { HIST_BUCKETS = 130 };

struct hist {
    uint64_t count;
    uint64_t sum_us;
    uint64_t max_us;
    uint64_t bucket[HIST_BUCKETS];
};

void hist_add(struct hist *h, uint64_t ns);
void hist_merge(struct hist *into, const struct hist *from);
/* The value (us, upper edge of its bucket) below which fraction q of the counts lie; 0 when empty.
 */
uint64_t hist_quantile(const struct hist *h, double q);
/* Upper edge of bucket i in us. */
uint64_t hist_edge(unsigned i);

#endif
