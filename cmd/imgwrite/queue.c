#include "queue.h"

#include <stdlib.h>

enum {
    SPARES = 64,
    SPARE_BYTES = 256 << 10, /* memory of a larger picture is given back */
    AHEAD = 2 /* jobs per writer that libuv has, so that no writer waits for the loop */
};

struct job *queue_job(struct queue *q) {
    struct job *j = q->spare;
    if (!j)
        return mem_alloc(sizeof *j);
    q->spare = j->next;
    q->spares--;
    return j;
}

static void job_free(struct job *j) {
    buf_free(&j->data);
    free(j);
}

static void give_back(struct queue *q, struct job *j) {
    if (q->spares == SPARES || j->data.cap > SPARE_BYTES) {
        job_free(j);
        return;
    }
    buf_clear(&j->data);
    j->next = q->spare;
    q->spare = j;
    q->spares++;
}

static void leave(struct queue *q, struct job *j) {
    q->count--;
    q->bytes -= buf_len(&j->data);
}

/* ---- in a worker thread ---- */

static void hash(struct job *j) {
    struct sha256_ctx sha;
    sha256_init(&sha);
    sha256_update(&sha, buf_len(&j->data), buf_data(&j->data));
    sha256_digest(&sha, sizeof j->sha256, j->sha256);
}

static void work(uv_work_t *w) {
    struct job *j = w->data;
    struct queue *q = j->queue;
    if (q->hash)
        hash(j);
    j->saved = save_picture(q->place, &j->facts, buf_data(&j->data), buf_len(&j->data), j->name,
                            &j->remade, &j->error) == 0;
    atomic_fetch_add(&q->ledger->over, 1);
}

/* ---- on the loop ---- */

static void start(struct queue *q);

static void worked(uv_work_t *w, int status) {
    struct job *j = w->data;
    struct queue *q = j->queue;
    (void)status;
    q->under_way--;
    leave(q, j);
    start(q);
    q->on_done(q->ctx, j);
    give_back(q, j);
}

static struct job *take_first(struct queue *q) {
    struct job *j = q->first;
    if (j)
        q->first = j->next;
    if (!q->first)
        q->last = NULL;
    return j;
}

static void start(struct queue *q) {
    while (q->first && q->under_way < q->writers * AHEAD) {
        struct job *j = take_first(q);
        q->under_way++;
        uv_queue_work(q->loop, &j->work, work, worked);
    }
}

void queue_put(struct queue *q, struct job *j) {
    q->ledger->taken++;
    j->queue = q;
    j->work.data = j;
    j->next = NULL;
    if (q->last)
        q->last->next = j;
    else
        q->first = j;
    q->last = j;
    q->count++;
    q->bytes += buf_len(&j->data);
    start(q);
}

bool queue_full(const struct queue *q) {
    return q->count >= q->limit || q->bytes >= q->limit_bytes;
}

bool queue_roomy(const struct queue *q) {
    return q->count <= q->limit * 3 / 4 && q->bytes <= q->limit_bytes * 3 / 4;
}

bool queue_drop_oldest(struct queue *q) {
    struct job *j = take_first(q);
    if (!j)
        return false;
    leave(q, j);
    give_back(q, j);
    atomic_fetch_add(&q->ledger->over, 1);
    return true;
}

void queue_free(struct queue *q) {
    while (queue_drop_oldest(q))
        ;
    for (struct job *j; (j = q->spare); job_free(j))
        q->spare = j->next;
    q->spares = 0;
}
