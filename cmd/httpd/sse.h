/* sse: responses that never end by themselves, as text/event-stream.
 *
 * Each viewer has a queue of events that is bounded in bytes and number: what is too slow loses its
 * oldest events, and is told how many with `event: skipped`, data {"count": n}, at most once a
 * second. An event may be in many queues at once. A viewer that has gone is noticed within a
 * second.
 */
#ifndef HTTPD_SSE_H
#define HTTPD_SSE_H

#include "request.h"

enum {
    SSE_QUEUE_BYTES = 256 << 10, /* waiting for one viewer, besides the event being sent */
    SSE_EVENT_MAX = 1 << 20,     /* ... or one event of at most so much */
    SSE_QUEUE = 512,             /* events */
    SSE_EVEN_MS = 10             /* a burst is sent in one piece as often as this */
};

struct sse_event {
    unsigned refs;
    bool own;      /* sse's: not counted when it is dropped, */
    uint64_t told; /* ... but what it told is told again */
    size_t n;
    char bytes[];
};

struct sse;

/* Text of one event, "event: NAME\ndata: ...\n\n", copied; one reference, the caller's. */
struct sse_event *sse_event_make(const struct buf *text);
void sse_event_drop(struct sse_event *e);

/* Answer q with a stream. gone(ctx) is called once, when it has ended for whatever reason, be it
 * before anything was sent; s is not valid any more then. */
struct sse *sse_open(struct request *q, void (*gone)(void *ctx), void *ctx);

void sse_push(struct sse *s, struct sse_event *e);
/* To every stream that was opened with this ctx. */
void sse_push_all(const void *ctx, struct sse_event *e);
/* n things were left out before they became events. */
void sse_skip(struct sse *s, uint64_t n);

/* How many streams this address (tries.h) has. */
size_t sse_streams_of(uint64_t who);

/* Once a second. */
void sse_tick(void);
/* End all streams, and begin no more. */
void sse_stop(void);
/* When no stream is left. */
void sse_close(void);

#endif
