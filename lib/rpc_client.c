#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msg.h"
#include "rpc.h"
#include "sock.h"
#include "tls.h"

enum { DRAIN_MAX = 64, RECONNECT_MIN_MS = 100, RECONNECT_MAX_MS = 500, ERROR_BYTES = 512 };

struct rpc_pending {
    struct rpc_pending *next;
    uint32_t id;
    uint64_t deadline;   /* loop time, ms */
    nng_msg *unsent;     /* NULL once it is under way */
    const char *refused; /* why it is not even tried; NULL: it is */
    rpc_done done;
    void *ctx;
};

static void arm(struct rpc_client *c);

static void finish(struct rpc_client *c, struct rpc_pending **at, const struct rpc_result *r) {
    struct rpc_pending *p = *at;
    *at = p->next;
    c->open_requests--;
    if (p->unsent)
        nng_msg_free(p->unsent);
    else if (!p->refused)
        c->under_way--;
    p->done(p->ctx, r);
    free(p);
}

static void fail(struct rpc_client *c, struct rpc_pending **at, enum cause cause,
                 const char *what) {
    char text[ERROR_BYTES];
    snprintf(text, sizeof text, "%s: %s", c->ep.name, what);
    struct rpc_result r = {.error = text, .cause = cause};
    finish(c, at, &r);
}

static void expire(struct rpc_client *c, struct rpc_pending **at) {
    struct rpc_pending *p = *at;
    if (p->refused)
        fail(c, at, CAUSE_LIMIT, p->refused);
    else if (p->unsent && c->under_way < RPC_WINDOW)
        fail(c, at, CAUSE_TIMEOUT, tls_silence(c->ep.rep));
    else
        fail(c, at, CAUSE_TIMEOUT, "no answer in time");
}

static void writable(uv_poll_t *h, int status, int events);

/* Send what waits, oldest first. The socket queues nothing, so that nothing is delivered after its
 * time-out; it takes one message at a time and says on its second descriptor when it takes another
 * (or when the endpoint is there at last). */
static void send_waiting(struct rpc_client *c) {
    for (struct rpc_pending *p = c->pending; p && c->under_way < RPC_WINDOW; p = p->next) {
        if (!p->unsent)
            continue;
        if (nng_sendmsg(c->sock, p->unsent, NNG_FLAG_NONBLOCK) != 0) {
            uv_poll_start(&c->sendable, UV_READABLE, writable);
            return;
        }
        p->unsent = NULL;
        c->under_way++;
    }
    uv_poll_stop(&c->sendable);
}

static void writable(uv_poll_t *h, int status, int events) {
    (void)status;
    (void)events;
    send_waiting(h->data);
}

static void on_timer(uv_timer_t *t) {
    struct rpc_client *c = t->data;
    uint64_t now = uv_now(c->loop);
    for (struct rpc_pending **at = &c->pending; *at;) {
        if ((*at)->deadline <= now) {
            expire(c, at);
            if (!c->open)
                return;
            continue;
        }
        at = &(*at)->next;
    }
    send_waiting(c);
    arm(c);
}

static void arm(struct rpc_client *c) {
    uint64_t now = uv_now(c->loop), next = UINT64_MAX;
    for (struct rpc_pending *p = c->pending; p; p = p->next)
        next = p->deadline < next ? p->deadline : next;
    if (next == UINT64_MAX)
        uv_timer_stop(&c->timer);
    else
        uv_timer_start(&c->timer, on_timer, next > now ? next - now : 0, 0);
}

static void parse_result(const uint8_t *p, size_t n, struct rpc_result *r, char *error) {
    struct mp_cursor at = {p, p + n};
    *error = 0;
    *r = (struct rpc_result){.error = error, .cause = CAUSE_OK, .body = p, .len = n};
    if (mp_skip(&at) != 1 || !mp_get_bool(p, n, "ok", &r->ok)) {
        r->cause = CAUSE_PROTOCOL;
        snprintf(error, ERROR_BYTES, "the reply is no msgpack map with \"ok\"");
    } else if (!r->ok) {
        r->cause = CAUSE_FAILED;
        if (!mp_get_cstr(p, n, "error", error, ERROR_BYTES))
            snprintf(error, ERROR_BYTES, "refused without a reason");
    }
}

static void take(struct rpc_client *c, nng_msg *m) {
    uint32_t id;
    char error[ERROR_BYTES];
    if (nng_msg_header_len(m) < 4 || nng_msg_header_chop_u32(m, &id) != 0)
        return;
    for (struct rpc_pending **at = &c->pending; *at; at = &(*at)->next) {
        if ((*at)->id != id)
            continue;
        struct rpc_result r;
        parse_result(nng_msg_body(m), nng_msg_len(m), &r, error);
        finish(c, at, &r);
        return;
    }
}

static void readable(uv_poll_t *h, int status, int events) {
    struct rpc_client *c = h->data;
    (void)status;
    (void)events;
    for (int i = 0; i < DRAIN_MAX && c->open; i++) {
        nng_msg *m;
        if (nng_recvmsg(c->sock, &m, NNG_FLAG_NONBLOCK) != 0)
            break;
        take(c, m);
        nng_msg_free(m);
    }
    if (!c->open)
        return;
    send_waiting(c);
    arm(c);
}

