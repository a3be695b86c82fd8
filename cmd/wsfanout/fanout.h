/* fanout: what the parts of wsfanout share.
 *
 *   main.c     options, opening, closing
 *   senders.c  takes connections that httpd hands over
 *   client.c   one connection: joining, leaving, the table of them
 *   group.c    names that clients are known by together
 *   receive.c  bytes from a client to messages (wslay)
 *   order.c    messages from the bus to frames and their targets
 *   out.c      frames to clients: encoded once, queued by reference, one send() each
 *   skip.c     what a client that is behind does not get any more
 *   watch.c    what time brings about: pings, dead peers, stalled queues, deadlines
 *   memory.c   the bound on what all clients together make us hold
 *   event.c    what is published: ws.open, ws.text, ...
 */
#ifndef WSFANOUT_FANOUT_H
#define WSFANOUT_FANOUT_H

#include <wslay/wslay.h>

#include "crowd.h"
#include "doors.h"
#include "handover.h"
#include "stage.h"
#include "wsframe.h"

enum {
    SENDERS = 16,           /* that keep a connection for their hand-overs */
    READ_BYTES = 16 << 10,  /* from one client in one turn of the loop */
    BATCH_BYTES = 64 << 10, /* frames encoded before they are sent, */
    BATCH_MESSAGES = 256,   /* and how many */
    GROUPS = 16,            /* of one client */
    GROUP_NAME_MAX = 63,
    SEG_COST = 64,             /* bytes a waiting piece is charged on top */
    NOTSENT_LOWAT = 128 << 10, /* bytes the kernel holds for a client that does not take them */
    CLOSE_WAIT_MS = 1000,      /* for the answer to our close frame */
    STOP_WAIT_MS = 300         /* the same when the whole program ends */
};

/* Bytes of frames, shared by all queues that hold a part of them. */
struct chunk {
    unsigned refs;
    size_t charged; /* of f->memory; 0 as long as it is the batch's */
    struct buf data;
};

struct seg {
    struct chunk *chunk;
    size_t off, len;
    size_t start;  /* at or before off, where the frame begins that off lies in */
    bool may_skip; /* whole frames of it may be left out; then start is known */
};

/* What waits for one client; a ring whose room is a power of two. */
struct outq {
    struct seg *seg;
    uint32_t head, count, cap;
    size_t bytes;
    size_t newest;    /* bytes of what was added last */
    size_t skip_next; /* more must wait before it is worth while to skip again */
};

/* Frames encoded in this turn of the loop lie one behind the other in one chunk, so what goes to a
 * client is mostly one piece and one send(). */
struct batch {
    struct chunk *chunk;
    uint64_t time[BATCH_MESSAGES]; /* of the messages in it, for the latency */
    size_t messages;
};

/* A part of the batch; may_skip: one frame that a client which is behind need not get. */
struct span {
    size_t off, len;
    bool may_skip;
};

enum client_state {
    CLIENT_OPEN,
    CLIENT_LEAVING, /* a close frame is on its way; reported as closed already */
    CLIENT_GONE     /* descriptor closed, memory lives until the loop has let go */
};

/* What follows when the close frame has been written. */
enum client_end {
    END_WAIT, /* the answer is waited for */
    END_FAIL, /* our side is shut; what still comes is thrown away until the other shuts too */
    END_DONE  /* it was the answer: over */
};

struct group {
    uint64_t hash;
    char *name;
};

struct client {
    struct fanout *f;
    uint64_t id;
    int fd, events;
    uv_poll_t poll;
    enum client_state state;
    enum client_end end;
    size_t index; /* in f->open or f->leaving */
    struct client *next_in_bucket;
    char peer[64];
    uint64_t who; /* its address, see tries.h */
    struct group group[GROUPS];
    size_t groups;

    struct outq out;
    bool dirty;     /* stands in f->dirty */
    bool full;      /* the socket takes no more; we wait for it to be writable */
    uint64_t order; /* the last one that was queued here, so that none is queued twice */

