#include <stdlib.h>

#include "loop.h"
#include "rpc.h"
#include "rundir_test.h"
#include "sock.h"

static uv_loop_t loop;
static struct err e;

/* ---- the side that answers ---- */

struct answerer {
    struct rpc_server s;
    struct rpc_call *held[RPC_PENDING + 10]; /* "hold" is answered when the test says so */
    size_t holds;
    int asked;
};

static void on_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                       size_t n) {
    struct answerer *a = ctx;
    a->asked++;
    if (strcmp(op, "double") == 0) {
        uint64_t v = 0;
        mp_get_uint(body, n, "value", &v);
        mp_kv_uint(rpc_reply_begin(call, 1), "value", 2 * v);
        rpc_reply_end(call);
    } else if (strcmp(op, "ok") == 0) {
        rpc_reply_ok(call);
    } else if (strcmp(op, "hold") == 0) {
        a->held[a->holds++] = call;
    } else if (strcmp(op, "flood") == 0) {
        uint8_t *p = mem_alloc(RPC_MAX);
        mp_kv_bin(rpc_reply_begin(call, 1), "data", p, RPC_MAX);
        rpc_reply_end(call);
        free(p);
    } else {
        rpc_reply_error(call, "no \"%s\" here", op);
    }
}

static void answerer_open(struct answerer *a, const char *name) {
    struct endpoint ep;
    CHECK_INT(endpoint_parse(&ep, name, &e), 0);
    rpc_server_init(&a->s, &loop);
    a->s.ctx = a;
    a->s.on_request = on_request;
    if (rpc_server_add(&a->s, &ep, &e) < 0)
        test_fail(__FILE__, __LINE__, "%s", e.text);
}

static void answer_held(struct answerer *a) {
    for (size_t i = 0; i < a->holds; i++)
        rpc_reply_ok(a->held[i]);
    a->holds = 0;
}

