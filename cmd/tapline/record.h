/* record: the parts of `tapline record`. */
#ifndef TAPLINE_RECORD_H
#define TAPLINE_RECORD_H

#include "msg.h"

/* The messages of the last while, in a fixed piece of memory: the oldest go when a new one needs
 * the room or they are too old. */
struct ring {
    uint8_t *mem;
    size_t size;
    uint64_t keep_ns;
    uint64_t head, tail; /* oldest byte and end, counted from the beginning of time */
    uint64_t count;
    uint64_t wanted;     /* all before this place is being saved: what is pushed out was lost */
    uint64_t pushed_out; /* messages that were wanted */
    struct buf out;      /* the message handed out */
};

struct ring_item {
    uint64_t at_ns; /* when it came, wall clock */
    uint32_t source, len;
};

void ring_init(struct ring *r, size_t size, uint64_t keep_ns);
/* False when it is longer than the whole ring. */
bool ring_push(struct ring *r, uint32_t source, const struct msg *m, uint64_t at_ns);
/* The oldest, valid until the next call; false when there is none before `wanted`. */
bool ring_take(struct ring *r, struct ring_item *item, struct msg *m);
/* Forget what is too old by now. */
void ring_age(struct ring *r, uint64_t now_ns);
void ring_free(struct ring *r);

#endif