    wslay_event_context_ptr ws;
    const uint8_t *in; /* bytes wslay has still to take, */
    size_t in_len;
    uint64_t in_time;   /* read at this time */
    struct buf msg;     /* fragments so far */
    struct buf early;   /* came with the hand-over while our output was full: not read yet */
    size_t held;        /* storage of these two, part of f->memory */
    uint64_t begun_ms;  /* msg was begun; 0 = no message is being received */
    uint8_t opcode;     /* of the frame being read */
    unsigned fault;     /* close code for what our own limits object to; 0 = nothing */
    uint64_t rate_ns;   /* until when the allowance is used up */
    uint16_t peer_code; /* of its close frame */
    char peer_reason[WSFRAME_REASON_MAX + 1];

    uint64_t sent, seen, asked; /* marks: queued, confirmed, last one asked about */
    uint64_t heard_ms;          /* bytes came */
    uint64_t progress_ms;       /* the queue got shorter, or began */
    uint64_t ping_ms;           /* the oldest ping without an answer; 0 = none */
    uint64_t deadline_ms;       /* when leaving */
};

struct options {
    const char *socket;
    struct opt_list skip; /* topics */
    int64_t clients, per_address, queue, skip_above, memory, stall_ms, ping_ms, pong_ms,
        max_message, message_ms, rate;
};

/* A sender that keeps its connection. */
struct sender {
    struct fanout *f;
    int fd;
    uint64_t used; /* f->takes when it was heard last */
    uv_poll_t poll;
};

struct counts {
    uint64_t clients, opened, closed, refused, crowded, cut_slow, cut_flood, cut_dead, cut_memory,
        cut_late;
    uint64_t faults;
    uint64_t messages, frames, bytes, sends, skipped;
    uint64_t texts, binaries, pings, pongs, bad_handovers;
};

struct fanout {
    struct stage *st;
    struct options opt;
    struct counts n;

    struct client **open, **leaving, **dirty;
    size_t open_count, leaving_count, dirty_count, max_clients;
    struct crowd crowd;     /* open and leaving clients by address; httpd looks there */
    struct client **bucket; /* open clients by id */
    size_t buckets;         /* a power of two */
    uint64_t next_id;
    struct batch batch;
    uint64_t queued;    /* bytes over all clients; what several wait for counts several times */
    uint64_t memory;    /* storage of receive buffers and queues; what is shared counts once */
    size_t early;       /* clients with bytes that are not read yet */
    uint64_t order;     /* number of the order being carried out */
    uint64_t confirmed; /* the last mark that everybody was asked to confirm */
    bool changed;       /* number of clients, not yet published */
    bool blocked;       /* an output is full: clients are not read */
    bool stopping;

    char name[64]; /* of the socket */
    struct door door;
    struct sender *sender[SENDERS];
    size_t senders;
    uint64_t takes;
    uv_timer_t tick;
    uv_prepare_t prepare;
    uv_check_t check;
};

static inline uint64_t fanout_ms(const struct fanout *f) {
    return uv_now(&f->st->loop);
}

/* ---- senders.c ---- */
int senders_open(struct fanout *f, struct err *e);
void senders_close(struct fanout *f);

/* ---- client.c ---- */
int client_table_open(struct fanout *f);
/* Once NAME.sock is ours. */
void client_crowd_open(struct fanout *f);
void client_table_free(struct fanout *f);
/* Takes fd over, in any case. */
void client_add(struct fanout *f, int fd, const struct handover *h);
struct client *client_find(const struct fanout *f, uint64_t id);
void client_poll(struct client *c);
/* The client counts no more and is reported as closed; a close frame stands in its queue. */
void client_leave(struct client *c, unsigned code, const char *reason, enum cause cause,
                  enum client_end end);
