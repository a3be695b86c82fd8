/* hev_ring: the samples of the last while, oldest first, in memory given by the caller.
 *
 * Times only rise, so a time is found by bisection. When full, the oldest go.
 */
#ifndef DISPATCH_HEV_RING_H
#define DISPATCH_HEV_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VENT_CHANNELS = 3 };

struct vent_sample {
    uint64_t time_us; /* wall clock */
    float v[VENT_CHANNELS];
    uint32_t raw; /* 1: counts of a converter; 0: cmH2O, l/min, ml */
};

struct vent_ring {
    uint64_t room;  /* samples that fit */
    uint64_t count; /* ever taken; the newest is at (count - 1) % room */
    uint64_t kept;  /* at most room */
    struct vent_sample sample[];
};

/* One column of a picture: what all samples in it span. */
struct vent_column {
    uint64_t time_us;                              /* of its first sample */
    float low[VENT_CHANNELS], high[VENT_CHANNELS]; /* NAN when no sample had a number */
};

static inline size_t vent_ring_bytes(uint64_t room) {
    return sizeof(struct vent_ring) + room * sizeof(struct vent_sample);
}

/* Make an empty ring of that room, unless what lies there is a sound one. */
void vent_ring_check(struct vent_ring *r, uint64_t room);

/* Sample i of what is kept, 0 is the oldest. */
static inline const struct vent_sample *vent_ring_at(const struct vent_ring *r, uint64_t i) {
    return &r->sample[(r->count - r->kept + i) % r->room];
}

/* Its time must not be before the newest's. */
void vent_ring_add(struct vent_ring *r, const struct vent_sample *s);

/* How many of what is kept are before that time. */
uint64_t vent_ring_before(const struct vent_ring *r, uint64_t time_us);

/* The clock has been set back: forget what is newer. */
void vent_ring_cut(struct vent_ring *r, uint64_t time_us);

/* What is kept of from <= time < to, in at most `columns` columns of equal duration: exact, a
 * column a sample, when there are no more samples than that. Columns without samples are left out.
 * Returns how many were written. */
size_t vent_ring_columns(const struct vent_ring *r, uint64_t from_us, uint64_t to_us,
                         struct vent_column *out, size_t columns, bool *exact);

#endif
