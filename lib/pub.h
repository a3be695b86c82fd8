/* pub: publishes messages to any number of outputs: NNG pub sockets, a pipe, a named pipe.
 *
 * Sequence numbers count per topic. Messages to pipes are collected and written by pub_flush (the
 * stage calls it before the loop sleeps), so several messages of one event are one write. A full
 * pipe pushes back (on_blocked), and what a source that cannot wait publishes beyond PUB_PIPE_BYTES
 * is dropped and counted; an NNG subscriber that is too slow loses its oldest messages, which it
 * sees as a gap.
 *
 * A state topic (pub_retain) is kept: its last message is sent again, byte for byte, to whoever
 * joins, and on pub_repeat. Subscribers drop what they already have (same seq, same time).
 */
#ifndef TAPLINE_PUB_H
#define TAPLINE_PUB_H

#include <nng/nng.h>
#include <stdatomic.h>
#include <uv.h>

#include "tally.h"
#include "endpoint.h"
#include "msg.h"
#include "stream.h"

enum {
    PUB_OUTPUTS = 8,
    PUB_TOPICS = 512,
    PUB_QUEUE = 1024,             /* messages per NNG subscriber */
    PUB_PIPE_BYTES = 2 * MSG_MAX, /* waiting for one pipe; whoever publishes on is cut off here */
    PUB_LINGER_MS = 20            /* for NNG to send what was published just before the end */
};

struct pub_output {
    struct endpoint ep;
    nng_socket sock;
    atomic_int pipes; /* connected NNG subscribers */
    struct pub *pub;
    bool held; /* NNG did not let go of it, so it is never freed */
    struct outstream stream;
    struct tally_out *count, own; /* own, unless there is a page */
};

struct pub_topic {
    char name[MSG_TOPIC_MAX + 1];
    uint64_t seq;
    bool retain;
    struct buf last;
};

struct pub {
    uv_loop_t *loop;
    uv_async_t joined; /* an NNG subscriber has connected */
    struct pub_output *out[PUB_OUTPUTS];
    size_t outputs;
    size_t blocked; /* outputs that push back now */
    bool supervised;
    struct pub_topic *topics[PUB_TOPICS]; /* open hash, by name */
    size_t topic_count;
    struct pub_topic *current; /* between pub_begin and pub_end */
    uint64_t current_time;
    uint64_t nng_sent_ns; /* when a message was last given to NNG */
    struct buf nng;       /* topic NUL message being encoded */
    uint64_t sent, bytes, dropped;
    struct tally *page; /* shared with the supervisor; set before pub_add; NULL = none */
    /* Optional, set by the owner before outputs are added. */
    void (*on_blocked)(void *ctx, bool blocked); /* some output is full / none is any more */
    void (*on_broken)(void *ctx, const char *endpoint, int error); /* a pipe's reader is gone */
    void (*on_sent)(void *ctx, uint64_t time_ns);                  /* after each message */
    void *ctx;
};

int pub_init(struct pub *p, uv_loop_t *loop);
/* Open an output. -1 with the reason, which names the endpoint. */
int pub_add(struct pub *p, const char *endpoint, struct err *e);

/* Mark topic as state. */
void pub_retain(struct pub *p, const char *topic);

/* Start a message; time 0 means now. Append exactly `keys` pairs (mp_kv_...) to the buffer
 * returned, then call pub_end, which returns the sequence number (0 = dropped: too many topics, no
 * valid topic, or longer than MSG_MAX). */
struct buf *pub_begin(struct pub *p, const char *topic, uint64_t time_ns, uint32_t keys);
uint64_t pub_end(struct pub *p);
/* The same when the last key is written (mp_put_str) and its value is a binary of n bytes that lies
 * elsewhere: pipes take it from there, without a copy as long as the reader keeps up. An output
 * may find its reader gone during the call (on_broken). */
uint64_t pub_end_bin(struct pub *p, const void *data, size_t n);

/* Pass a message on under our own sequence number, or under another topic when topic is not NULL.
 */
void pub_relay(struct pub *p, const struct msg *m, const char *topic);
/* Publish a whole encoded message as it is, time and seq included. */
void pub_raw(struct pub *p, const struct msg *m);
/* The same to NNG outputs only, and not counted: reports about ourselves. */
void pub_raw_nng(struct pub *p, const struct msg *m);

/* Whether anybody could receive a message now: somebody is connected, or there is a pipe. */
bool pub_wanted(const struct pub *p);
/* Bytes waiting in pipe outputs. */
size_t pub_queued(const struct pub *p);

void pub_repeat(struct pub *p);
void pub_flush(struct pub *p);
/* Flush (at most timeout_ms for all slow pipes together) and close; what could not be written is
 * counted and logged. No callback is called any more. p must live until the loop has run once more.
 */
void pub_close(struct pub *p, int timeout_ms);
/* After the loop has run: free what is left. */
void pub_free(struct pub *p);

#endif