/* The same with the close frame. */
void client_close(struct client *c, unsigned code, const char *reason, enum cause cause,
                  enum client_end end);
/* At once and without a word. */
void client_drop(struct client *c, const char *reason, enum cause cause);
/* Its queue is empty now. */
void client_written(struct client *c);
void client_finish(struct client *c);

/* ---- group.c ---- */
uint64_t group_hash(const char *name, size_t n);
bool group_has(const struct client *c, uint64_t hash, const char *name, size_t n);
/* False when the client is in too many already or the name is too long. */
bool group_join(struct client *c, const char *name, size_t n);
void group_leave(struct client *c, const char *name, size_t n);
void group_clear(struct client *c);

/* ---- receive.c ---- */
int receive_open(struct client *c);
void receive_readable(struct client *c);
/* Bytes that came at time_ns. */
void receive_feed(struct client *c, const uint8_t *p, size_t n, uint64_t time_ns);
/* The same, now or as soon as our output has room. */
void receive_first(struct client *c, const uint8_t *p, size_t n);
/* What waited for that; to be called in each turn of the loop. */
void receive_waiting(struct fanout *f);
/* Close a client whose message is not wanted any more; its buffers are given back. */
void receive_refuse(struct client *c, unsigned code, const char *reason);
void receive_give_back(struct client *c);
void receive_free(struct client *c);

/* ---- order.c ---- */
void order_take(struct fanout *f, const struct msg *m);

/* ---- out.c ---- */
/* Room for a message in the batch: flushes when there is none. */
void out_room(struct fanout *f);
struct span out_frame(struct fanout *f, enum wsframe_opcode op, const void *p, size_t n);
struct span out_close_frame(struct fanout *f, unsigned code, const char *reason);
struct span out_bytes(struct fanout *f, const void *p, size_t n);
void out_queue(struct client *c, struct span s);
void out_flush(struct fanout *f);
void out_writable(struct client *c);
/* What --queue and --skip-above are about. */
static inline size_t out_waiting(const struct outq *q) {
    return q->bytes + (size_t)q->count * SEG_COST;
}
/* Piece i of what waits, the oldest is 0. */
struct seg *out_seg(const struct outq *q, uint32_t i);
/* Room for one piece more. */
void out_make_room(struct client *c);
void out_release(struct fanout *f, struct chunk *k);
/* Its part of f->memory: of a chunk that n pieces lie in, each is charged the n-th part. */
size_t out_share(const struct client *c);
void out_free(struct client *c);
void out_batch_free(struct fanout *f);

/* ---- skip.c ---- */
int skip_check(const struct options *o, struct err *e);
/* Whether messages of this topic may be left out where a client is behind. */
bool skip_allows(const struct fanout *f, const struct msg *m);
/* n bytes more are to wait: when all is more than --skip-above, the oldest frames that may be left
 * out go until half of it waits. */
void skip_oldest(struct client *c, size_t n);
/* off has moved on: so does start. */
void skip_advance(struct seg *s);

/* ---- watch.c ---- */
void watch_open(struct fanout *f);
/* There is a client: time matters. */
void watch_start(struct fanout *f);
void watch_heard(struct client *c);
/* The client is asked for a sign of life; the ping itself is the caller's. */
void watch_asked(struct client *c);
/* Reading goes on after a pause in which nobody could be heard. */
void watch_resume(struct fanout *f);
void watch_close(struct fanout *f);

/* ---- memory.c ---- */
/* Something that took `before` bytes takes `after` now. */
void memory_charge(struct fanout *f, size_t before, size_t after);
/* Above --memory the client that holds most is closed, and so on. */
void memory_check(struct fanout *f);

/* ---- event.c ---- */
void event_open(struct client *c, const struct handover *h);
void event_message(struct client *c, bool text, const void *p, size_t n);
void event_closed(struct client *c, unsigned code, const char *reason, enum cause cause);
void event_clients(struct fanout *f);
void event_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body, size_t n);

#endif
