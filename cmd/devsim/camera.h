/* camera: a battery camera as its firmware and its gateway behave: a picture in, frames out, in
 * one of the dialects that are in the field.
 *
 *     A  big-endian, numbered by the gateway, hash first           (chunks of 250 bytes)
 *     B  little-endian, else as A
 *     C  little-endian, framed and numbered by the camera, sums last  (chunks of 223 bytes)
 *     D  C's frames, each the data of one of B's
 *
 * Pure: no I/O and no clock.
 */
#ifndef DEVSIM_CAMERA_H
#define DEVSIM_CAMERA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "chance.h"

enum { FRAME_DATA_MAX = 512, FRAME_OVERHEAD = 27, FRAME_MAX = FRAME_DATA_MAX + FRAME_OVERHEAD };

enum frame_type { FRAME_HASH = 1, FRAME_DATA = 2, FRAME_EOF = 3 };

struct frame {
    enum frame_type type; /* of the innermost frame */
    uint8_t bytes[FRAME_MAX];
    size_t n;
};

enum camera_hash { CAMERA_HASH_FIRST, CAMERA_HASH_LAST, CAMERA_HASH_NONE };

struct camera {
    /* Set by the owner. */
    uint64_t mac;
    char dialect; /* 'A' to 'D' */
    enum camera_hash hash;
    double radio_loss; /* share of the packets that the gateway never hears */

    unsigned volt;    /* percent */
    int temp10;       /* tenths of a degree */
    uint64_t number;  /* of the picture, from 1 */
    unsigned frames;  /* of this picture so far */
    struct buf image; /* what is being sent */
    uint8_t sha256[32];
    bool sending;
    bool unheard; /* a packet of this picture was lost on the radio */

    /* Its own. */
    enum frame_type step;
    bool hash_due;
    size_t at;
    uint32_t gateway_seq, own_seq;
    char stamp[32];
};

/* Take the JPEG at p as the next picture. It gets a comment of its own, so that no two pictures are
 * the same. stamp: the camera's clock, "2025/06/22 12:00:00.000". */
void camera_shoot(struct camera *c, const uint8_t *p, size_t n, const char *stamp,
                  struct chance *luck);

/* The next frame of the picture; false when it was the last before. f->n is 0 for a packet that was
 * lost on the radio. */
bool camera_next(struct camera *c, struct frame *f, struct chance *luck);

/* Give the picture up. */
void camera_abort(struct camera *c);

/* "24:6f:28:a1:b2:c3"; returns out. */
const char *camera_mac(const struct camera *c, char out[18]);

/* XOR of the data as little-endian words. */
uint32_t frame_checksum(const uint8_t *p, size_t n);

#endif
