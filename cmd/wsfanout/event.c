#include <string.h>

#include "fanout.h"
#include "log.h"

/* LISTED: clients in one reply, which must stay below RPC_MAX. */
enum { OUTPUT_BYTES = 1 << 20, LISTED = 5000 };

void event_open(struct client *c, const struct handover *h) {
    struct stage *st = c->f->st;
    struct buf *b = stage_begin(st, "ws.open", 0, 5);
    mp_kv_uint(b, "client", c->id);
    mp_kv_str(b, "peer", h->peer);
    mp_kv_str(b, "path", h->path);
    mp_kv_str(b, "query", h->query);
    mp_kv_str(b, "group", h->group);
    stage_end(st);
    log_debug("client %llu: %s %s", (unsigned long long)c->id, h->peer, h->path);
}

/* The pipe is asked to take what is there as soon as much is: it then pushes back before the next
 * client is read, not after all of them. */
void event_message(struct client *c, bool text, const void *p, size_t n) {
    struct stage *st = c->f->st;
    struct buf *b = stage_begin(st, text ? "ws.text" : "ws.binary", c->in_time, 4);
    mp_kv_uint(b, "client", c->id);
    if (text)
        mp_kv_strn(b, "text", p, n);
    else
        mp_kv_bin(b, "data", p, n);
    mp_kv_uint(b, "sent", c->sent);
    mp_kv_uint(b, "seen", c->seen);
    stage_end(st);
    *(text ? &c->f->n.texts : &c->f->n.binaries) += 1;
    if (pub_queued(&st->pub) > OUTPUT_BYTES)
        pub_flush(&st->pub);
}

void event_closed(struct client *c, unsigned code, const char *reason, enum cause cause) {
    struct stage *st = c->f->st;
    struct buf *b = stage_begin(st, "ws.closed", 0, 4);
    mp_kv_uint(b, "client", c->id);
    mp_kv_uint(b, "code", code);
    mp_kv_str(b, "reason", reason);
    mp_kv_str(b, "cause", cause_name(cause));
    stage_end(st);
    c->f->n.closed++;
    log_debug("client %llu (%s) closed: %u %s", (unsigned long long)c->id, c->peer, code,
              cause_name(cause));
}

void event_clients(struct fanout *f) {
    struct buf *b = stage_begin(f->st, "ws.clients", 0, 1);
    mp_kv_uint(b, "count", f->open_count);
    stage_end(f->st);
    f->changed = false;
}

/* ---- requests ---- */

static void put_client(struct buf *b, const struct client *c) {
    mp_put_map(b, 6);
    mp_kv_uint(b, "client", c->id);
    mp_kv_str(b, "peer", c->peer);
    mp_kv_uint(b, "queue", c->out.bytes);
    mp_kv_uint(b, "sent", c->sent);
    mp_kv_uint(b, "seen", c->seen);
    mp_put_str(b, "groups");
    mp_put_array(b, (uint32_t)c->groups);
    for (size_t i = 0; i < c->groups; i++)
        mp_put_str(b, c->group[i].name);
}

static void list_clients(const struct fanout *f, struct rpc_call *call) {
    size_t n = f->open_count < LISTED ? f->open_count : LISTED;
    struct buf *b = rpc_reply_begin(call, 2);
    mp_kv_uint(b, "count", f->open_count);
    mp_put_str(b, "clients");
    mp_put_array(b, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        put_client(b, f->open[i]);
    rpc_reply_end(call);
}

void event_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                   size_t n) {
    (void)body;
    (void)n;
    if (strcmp(op, "clients") == 0)
        list_clients(ctx, call);
    else
        rpc_reply_error(call, "wsfanout does not know the request \"%s\" (clients is one)", op);
}
