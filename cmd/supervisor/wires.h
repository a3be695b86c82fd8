/* wires: what went over each wire of the pipeline, and what became of it.
 *
 *     sent = received + lost + dropped + queued + unaccounted
 *
 * Known at any moment, without stopping anything; ARCHITECTURE.md, "Loss that adds up", says how.
 */
#ifndef SUPERVISOR_WIRES_H
#define SUPERVISOR_WIRES_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "plan.h"

struct child;
struct supervisor;

struct wire_counts {
    bool from_known, to_known; /* the end counts */
    bool known;                /* both, and so what lies between */
    uint64_t sent, received;
    uint64_t lost;    /* gone between the two */
    uint64_t crashed; /* of these: because a process at one of its ends was gone */
    uint64_t dropped; /* thrown away by the sender, whose queue was full */
    uint64_t queued;  /* on the way */
    uint64_t queued_bytes;
    int64_t unaccounted;
};

struct wire {
    const struct plan_link *link;
    struct child *from, *to;
    struct wire_counts now;
    /* What was found when nothing was on the way. */
    uint64_t base;    /* sent before the receiver joined */
    uint64_t crashed; /* gone with a process */
    uint64_t told;    /* once among those, and told by a hole since */
    uint64_t plain;   /* holes that the receiver does not put down to a process */
    int64_t unaccounted;
    uint64_t lives, deaths; /* of both ends, when that was */
    /* Since when the difference has been the same. */
    int64_t pending;
    uint64_t missing, steady_ns;
};

struct wires {
    struct wire *wire;
    size_t n;
};

void wires_open(struct supervisor *s);
void wires_close(struct supervisor *s);
/* Count anew. Once a second, and before they are told. */
void wires_look(struct supervisor *s);
/* Append an array of them; a map of the sums with a line for people. */
void wires_put(struct buf *b, const struct wires *ws);
void wires_put_balance(struct buf *b, const struct wires *ws);

#endif