static void turn(void) {
    for (int i = 0; i < 5; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
}

static void answerer_close(struct answerer *a) {
    rpc_server_close(&a->s);
    turn();
    answer_held(a); /* nobody hears it any more, but it must not harm */
    CHECK_INT(a->s.open_calls, 0);
    rpc_server_free(&a->s);
}

/* ---- the side that asks ---- */

struct answer {
    int calls;
    bool ok;
    enum cause cause;
    char error[512];
    uint64_t value;
    struct rpc_client *close, *ask_again;
};

static void ask(struct rpc_client *c, struct answer *a, const char *op, uint64_t value,
                unsigned timeout_ms);

static void on_done(void *ctx, const struct rpc_result *r) {
    struct answer *a = ctx;
    a->calls++;
    a->ok = r->ok;
    a->cause = r->cause;
    snprintf(a->error, sizeof a->error, "%s", r->error);
    if (r->body)
        mp_get_uint(r->body, r->len, "value", &a->value);
    struct rpc_client *again = a->ask_again;
    a->ask_again = NULL;
    if (again)
        ask(again, a, "double", 50, 5000);
    if (a->close)
        rpc_client_close(a->close);
}

static void ask(struct rpc_client *c, struct answer *a, const char *op, uint64_t value,
                unsigned timeout_ms) {
    struct buf b = {0};
    rpc_request_begin(&b, op, 1);
    mp_kv_uint(&b, "value", value);
    rpc_request(c, &b, timeout_ms, on_done, a);
    buf_free(&b);
}

static void client_open(struct rpc_client *c, const char *name) {
    if (rpc_client_open(c, &loop, name, &e) < 0)
        test_fail(__FILE__, __LINE__, "%s", e.text);
}

static void begin(void) {
    make_test_dir();
    uv_loop_init(&loop);
}

static void end(void) {
    loop_finish(&loop);
    sock_fini();
}

TEST(request_reply_and_refusal) {
    static struct answerer s;
    struct rpc_client c;
    struct answer a = {0}, b = {0};
    begin();
    answerer_open(&s, "x");
    client_open(&c, "x");
    ask(&c, &a, "double", 21, 5000);
    ask(&c, &b, "nonsense", 0, 5000);
    CHECK_INT(a.calls, 0); /* later, never within the call */
    RUN_UNTIL(&loop, a.calls && b.calls);
    CHECK(a.ok);
    CHECK_INT(a.value, 42);
    CHECK_STR(a.error, "");
    CHECK(!b.ok);
    CHECK_INT(b.cause, CAUSE_FAILED);
    CHECK_STR(b.error, "no \"nonsense\" here");
    run_for(&loop, 5);
    CHECK_INT(a.calls, 1);
    CHECK_INT(c.open_requests, 0);
    rpc_client_close(&c);
    rpc_client_close(&c);
    answerer_close(&s);
    end();
}

TEST(many_at_once_answered_out_of_order) {
    static struct answerer s;
    static struct answer a[500];
    struct rpc_client c;
    begin();
    answerer_open(&s, "x");
    client_open(&c, "x");
    for (int i = 0; i < 500; i++)
        ask(&c, &a[i], i % 25 ? "double" : "hold", (uint64_t)i, 8000);
    RUN_UNTIL(&loop, s.asked == 500 && c.open_requests == 20);
    for (size_t i = s.holds; i-- > 0;)
        rpc_reply_ok(s.held[i]);
    s.holds = 0;
    RUN_UNTIL(&loop, c.open_requests == 0);
    for (int i = 0; i < 500; i++) {
        CHECK_INT(a[i].calls, 1);
        CHECK(a[i].ok);
        CHECK_INT(a[i].value, i % 25 ? 2 * i : 0);
    }
    rpc_client_close(&c);
    answerer_close(&s);
    end();
}

TEST(nobody_there_yet_and_nobody_at_all) {
    static struct answerer s;
    struct rpc_client c;
    struct answer a = {0}, b = {0};
    begin();
    client_open(&c, "x");
    ask(&c, &a, "double", 1, 9000);
    ask(&c, &b, "double", 1, 30);
    RUN_UNTIL(&loop, b.calls);
    CHECK(!b.ok);
    CHECK_INT(b.cause, CAUSE_TIMEOUT);
    CHECK_STR(b.error, "x: nobody answers there");
    CHECK_INT(a.calls, 0);
    answerer_open(&s, "x");
    RUN_UNTIL(&loop, a.calls);
    CHECK(a.ok);
    CHECK_INT(s.asked, 1); /* what timed out is not asked late */
    rpc_client_close(&c);
    answerer_close(&s);
    end();
}

TEST(late_reply_is_ignored) {
    static struct answerer s;
    struct rpc_client c;
    struct answer a = {0}, b = {0};
    begin();
    answerer_open(&s, "x");
    client_open(&c, "x");
    ask(&c, &a, "hold", 0, 100);
    RUN_UNTIL(&loop, a.calls && s.holds);
    CHECK_INT(a.cause, CAUSE_TIMEOUT);
    CHECK_STR(a.error, "x: no answer in time");
    answer_held(&s);
    ask(&c, &b, "ok", 0, 5000);
    RUN_UNTIL(&loop, b.calls);
    CHECK_INT(a.calls, 1);
    CHECK(b.ok);
    rpc_client_close(&c);
    answerer_close(&s);
    end();
}

TEST(answerer_dies_with_a_request_and_comes_back) {
    static struct answerer s, again;
    struct rpc_client c;
    struct answer a = {0}, b = {0};
    begin();
    answerer_open(&s, "x");
    client_open(&c, "x");
    ask(&c, &a, "hold", 0, 300);
    RUN_UNTIL(&loop, s.holds);
    answerer_close(&s);
    answerer_open(&again, "x");
    ask(&c, &b, "double", 4, 9000);
    RUN_UNTIL(&loop, a.calls && b.calls);
    CHECK_INT(a.cause, CAUSE_TIMEOUT);
    CHECK_INT(b.value, 8);
    CHECK_INT(again.asked, 1); /* the first was not repeated: it may have been carried out */
    rpc_client_close(&c);
    answerer_close(&again);
    end();
}

TEST(client_goes_before_the_reply) {
    static struct answerer s;
    struct rpc_client c, d;
    struct answer a = {0}, b = {0};
    begin();
    answerer_open(&s, "x");
    client_open(&c, "x");
    ask(&c, &a, "hold", 0, 5000);
    RUN_UNTIL(&loop, s.holds);
    rpc_client_close(&c);
    turn();
    answer_held(&s);
    client_open(&d, "x");
    ask(&d, &b, "ok", 0, 5000);
    RUN_UNTIL(&loop, b.calls);
    CHECK_INT(a.calls, 0);
    rpc_client_close(&d);
    answerer_close(&s);
    end();
}

TEST(closing_and_asking_from_within_the_answer) {
    static struct answerer s;
    struct rpc_client c, d;
    struct answer a = {.ask_again = &c}, closes = {.close = &c}, never = {0}, timed = {.close = &d},
                  pending = {0};
    begin();
    answerer_open(&s, "x");
    client_open(&c, "x");
    client_open(&d, "nobody");
    ask(&c, &a, "double", 1, 5000);
    RUN_UNTIL(&loop, a.calls == 2);
    CHECK_INT(a.value, 100);
    ask(&c, &never, "hold", 1, 5000);
    ask(&c, &closes, "ok", 1, 5000);
    ask(&d, &timed, "ok", 1, 20); /* closes from the timer */
    ask(&d, &pending, "ok", 1, 20);
    RUN_UNTIL(&loop, closes.calls && timed.calls);
    run_for(&loop, 40);
    CHECK_INT(never.calls + pending.calls, 0);
    answerer_close(&s);
    end();
}

TEST(bounds_are_refused_with_a_text) {
    static struct answerer s;
    static struct answer many[RPC_PENDING], more;
    struct answer big = {0}, flood = {0};
    struct rpc_client c;
    struct buf b = {0};
    begin();
    answerer_open(&s, "x");
    client_open(&c, "x");
    rpc_request_begin(&b, "ok", 1);
    uint8_t *block = mem_alloc(RPC_REQUEST_MAX);
    mp_kv_bin(&b, "data", block, RPC_REQUEST_MAX);
    rpc_request(&c, &b, 5000, on_done, &big);
    ask(&c, &flood, "flood", 0, 5000);
    RUN_UNTIL(&loop, big.calls && flood.calls);
    CHECK_INT(big.cause, CAUSE_LIMIT);
    CHECK_STR(big.error, "x: the request is longer than a message may be (32 MB)");
    CHECK_INT(flood.cause, CAUSE_FAILED);
    CHECK(strstr(flood.error, "the reply would be 4194"));
    for (int i = 0; i < RPC_PENDING; i++)
        ask(&c, &many[i], "double", 0, 9000);
    ask(&c, &more, "ok", 0, 9000);
    RUN_UNTIL(&loop, more.calls);
    CHECK_INT(more.cause, CAUSE_LIMIT);
    CHECK_STR(more.error, "x: 1024 requests wait for an answer already");
    RUN_UNTIL(&loop, c.open_requests == 0);
    for (int i = 0; i < RPC_PENDING; i++) /* NNG would drop some of them without a word */
        CHECK(many[i].ok);
    free(block);
    buf_free(&b);
    rpc_client_close(&c);
    answerer_close(&s);
    end();
}

TEST(answerer_takes_a_bounded_number_from_all_clients) {
    enum { CLIENTS = RPC_PENDING / RPC_WINDOW + 1 };
    static struct answerer s;
    static struct rpc_client c[CLIENTS];
    struct answer held = {0}, after = {0};
    begin();
    answerer_open(&s, "x");
    for (int i = 0; i < CLIENTS; i++) {
        client_open(&c[i], "x");
        for (int k = 0; k < RPC_WINDOW && i * RPC_WINDOW + k < RPC_PENDING; k++)
            ask(&c[i], &held, "hold", 0, 60000);
    }
    RUN_UNTIL(&loop, s.holds == RPC_PENDING);
    ask(&c[CLIENTS - 1], &after, "ok", 0, 9000);
    RUN_UNTIL(&loop, after.calls);
    CHECK_STR(after.error, "1024 requests wait for an answer already, no more are taken");
    answer_held(&s);
    RUN_UNTIL(&loop, held.calls == RPC_PENDING);
    CHECK(held.ok);
    for (int i = 0; i < CLIENTS; i++)
        rpc_client_close(&c[i]);
    answerer_close(&s);
    end();
}

TEST(requests_that_make_no_sense) {
    static const char *const requests[] = {"\xc1",           "\x80", "\x93\x01\x02\x03",
                                           "\x81\xa2op\x05", "",     "\x81\xa2op\xa2ok\x01"};
    static struct answerer s;
    struct rpc_client c;
    struct answer a = {0};
    begin();
    answerer_open(&s, "x");
    client_open(&c, "x");
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct buf b = {0};
        buf_puts(&b, requests[i]);
        buf_reserve(&b, 1);
        rpc_request(&c, &b, 5000, on_done, &a);
        RUN_UNTIL(&loop, a.calls == (int)i + 1);
        CHECK(!a.ok);
        CHECK_INT(a.cause, CAUSE_FAILED);
        CHECK(strstr(a.error, "the request "));
        buf_free(&b);
    }
    CHECK_INT(s.asked, 0);
    rpc_client_close(&c);
    answerer_close(&s);
    end();
}

