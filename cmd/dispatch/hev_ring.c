#include "hev_ring.h"

#include <math.h>

static bool sound(const struct vent_ring *r, uint64_t room) {
    if (r->room != room || r->kept > room || r->kept > r->count)
        return false;
    for (uint64_t i = 1; i < r->kept; i++)
        if (vent_ring_at(r, i)->time_us < vent_ring_at(r, i - 1)->time_us)
            return false;
    return true;
}

void vent_ring_check(struct vent_ring *r, uint64_t room) {
    if (!sound(r, room))
        *r = (struct vent_ring){.room = room};
}

void vent_ring_add(struct vent_ring *r, const struct vent_sample *s) {
    r->sample[r->count % r->room] = *s;
    r->count++;
    if (r->kept < r->room)
        r->kept++;
}

uint64_t vent_ring_before(const struct vent_ring *r, uint64_t time_us) {
    uint64_t low = 0, high = r->kept;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (vent_ring_at(r, middle)->time_us < time_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void vent_ring_cut(struct vent_ring *r, uint64_t time_us) {
    uint64_t before = vent_ring_before(r, time_us);
    r->count -= r->kept - before;
    r->kept = before;
}

static void column_begin(struct vent_column *c, uint64_t time_us) {
    c->time_us = time_us;
    for (int k = 0; k < VENT_CHANNELS; k++)
        c->low[k] = c->high[k] = NAN;
}

/* fminf and fmaxf pass over NAN. */
static void column_take(struct vent_column *c, const struct vent_sample *s) {
    for (int k = 0; k < VENT_CHANNELS; k++) {
        c->low[k] = fminf(c->low[k], s->v[k]);
        c->high[k] = fmaxf(c->high[k], s->v[k]);
    }
}

size_t vent_ring_columns(const struct vent_ring *r, uint64_t from_us, uint64_t to_us,
                         struct vent_column *out, size_t columns, bool *exact) {
    uint64_t first = vent_ring_before(r, from_us), end = vent_ring_before(r, to_us);
    uint64_t span = to_us > from_us ? to_us - from_us : 1;
    uint64_t width = span / columns + (span % columns != 0);
    uint64_t last = UINT64_MAX;
    size_t n = 0;
    *exact = end <= first || end - first <= columns;
    for (uint64_t i = first; i < end; i++) {
        const struct vent_sample *s = vent_ring_at(r, i);
        uint64_t column = *exact ? i : (s->time_us - from_us) / width;
        if (column != last)
            column_begin(&out[n++], s->time_us);
        column_take(&out[n - 1], s);
        last = column;
    }
    return n;
}
