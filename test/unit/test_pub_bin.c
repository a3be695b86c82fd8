#include <stdatomic.h>
#include <stdlib.h>

#include "loop.h"
#include "pub.h"
#include "rundir_test.h"
#include "sock.h"
#include "sub.h"

/* Messages whose data goes out from where it lies, between others that do not. */

enum { MESSAGES = 60 };

static uv_loop_t loop;
static struct err e;
static uint8_t data[3 << 20];

struct listener {
    struct sub sub;
    int messages, wrong;
};

/* Below, at and above the size from which data goes apart; a few are larger than a pipe. */
static size_t size_of(int i) {
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 70000, 300000, sizeof data};
    return sizes[i % 8];
}

static uint8_t byte_of(int i) {
    return (uint8_t)(i * 37 + 1);
}

static void on_msg(void *ctx, const struct msg *m) {
    struct listener *l = ctx;
    const uint8_t *p;
    size_t n;
    uint64_t i = 0;
    bool ok = mp_get_uint(m->body, m->body_len, "i", &i) && (int)i == l->messages;
    if (ok && msg_is(m, "image")) {
        ok = mp_get_bin(m->body, m->body_len, "data", &p, &n) && n == size_of((int)i);
        for (size_t k = 0; ok && k < n; k++)
            ok = p[k] == byte_of((int)i);
    }
    l->wrong += !ok;
    l->messages++;
}

static void image_send(struct pub *p, int i) {
    struct buf *b = pub_begin(p, "image", 0, 2);
    mp_kv_uint(b, "i", (uint64_t)i);
    mp_put_str(b, "data");
    memset(data, byte_of(i), size_of(i));
    CHECK(pub_end_bin(p, data, size_of(i)) > 0);
    memset(data, 0, size_of(i)); /* it is ours again */
}

static void send_some(struct pub *p, struct listener *l) {
    for (int i = 0; i < MESSAGES; i++) {
        if (i % 3) {
            image_send(p, i);
        } else {
            mp_kv_uint(pub_begin(p, "note", 0, 1), "i", (uint64_t)i);
            pub_end(p);
        }
        if (pub_queued(p) > PUB_PIPE_BYTES / 2)
            RUN_UNTIL(&loop, pub_queued(p) == 0);
    }
    pub_flush(p);
    RUN_UNTIL(&loop, l->messages == MESSAGES);
}

static void both_open(struct pub *p, struct listener *l, const char *endpoint) {
    uv_loop_init(&loop);
    CHECK_INT(pub_init(p, &loop), 0);
    sub_init(&l->sub, &loop);
    l->sub.ctx = l;
    l->sub.on_msg = on_msg;
    CHECK_INT(pub_add(p, endpoint, &e), 0);
    CHECK_INT(sub_add(&l->sub, endpoint, &e), 0);
}

static void both_close(struct pub *p, struct listener *l) {
    CHECK_INT(l->wrong, 0);
    CHECK_INT(p->dropped + l->sub.lost + l->sub.skipped_bytes, 0);
    CHECK_INT(p->sent, MESSAGES);
    CHECK_INT(p->out[0]->count->bytes, l->sub.bytes);
    sub_close(&l->sub);
    pub_close(p, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    sub_free(&l->sub);
    pub_free(p);
    sock_fini();
}

static void go(const char *endpoint, bool nng) {
    static struct pub p;
    static struct listener l;
    make_test_dir();
    both_open(&p, &l, endpoint);
    if (nng)
        RUN_UNTIL(&loop, atomic_load(&p.out[0]->pipes) > 0);
    send_some(&p, &l);
    both_close(&p, &l);
}

TEST(through_a_pipe) {
    go("fifo:x", false);
}

TEST(through_nng) {
    go("x", true);
}

TEST(state_is_kept_with_its_data) {
    static struct pub p;
    static struct listener l;
    make_test_dir();
    uv_loop_init(&loop);
    CHECK_INT(pub_init(&p, &loop), 0);
    CHECK_INT(pub_add(&p, "x", &e), 0);
    pub_retain(&p, "image");
    l.messages = 5;
    image_send(&p, 5);
    sub_init(&l.sub, &loop);
    l.sub.ctx = &l;
    l.sub.on_msg = on_msg;
    CHECK_INT(sub_add(&l.sub, "x", &e), 0);
    RUN_UNTIL(&loop, l.messages == 6);
    CHECK_INT(l.wrong, 0);
    sub_close(&l.sub);
    pub_close(&p, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    sub_free(&l.sub);
    pub_free(&p);
    sock_fini();
}

TEST(too_long_with_its_data) {
    static struct pub p;
    make_test_dir();
    uv_loop_init(&loop);
    CHECK_INT(pub_init(&p, &loop), 0);
    mp_put_str(pub_begin(&p, "image", 0, 1), "data");
    CHECK_INT(pub_end_bin(&p, data, MSG_MAX), 0);
    CHECK_INT(p.dropped, 1);
    CHECK_INT(p.sent, 0);
    pub_close(&p, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    pub_free(&p);
}