TEST(waiting_for_nobody_costs_nothing) {
    struct rpc_client c;
    struct answer a = {0};
    begin();
    client_open(&c, "nobody");
    ask(&c, &a, "ok", 0, 60000);
    uint64_t turns = 0, stop = clock_mono_ns() + 300000000u;
    uv_timer_t limit;
    uv_timer_init(&loop, &limit);
    uv_timer_start(&limit, loop_tick, 310, 0);
    for (; clock_mono_ns() < stop; turns++)
        uv_run(&loop, UV_RUN_ONCE);
    CHECK(turns < 50);
    uv_close((uv_handle_t *)&limit, NULL);
    rpc_client_close(&c);
    end();
}

TEST(asking_without_a_loop) {
    struct buf b = {0}, reply = {0};
    begin();
    rpc_request_begin(&b, "ok", 0);
    CHECK_INT(rpc_ask("nobody", &b, 20, &reply, &e), -1);
    CHECK_INT(e.cause, CAUSE_TIMEOUT);
    CHECK_STR(e.text, "nobody: nobody answers there");
    CHECK_INT(rpc_ask("fifo:x", &b, 20, &reply, &e), -1);
    CHECK_INT(e.cause, CAUSE_USAGE);
    CHECK_INT(rpc_ask("a/b", &b, 20, &reply, NULL), -1);
    buf_free(&b);
    buf_free(&reply);
    end();
}

TEST(address_in_use) {
    static struct answerer s;
    struct rpc_server other = {0};
    struct endpoint ep;
    begin();
    answerer_open(&s, "x");
    CHECK_INT(endpoint_parse(&ep, "x", &e), 0);
    rpc_server_init(&other, &loop);
    CHECK_INT(rpc_server_add(&other, &ep, &e), -1);
    CHECK_INT(e.cause, CAUSE_BUSY);
    CHECK(strstr(e.text, "cannot answer requests at x"));
    CHECK_INT(other.listeners, 0);
    answerer_close(&s);
    end();
}