static int dial(struct rpc_client *c, int *fd, int *send_fd, struct err *e) {
    int r = nng_req0_open_raw(&c->sock);
    if (r != 0)
        return r;
    nng_socket_set_int(c->sock, NNG_OPT_SENDBUF, 0);
    nng_socket_set_int(c->sock, NNG_OPT_RECVBUF, RPC_PENDING);
    nng_socket_set_size(c->sock, NNG_OPT_RECVMAXSZ, RPC_MAX);
    nng_socket_set_ms(c->sock, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
    nng_socket_set_ms(c->sock, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
    r = tls_dial(c->sock, c->ep.rep, e);
    if (r == 0)
        r = nng_socket_get_int(c->sock, NNG_OPT_SENDFD, send_fd);
    return r ? r : nng_socket_get_int(c->sock, NNG_OPT_RECVFD, fd);
}

int rpc_client_open(struct rpc_client *c, uv_loop_t *loop, const char *endpoint, struct err *e) {
    int fd, send_fd;
    *c = (struct rpc_client){.loop = loop};
    if (endpoint_parse(&c->ep, endpoint, e) < 0)
        return -1;
    if (c->ep.kind != ENDPOINT_NNG)
        return err_set(e, CAUSE_USAGE, "%s takes no requests (name an endpoint)", endpoint);
    int r = dial(c, &fd, &send_fd, e);
    if (r != 0)
        sock_close(c->sock, 0);
    if (r < 0)
        return -1;
    if (r > 0)
        return err_set(e, CAUSE_FAILED, "cannot reach %s (%s): %s", endpoint, c->ep.rep,
                       nng_strerror(r));
    uv_poll_init(loop, &c->poll, fd);
    uv_poll_init(loop, &c->sendable, send_fd);
    uv_timer_init(loop, &c->timer);
    c->poll.data = c->sendable.data = c->timer.data = c;
    c->open = true;
    return uv_poll_start(&c->poll, UV_READABLE, readable);
}

void rpc_request_begin(struct buf *b, const char *op, uint32_t keys) {
    mp_put_map(b, keys + 1);
    mp_kv_str(b, "op", op);
}

static nng_msg *make_msg(const struct buf *b, uint32_t id) {
    nng_msg *m;
    if (nng_msg_alloc(&m, 0) != 0)
        return NULL;
    if (nng_msg_append(m, buf_data(b), buf_len(b)) == 0 && nng_msg_header_append_u32(m, id) == 0)
        return m;
    nng_msg_free(m);
    return NULL;
}

void rpc_request(struct rpc_client *c, const struct buf *b, unsigned timeout_ms, rpc_done done,
                 void *ctx) {
    struct rpc_pending *p = mem_alloc(sizeof *p), **at = &c->pending;
    p->id = ++c->next_id | 0x80000000u; /* the top bit ends the header's chain of hops */
    uv_update_time(c->loop);
    p->deadline = uv_now(c->loop) + timeout_ms;
    p->done = done;
    p->ctx = ctx;
    if (buf_len(b) > RPC_REQUEST_MAX)
        p->refused = "the request is longer than a message may be (32 MB)";
    else if (c->open_requests >= RPC_PENDING)
        p->refused = "1024 requests wait for an answer already";
    else
        p->unsent = make_msg(b, p->id);
    if (p->refused)
        p->deadline = uv_now(c->loop);
    c->open_requests++;
    while (*at)
        at = &(*at)->next;
    *at = p;
    send_waiting(c);
    arm(c);
}

static void poll_closed(uv_handle_t *h) {
    struct rpc_client *c = h->data;
    sock_close(c->sock, 0);
}

void rpc_client_close(struct rpc_client *c) {
    if (!c->open)
        return;
    c->open = false;
    uv_close((uv_handle_t *)&c->sendable, NULL);
    uv_close((uv_handle_t *)&c->poll, poll_closed);
    uv_close((uv_handle_t *)&c->timer, NULL);
    while (c->pending) {
        struct rpc_pending *p = c->pending;
        c->pending = p->next;
        if (p->unsent)
            nng_msg_free(p->unsent);
        free(p);
    }
}

/* ---- without a loop of the caller's ---- */

struct ask {
    struct buf *reply;
    struct err *e;
    int result;
    bool done;
};

static void asked(void *ctx, const struct rpc_result *r) {
    struct ask *a = ctx;
    a->done = true;
    if (r->body)
        buf_put(a->reply, r->body, r->len);
    a->result = r->ok ? 0 : err_set(a->e, r->cause, "%s", r->error);
}

int rpc_ask(const char *endpoint, const struct buf *request, unsigned timeout_ms, struct buf *reply,
            struct err *e) {
    struct rpc_client c;
    struct ask a = {.reply = reply, .e = e};
    uv_loop_t loop;
    uv_loop_init(&loop);
    if (rpc_client_open(&c, &loop, endpoint, e) < 0) {
        uv_loop_close(&loop);
        return -1;
    }
    rpc_request(&c, request, timeout_ms, asked, &a);
    while (!a.done)
        uv_run(&loop, UV_RUN_ONCE);
    rpc_client_close(&c);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return a.result;
}
