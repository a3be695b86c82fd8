#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "rpc.h"
#include "sock.h"
#include "tls.h"

enum {
    DRAIN_MAX = 64,
    OP_BYTES = 64,
    HEADER_BYTES = 64 /* NNG's own addresses in front count into RECVMAXSZ */
};

struct rpc_listener {
    struct rpc_server *server;
    nng_socket sock; /* raw mode: the reply is addressed by the request's header */
    struct endpoint ep;
    uv_poll_t poll;
};

struct rpc_call {
    struct rpc_server *server;
    nng_socket sock;
    nng_msg *msg; /* the request; its header is kept for the reply */
    struct buf reply;
};

static void call_free(struct rpc_call *c) {
    if (c->msg)
        nng_msg_free(c->msg);
    c->server->open_calls--;
    buf_free(&c->reply);
    free(c);
}

static void serve(struct rpc_listener *l, nng_msg *m) {
    struct rpc_server *s = l->server;
    struct rpc_call *call = mem_alloc(sizeof *call);
    call->server = s;
    call->sock = l->sock;
    call->msg = m;
    const uint8_t *p = nng_msg_body(m);
    size_t n = nng_msg_len(m);
    struct mp_cursor c = {p, p + n};
    char op[OP_BYTES];
    s->requests++;
    if (++s->open_calls > RPC_PENDING)
        rpc_reply_error(call, "%d requests wait for an answer already, no more are taken",
                        RPC_PENDING);
    else if (mp_skip(&c) != 1 || c.at != c.end)
        rpc_reply_error(call, "the request is no msgpack map");
    else if (!mp_get_cstr(p, n, "op", op, sizeof op))
        rpc_reply_error(call, "the request has no \"op\" (a text of at most %d bytes)",
                        OP_BYTES - 1);
    else
        s->on_request(s->ctx, call, op, p, n);
}

static void readable(uv_poll_t *h, int status, int events) {
    struct rpc_listener *l = h->data;
    (void)status;
    (void)events;
    for (int i = 0; i < DRAIN_MAX; i++) {
        nng_msg *m;
        if (nng_recvmsg(l->sock, &m, NNG_FLAG_NONBLOCK) != 0)
            return;
        serve(l, m);
    }
}

int rpc_server_init(struct rpc_server *s, uv_loop_t *loop) {
    s->loop = loop;
    return 0;
}

static int listen_on(struct rpc_listener *l, const struct endpoint *ep, int *fd, struct err *e) {
    int r = nng_rep0_open_raw(&l->sock);
    if (r != 0)
        return r;
    nng_socket_set_int(l->sock, NNG_OPT_RECVBUF, RPC_PENDING);
    nng_socket_set_int(l->sock, NNG_OPT_SENDBUF, RPC_PENDING);
    nng_socket_set_size(l->sock, NNG_OPT_RECVMAXSZ, RPC_REQUEST_MAX + HEADER_BYTES);
    r = tls_listen(l->sock, ep->rep, e);
    return r ? r : nng_socket_get_int(l->sock, NNG_OPT_RECVFD, fd);
}

int rpc_server_add(struct rpc_server *s, const struct endpoint *ep, struct err *e) {
    if (s->listeners == RPC_SERVERS)
        return err_set(e, CAUSE_USAGE, "%s: at most %d endpoints", ep->name, RPC_SERVERS);
    struct rpc_listener *l = mem_alloc(sizeof *l);
    l->ep = *ep;
    int fd, r = listen_on(l, ep, &fd, e);
    if (r != 0) {
        sock_close(l->sock, 0);
        free(l);
        if (r < 0)
            return -1;
        return err_set(e, r == NNG_EADDRINUSE ? CAUSE_BUSY : CAUSE_FAILED,
                       "cannot answer requests at %s (%s): %s", ep->name, ep->rep, nng_strerror(r));
    }
    l->server = s;
    s->listener[s->listeners++] = l;
    l->poll.data = l;
    if ((r = uv_poll_init(s->loop, &l->poll, fd)) == 0)
        r = uv_poll_start(&l->poll, UV_READABLE, readable);
    return r == 0 ? 0 : err_set(e, CAUSE_FAILED, "cannot watch %s: %s", ep->rep, uv_strerror(r));
}

static void poll_closed(uv_handle_t *h) {
    struct rpc_listener *l = h->data;
    sock_close_at(l->sock, l->ep.rep);
}

void rpc_server_close(struct rpc_server *s) {
    for (size_t i = 0; i < s->listeners; i++)
        if (!uv_is_closing((uv_handle_t *)&s->listener[i]->poll))
            uv_close((uv_handle_t *)&s->listener[i]->poll, poll_closed);
}

void rpc_server_free(struct rpc_server *s) {
    for (size_t i = 0; i < s->listeners; i++)
        free(s->listener[i]);
    s->listeners = 0;
}

void rpc_server_abandon(struct rpc_server *s) {
    for (size_t i = 0; i < s->listeners; i++)
        sock_close_at(s->listener[i]->sock, s->listener[i]->ep.rep);
}

/* ---- replies ---- */

struct buf *rpc_reply_begin(struct rpc_call *call, uint32_t keys) {
    buf_clear(&call->reply);
    mp_put_map(&call->reply, keys + 1);
    mp_kv_bool(&call->reply, "ok", true);
    return &call->reply;
}

void rpc_reply_end(struct rpc_call *call) {
    nng_msg *m = call->msg;
    if (buf_len(&call->reply) > RPC_MAX - HEADER_BYTES) {
        rpc_reply_error(call, "the reply would be %zu bytes long, at most %d go",
                        buf_len(&call->reply), RPC_MAX - HEADER_BYTES);
        return;
    }
    nng_msg_clear(m);
    if (nng_msg_append(m, buf_data(&call->reply), buf_len(&call->reply)) == 0 &&
        nng_sendmsg(call->sock, m, NNG_FLAG_NONBLOCK) == 0)
        call->msg = NULL;
    else
        log_debug("a reply of %zu bytes could not be sent", buf_len(&call->reply));
    call_free(call);
}

void rpc_reply_ok(struct rpc_call *call) {
    rpc_reply_begin(call, 0);
    rpc_reply_end(call);
}

void rpc_reply_error(struct rpc_call *call, const char *fmt, ...) {
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    buf_clear(&call->reply);
    mp_put_map(&call->reply, 2);
    mp_kv_bool(&call->reply, "ok", false);
    mp_kv_str(&call->reply, "error", text);
    rpc_reply_end(call);
}
