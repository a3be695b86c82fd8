/* txqueue: what the device has not taken yet, bounded, in units that go out whole or not at all.
 *
 * A unit is one line of a text message, or the whole of a message that is not text, or the data of
 * one request. When there is no room the oldest unit that has not started to go out is thrown away:
 * of commands to a device that stopped listening only the newest still matter.
 */
#ifndef SERIALCAT_TXQUEUE_H
#define SERIALCAT_TXQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct txqueue {
    struct buf bytes;
    struct buf units; /* struct unit, one after another, oldest first */
    size_t limit;     /* bytes */
    bool started;     /* part of the oldest unit is with the kernel already */
    uint64_t dropped; /* units */
    /* A unit put with an owner has been written or thrown away (optional). */
    void (*on_gone)(void *ctx, void *owner, bool written);
    void *ctx;
};

/* Append n bytes. owner (may be NULL) makes them one unit and is told what becomes of it. started:
 * the bytes are the rest of something the kernel has begun to take. */
void txqueue_put(struct txqueue *q, const void *p, size_t n, void *owner, bool started);
/* The kernel has taken n bytes from the start of q->bytes. */
void txqueue_took(struct txqueue *q, size_t n);
/* Throw everything away (counted as dropped). */
void txqueue_clear(struct txqueue *q);
void txqueue_free(struct txqueue *q);

static inline size_t txqueue_len(const struct txqueue *q) {
    return buf_len(&q->bytes);
}

#endif
