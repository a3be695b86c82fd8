#include "put.h"

static void answer(struct rpc_call *call, uint64_t count) {
    mp_kv_uint(rpc_reply_begin(call, 1), "count", count);
    rpc_reply_end(call);
}

/* ---- what is asked for ---- */

struct asked {
    struct msg one; /* topic NULL: data */
    const uint8_t *data;
    size_t len;
    bool keep_time;
};

static const char *parse_one(const uint8_t *p, size_t n, struct asked *a) {
    struct mp_value v;
    struct mp_cursor at;
    if (!mp_get_str(p, n, "topic", &a->one.topic, &a->one.topic_len) ||
        !msg_topic_valid(a->one.topic, a->one.topic_len))
        return "\"topic\" must be a dotted lower-case name";
    if (!mp_find(p, n, "body", &v, &at) || v.type != MP_MAP)
        return "\"body\" must be a map";
    a->one.body = at.at;
    if (mp_skip(&at) != 1)
        return "\"body\" is not whole";
    a->one.body_len = (size_t)(at.at - a->one.body);
    if (a->keep_time && !mp_get_uint(p, n, "time", &a->one.time))
        return "keep_time needs \"time\", nanoseconds since 1970";
    return NULL;
}

/* All or nothing: looked at to the end before the first is published. */
static const char *check_data(const uint8_t *p, size_t n) {
    struct msg m;
    while (n) {
        long r = msg_parse(p, n, &m);
        if (r <= 0)
            return r ? "\"data\" holds something that is no message"
                     : "\"data\" ends inside a message";
        p += r;
        n -= (size_t)r;
    }
    return NULL;
}

/* NULL, or what is wrong. */
static const char *parse(const uint8_t *p, size_t n, struct asked *a) {
    *a = (struct asked){0};
    mp_get_bool(p, n, "keep_time", &a->keep_time);
    if (mp_get_bin(p, n, "data", &a->data, &a->len))
        return check_data(a->data, a->len);
    return parse_one(p, n, a);
}

/* ---- publishing ---- */

static void relay(struct pub *pub, struct msg m, bool keep_time) {
    if (!keep_time)
        m.time = 0; /* the publisher's word for now */
    pub_relay(pub, &m, NULL);
}

static uint64_t publish(struct pub *pub, const struct asked *a) {
    uint64_t before = pub->sent;
    struct msg m;
    if (a->one.topic)
        relay(pub, a->one, a->keep_time);
    for (size_t at = 0; at < a->len; at += m.raw_len) {
        msg_parse(a->data + at, a->len - at, &m);
        relay(pub, m, a->keep_time);
    }
    return pub->sent - before;
}

void put_request(struct put_requests *p, struct rpc_call *call, const uint8_t *body, size_t n) {
    struct asked a;
    const char *wrong = parse(body, n, &a);
    if (wrong) {
        rpc_reply_error(call, "put: %s", wrong);
        return;
    }
    if (p->pub->blocked && p->waiting == PUT_WAITING) {
        rpc_reply_error(call, "put: the output is full and %d requests wait already", PUT_WAITING);
        return;
    }
    uint64_t count = publish(p->pub, &a);
    pub_flush(p->pub);
    if (!p->pub->blocked || p->waiting == PUT_WAITING) {
        answer(call, count);
        return;
    }
    p->call[p->waiting] = call;
    p->count[p->waiting++] = count;
}

void put_unblocked(struct put_requests *p) {
    for (size_t i = 0; i < p->waiting; i++)
        answer(p->call[i], p->count[i]);
    p->waiting = 0;
}
