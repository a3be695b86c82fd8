/* queue: pictures on their way to the disk. They wait here, in order, and are written by libuv's
 * worker threads, so a slow disk never holds up the loop. */
#ifndef IMGWRITE_QUEUE_H
#define IMGWRITE_QUEUE_H

#include <nettle/sha2.h>
#include <uv.h>

#include "buf.h"
#include "ledger.h"
#include "save.h"

enum { VERIFIED_SIZE = 16 };

struct job {
    struct queue *queue;
    struct job *next;
    uv_work_t work;
    struct name_facts facts;
    uint64_t time;     /* of the message */
    uint64_t taken_ns; /* monotonic */
    /* What proved the picture whole, in the words of whoever put it together: sha256, sum, none;
     * "" = nothing was said. */
    char verified[VERIFIED_SIZE];
    struct buf data;

    /* Filled by the worker. */
    bool saved, remade;
    char name[NAME_BYTES];
    uint8_t sha256[SHA256_DIGEST_SIZE];
    struct err error;
};

struct queue {
    /* Set by the owner. */
    uv_loop_t *loop;
    struct save_place *place;
    struct ledger *ledger;
    bool hash;
    uint64_t limit, limit_bytes; /* waiting and being written */
    unsigned writers;
    /* A job is over; it is the queue's again after this. */
    void (*on_done)(void *ctx, const struct job *j);
    void *ctx;

    uint64_t count, bytes; /* waiting and being written */
    /* Its own. */
    unsigned under_way;
    struct job *first, *last; /* waiting */
    struct job *spare;
    unsigned spares;
};

/* An empty job to be filled in, for queue_put. */
struct job *queue_job(struct queue *q);
void queue_put(struct queue *q, struct job *j);

bool queue_full(const struct queue *q);
/* There is room again for more than just one. */
bool queue_roomy(const struct queue *q);

/* Throw away the picture that waits longest; false when none waits (those being written stay). */
bool queue_drop_oldest(struct queue *q);

/* Free all; nothing is under way any more. */
void queue_free(struct queue *q);

#endif
