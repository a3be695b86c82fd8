/* annexb: where pictures begin in a stream of H.264 bytes (ITU-T H.264 Annex B). Pure.
 *
 * Just enough to leave pictures out and to join in the middle: a stream may be left off where a
 * picture (access unit) begins, and entered at a key picture.
 */
#ifndef CAMCTL_ANNEXB_H
#define CAMCTL_ANNEXB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct annexb {
    bool in_prefix; /* of this picture only parameter sets and the like have come */
    bool has_sps;   /* among them a sequence parameter set */
};

/* What the piece at the start of some bytes begins with; neither: it goes on with what was before.
 */
struct annexb_piece {
    size_t len;
    bool leave; /* a picture */
    bool enter; /* what a decoder needs to begin: a sequence parameter set, or else a key picture */
};

/* The first piece of the n bytes, which ends where another begins. False when what is there (4
 * bytes at most) may be the first part of a mark: it is to be shown again with what follows. */
bool annexb_next(struct annexb *a, const uint8_t *p, size_t n, struct annexb_piece *out);

#endif
