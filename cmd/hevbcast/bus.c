#include <string.h>

#include "hevbcast.h"

enum { LISTED = 5000 /* clients in one reply, which must stay below RPC_MAX */ };

/* ---- what is published ---- */

/* Numbers go on over a restart, so that a late answer is not taken for another's: they begin with
 * the time in ms. */
void bus_open(struct hevbcast *h) {
    h->next_id = clock_wall_ns() / 1000000u;
    pub_retain(&h->st.pub, "hev.alarms");
    pub_retain(&h->st.pub, "hev.clients");
    bus_alarms(h);
    bus_clients(h);
}

void bus_alarms(struct hevbcast *h) {
    struct buf *b = stage_begin(&h->st, "hev.alarms", 0, 1);
    mp_put_str(b, "alarms");
    alarms_put(&h->alarms, b);
    stage_end(&h->st);
    h->alarms_changed = false;
}

static void put_counts(const struct hevbcast *h, struct buf *b) {
    mp_kv_uint(b, "webui", h->port_clients[PORT_WEBUI]);
    mp_kv_uint(b, "native", h->port_clients[PORT_NATIVE]);
    mp_kv_uint(b, "cut", h->n.cut_slow);
}

void bus_clients(struct hevbcast *h) {
    put_counts(h, stage_begin(&h->st, "hev.clients", 0, 3));
    stage_end(&h->st);
    h->clients_changed = false;
}

static void put_word(struct buf *b, const char *key, const char *v) {
    mp_kv_str(b, key, *v ? v : NULL);
}

static void put_param(struct buf *b, const struct answer *a) {
    bool whole = a->param >= 0 && a->param <= UINT32_MAX && a->param == (uint32_t)a->param;
    if (!a->has_param)
        mp_kv_nil(b, "param");
    else if (whole)
        mp_kv_uint(b, "param", (uint32_t)a->param);
    else
        mp_kv_double(b, "param", a->param);
}

void bus_command(struct hevbcast *h, const struct answer *a, const char *client, const char *from) {
    struct buf *b = stage_begin(&h->st, "hev.command", 0, a->ack ? 6 : 7);
    mp_kv_str(b, "client", client);
    mp_kv_str(b, "from", from);
    put_word(b, "cmdtype", a->cmdtype);
    put_word(b, "cmd", a->cmd);
    put_param(b, a);
    mp_kv_str(b, "reply", a->ack ? "ack" : "nack");
    if (!a->ack)
        mp_kv_str(b, "reason", a->reason);
    stage_end(&h->st);
}

uint64_t bus_send(struct hevbcast *h, const char *kind, const uint8_t *p, size_t n) {
    uint64_t age_ns = (uint64_t)h->opt.max_age_ms * 1000000u;
    if (h->blocked)
        return 0;
    struct buf *b = stage_begin(&h->st, "hev.send", 0, age_ns ? 4 : 3);
    mp_kv_uint(b, "id", ++h->next_id);
    mp_kv_str(b, "kind", kind);
    mp_kv_bin(b, "data", p, n);
    if (age_ns)
        mp_kv_uint(b, "until", clock_wall_ns() + age_ns);
    stage_end(&h->st);
    return h->next_id;
}

/* ---- what is asked for ---- */

static void reply_values(struct hevbcast *h, struct rpc_call *call, const uint8_t *body, size_t n) {
    char want[32] = "";
    int type = HEV_DATA;
    if (mp_get_cstr(body, n, "type", want, sizeof want))
        for (type = HEV_TYPES - 1; type > 0; type--)
            if (strcmp(want, hev_type_name(type)) == 0)
                break;
    if (type <= 0 || buf_len(&h->body[type]) == 0) {
        rpc_reply_error(call, "no %s has come yet", *want ? want : "DATA");
        return;
    }
    struct buf *b = rpc_reply_begin(call, 2);
    mp_kv_str(b, "type", hev_type_name(type));
    mp_put_str(b, "values");
    buf_put(b, buf_data(&h->body[type]), buf_len(&h->body[type]));
    rpc_reply_end(call);
}

static void reply_request(struct hevbcast *h, struct rpc_call *call, const uint8_t *body,
                          size_t n) {
    struct answer a = {0};
    const char *text;
    size_t len;
    if (!mp_get_str(body, n, "text", &text, &len)) {
        rpc_reply_error(call, "\"text\" is missing: the JSON that a TCP client would send");
        return;
    }
    request_take(h, text, len, "bus", "bus", &a);
    struct buf *b = rpc_reply_begin(call, 2);
    mp_kv_str(b, "reply", a.ack ? "ack" : "nack");
    mp_kv_str(b, "reason", a.reason);
    rpc_reply_end(call);
}

static void reply_alarms(struct hevbcast *h, struct rpc_call *call) {
    struct buf *b = rpc_reply_begin(call, 1);
    mp_put_str(b, "alarms");
    alarms_put(&h->alarms, b);
    rpc_reply_end(call);
}

static void put_client(struct buf *b, const struct client *c) {
    mp_put_map(b, 6);
    mp_kv_str(b, "peer", c->peer);
    mp_kv_str(b, "port", c->port == PORT_WEBUI ? "webui" : "native");
    mp_kv_uint(b, "sent", c->texts);
    mp_kv_uint(b, "coalesced", c->coalesced);
    mp_kv_uint(b, "dropped", c->dropped);
    mp_kv_uint(b, "queue", c->count);
}

static void reply_clients(struct hevbcast *h, struct rpc_call *call) {
    size_t n = h->client_count < LISTED ? h->client_count : LISTED;
    struct buf *b = rpc_reply_begin(call, 4);
    put_counts(h, b);
    mp_put_str(b, "clients");
    mp_put_array(b, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        put_client(b, h->client[i]);
    rpc_reply_end(call);
}

void bus_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body, size_t n) {
    struct hevbcast *h = ctx;
    if (strcmp(op, "values") == 0)
        reply_values(h, call, body, n);
    else if (strcmp(op, "alarms") == 0)
        reply_alarms(h, call);
    else if (strcmp(op, "clients") == 0)
        reply_clients(h, call);
    else if (strcmp(op, "request") == 0)
        reply_request(h, call, body, n);
    else
        rpc_reply_error(call,
                        "hevbcast does not know the request \"%s\" (there are values, alarms, "
                        "clients and request)",
                        op);
}
