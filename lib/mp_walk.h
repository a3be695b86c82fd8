/* mp_walk: the end of a msgpack value that arrives in many pieces.
 *
 * mp_skip begins anew with every piece, which is quadratic in the items of a large value; a walk
 * goes on where it stopped.
 */
#ifndef TAPLINE_MP_WALK_H
#define TAPLINE_MP_WALK_H

#include "mp.h"

struct mp_walk {
    size_t at;                       /* bytes walked over, from the start of the value */
    int depth;                       /* containers that are open */
    uint64_t left[MP_DEPTH_MAX + 1]; /* items still to come at each depth */
};

void mp_walk_start(struct mp_walk *w);

/* p, n: the value from its first byte as far as it is there. 1 = whole, w->at bytes long; 0 = more
 * is needed; -1 = not msgpack. */
int mp_walk_on(struct mp_walk *w, const uint8_t *p, size_t n);

#endif
