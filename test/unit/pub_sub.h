/* pub_sub: one side that publishes and one that notes what it hears, for unit tests of both. */
#ifndef TAPLINE_TEST_PUB_SUB_H
#define TAPLINE_TEST_PUB_SUB_H

#include <fcntl.h>
#include <nng/nng.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "loop.h"
#include "pub.h"
#include "rundir_test.h"
#include "sock.h"
#include "sub.h"

static uv_loop_t loop;
static struct err e;

/* ---- one side that publishes, one that notes what it hears ---- */

struct talker {
    struct pub pub;
    int blocked, unblocked, broken;
};

struct listener {
    struct sub sub;
    struct buf heard; /* "topic value\n" */
    uint64_t messages, last_time, last_seq, gap, raw_bytes;
    int ends;
    size_t longest;
    uint64_t pause_after;
};

static inline void talker_blocked(void *ctx, bool blocked) {
    struct talker *t = ctx;
    *(blocked ? &t->blocked : &t->unblocked) += 1;
}

static inline void talker_broken(void *ctx, const char *endpoint, int error) {
    (void)endpoint;
    (void)error;
    ((struct talker *)ctx)->broken++;
}

static inline void talker_open(struct talker *t, const char *a, const char *b) {
    CHECK_INT(pub_init(&t->pub, &loop), 0);
    t->pub.ctx = t;
    t->pub.on_blocked = talker_blocked;
    t->pub.on_broken = talker_broken;
    if (pub_add(&t->pub, a, &e) < 0 || (b && pub_add(&t->pub, b, &e) < 0))
        test_fail(__FILE__, __LINE__, "%s", e.text);
}

/* The loop has run when this returns, so that a second talker can take the endpoint over. */
static inline void talker_close(struct talker *t) {
    pub_close(&t->pub, 0);
    for (int i = 0; i < 5; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    pub_free(&t->pub);
}

static inline uint64_t tell(struct talker *t, const char *topic, int64_t value) {
    mp_kv_int(pub_begin(&t->pub, topic, 0, 1), "value", value);
    uint64_t seq = pub_end(&t->pub);
    pub_flush(&t->pub);
    return seq;
}

static inline void on_msg(void *ctx, const struct msg *m) {
    struct listener *l = ctx;
    int64_t value = -1;
    mp_get_int(m->body, m->body_len, "value", &value);
    if (buf_len(&l->heard) < 10000)
        buf_printf(&l->heard, "%.*s %lld\n", (int)m->topic_len, m->topic, (long long)value);
    l->messages++;
    l->last_time = m->time;
    l->last_seq = m->seq;
    l->longest = m->raw_len > l->longest ? m->raw_len : l->longest;
    if (l->messages == l->pause_after)
        sub_pause(&l->sub, true);
}

static inline size_t on_raw(void *ctx, const uint8_t *p, size_t n, uint64_t time_ns) {
    struct listener *l = ctx;
    (void)p;
    l->last_time = time_ns;
    l->raw_bytes += n;
    return n;
}

static inline void on_gap(void *ctx, const char *topic, uint64_t missing) {
    (void)topic;
    ((struct listener *)ctx)->gap += missing;
}

static inline void on_end(void *ctx) {
    ((struct listener *)ctx)->ends++;
}

static inline void listener_init(struct listener *l) {
    CHECK_INT(sub_init(&l->sub, &loop), 0);
    l->sub.ctx = l;
    l->sub.on_msg = on_msg;
    l->sub.on_gap = on_gap;
    l->sub.on_end = on_end;
}

static inline void listener_add(struct listener *l, const char *endpoint) {
    if (sub_add(&l->sub, endpoint, &e) < 0)
        test_fail(__FILE__, __LINE__, "%s", e.text);
}

static inline void listener_open(struct listener *l, const char *endpoint) {
    listener_init(l);
    listener_add(l, endpoint);
}

static inline const char *heard(struct listener *l) {
    buf_putc(&l->heard, 0);
    l->heard.end--;
    return (const char *)buf_data(&l->heard);
}

static inline void listener_close(struct listener *l) {
    sub_close(&l->sub);
    for (int i = 0; i < 5; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    sub_free(&l->sub);
    buf_free(&l->heard);
}

static inline void begin(void) {
    make_test_dir();
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop);
}

static inline void end(void) {
    loop_finish(&loop);
    sock_fini();
}

/* Standard input and output become the two ends of a pipe; what the test says goes elsewhere. */
static inline void pipe_to_self(void) {
    int p[2];
    stdout = fdopen(dup(STDOUT_FILENO), "w");
    if (!stdout || pipe(p) < 0)
        abort();
    dup2(p[0], STDIN_FILENO);
    dup2(p[1], STDOUT_FILENO);
    close(p[0]);
    close(p[1]);
}

static inline void subscribed(struct talker *t) {
    RUN_UNTIL(&loop, atomic_load(&t->pub.out[0]->pipes) > 0);
}

/* ---- bytes put into a pipe, as a program of another kind would ---- */

static int fifo_in;
static inline void put_bytes(const void *p, size_t n) {
    CHECK_INT(write(fifo_in, p, n), n);
}

static inline void put_msg(const char *topic, uint64_t time, uint64_t seq) {
    struct buf b = {0};
    msg_put_head(&b, topic, strlen(topic), time, seq);
    mp_put_map(&b, 1);
    mp_kv_int(&b, "value", (int64_t)seq);
    put_bytes(buf_data(&b), buf_len(&b));
    buf_free(&b);
}

static inline void listener_on_fifo(struct listener *l) {
    char path[128];
    begin();
    listener_open(l, "fifo:x");
    snprintf(path, sizeof path, "%s/x.fifo", test_dir);
    fifo_in = open(path, O_WRONLY);
    CHECK(fifo_in >= 0);
}

static inline void listener_off_fifo(struct listener *l) {
    listener_close(l);
    close(fifo_in);
    end();
}

#endif
