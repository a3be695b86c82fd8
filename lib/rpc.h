/* rpc: requests and replies between programs, msgpack maps over NNG req/rep.
 *
 * A request is {op: "...", ...}; the reply is {ok: true, ...} or {ok: false, error: "text"}.
 * Any number of requests may be open on either side; nothing blocks; every deadline is a loop
 * timer.
 */
#ifndef TAPLINE_RPC_H
#define TAPLINE_RPC_H

#include <nng/nng.h>
#include <uv.h>

#include "endpoint.h"
#include "mp.h"

enum {
    RPC_SERVERS = 8,
    RPC_REQUEST_MAX = MSG_MAX + 1024, /* bytes of one request: a whole message goes into a put */
    RPC_MAX = 4 << 20,  /* bytes of one reply; what is longer is refused with a text, as there */
    RPC_PENDING = 1024, /* requests open at a time; one more is refused with a text */
    RPC_WINDOW = 48     /* sent at a time, the others wait: NNG drops replies silently above 64 */
};

/* ---- answering ---- */

struct rpc_call;

struct rpc_server {
    uv_loop_t *loop;
    struct rpc_listener *listener[RPC_SERVERS];
    size_t listeners;
    size_t open_calls; /* taken and not answered yet */
    uint64_t requests;
    /* One request has come: op is NUL-terminated, body is the whole map. Answer now or later, once,
     * with rpc_reply_* (which frees the call), and before the server is freed. */
    void (*on_request)(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                       size_t n);
    void *ctx;
};

int rpc_server_init(struct rpc_server *s, uv_loop_t *loop);
/* Listen on the endpoint's rep address. */
int rpc_server_add(struct rpc_server *s, const struct endpoint *ep, struct err *e);
void rpc_server_close(struct rpc_server *s);
void rpc_server_free(struct rpc_server *s);
/* Close the sockets of a server whose loop will not run any more. */
void rpc_server_abandon(struct rpc_server *s);

/* {ok: true} plus `keys` pairs that the caller appends to the buffer returned; then rpc_reply_end.
 */
struct buf *rpc_reply_begin(struct rpc_call *call, uint32_t keys);
void rpc_reply_end(struct rpc_call *call);
void rpc_reply_ok(struct rpc_call *call);
void rpc_reply_error(struct rpc_call *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- asking ---- */

/* What became of a request. On a time-out, or when nobody answers there, ok is false, body is NULL
 * and error says so. Pointers are valid during the call only. */
struct rpc_result {
    bool ok;
    const char *error; /* "" when ok */
    enum cause cause;  /* CAUSE_OK; CAUSE_TIMEOUT; CAUSE_FAILED for a refusal; CAUSE_LIMIT when it
                        * was not sent; CAUSE_PROTOCOL when the reply made no sense */
    const uint8_t *body;
    size_t len;
};
typedef void (*rpc_done)(void *ctx, const struct rpc_result *r);

struct rpc_client {
    uv_loop_t *loop;
    struct endpoint ep;
    nng_socket sock;
    uv_poll_t poll, sendable;
    uv_timer_t timer;
    bool open;
    uint32_t next_id;
    struct rpc_pending *pending; /* open requests, oldest first */
    size_t open_requests;
    size_t under_way; /* sent and not answered yet; at most RPC_WINDOW */
};

int rpc_client_open(struct rpc_client *c, uv_loop_t *loop, const char *endpoint, struct err *e);
/* Start a request: append `keys` pairs to b after this, then send it. */
void rpc_request_begin(struct buf *b, const char *op, uint32_t keys);
/* Send the encoded map in b (unchanged); done is called exactly once, later, unless the client is
 * closed first. A request to an endpoint that is not there yet is kept until the time-out; one
 * whose answerer dies is not sent again, for it may have been carried out, and times out. done may
 * send further requests and may close the client. */
void rpc_request(struct rpc_client *c, const struct buf *b, unsigned timeout_ms, rpc_done done,
                 void *ctx);
void rpc_client_close(struct rpc_client *c);

/* One request from a program without a loop: dial, ask, wait. The reply map is appended to reply.
 */
int rpc_ask(const char *endpoint, const struct buf *request, unsigned timeout_ms, struct buf *reply,
            struct err *e);

#endif
