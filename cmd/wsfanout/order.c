#include <stdio.h>
#include <string.h>

#include "fanout.h"
#include "log.h"

/* One message from the bus, its body read in one pass. */
struct order {
    const struct msg *m;
    enum wsframe_opcode op; /* 0 = neither text nor data */
    const uint8_t *payload;
    size_t len;
    bool everybody, confirm, has_mark, bad;
    struct mp_value to; /* when not everybody */
    struct mp_cursor items;
    uint64_t except, mark;
};

/* ---- reading ---- */

static void bad(struct fanout *f, const struct msg *m, const char *what) {
    static struct log_limit wrong;
    f->st->stats.bad++;
    log_limited(&wrong, LOG_WARN, "%.*s ignored: %s", (int)m->topic_len, m->topic, what);
}

static void take_payload(struct order *o, enum wsframe_opcode op, const struct mp_value *v) {
    bool fits = op == WSFRAME_TEXT ? v->type == MP_STR : v->type == MP_BIN || v->type == MP_STR;
    if (!fits || o->op == WSFRAME_TEXT)
        return;
    o->op = op;
    o->payload = v->p;
    o->len = v->len;
}

static void take_number(struct order *o, const struct mp_value *v, uint64_t *into) {
    if (v->type == MP_UINT)
        *into = v->u;
    else
        o->bad = true;
}

static void take_to(struct order *o, const struct mp_value *v, const uint8_t *items,
                    const uint8_t *end) {
    o->everybody = false;
    o->to = *v;
    o->items = (struct mp_cursor){items, end};
    o->bad |= v->type != MP_UINT && v->type != MP_STR && v->type != MP_ARRAY;
}

static void take_pair(struct order *o, const struct mp_value *key, const struct mp_value *v,
                      const struct mp_cursor *after) {
    if (mp_is(key, "text")) {
        take_payload(o, WSFRAME_TEXT, v);
    } else if (mp_is(key, "data")) {
        take_payload(o, WSFRAME_BINARY, v);
    } else if (mp_is(key, "to")) {
        take_to(o, v, after->at, after->end);
    } else if (mp_is(key, "except")) {
        take_number(o, v, &o->except);
    } else if (mp_is(key, "mark")) {
        take_number(o, v, &o->mark);
        o->has_mark = true;
    } else if (mp_is(key, "confirm")) {
        o->confirm = v->type == MP_BOOL && v->b;
    }
}

/* The body is a well-formed map: msg_parse has seen to it. */
static void read_order(struct order *o, const struct msg *m) {
    struct mp_cursor c = {m->body, m->body + m->body_len};
    struct mp_value map, key, value;
    *o = (struct order){.m = m, .everybody = true};
    if (mp_read(&c, &map) != 1 || map.type != MP_MAP)
        return;
    for (uint32_t i = 0; i < map.len; i++) {
        if (mp_read(&c, &key) != 1 || key.type != MP_STR)
            return;
        struct mp_cursor at = c;
        if (mp_skip(&c) != 1 || mp_read(&at, &value) != 1)
            return;
        take_pair(o, &key, &value, &at);
    }
}

/* ---- sending ---- */

struct parcel {
    const struct order *o;
    struct span span;
    unsigned frames;
};

static void give(struct client *c, const struct parcel *p) {
    const struct order *o = p->o;
    struct fanout *f = c->f;
    if (c->order == f->order || c->id == o->except)
        return;
    c->order = f->order;
    out_queue(c, p->span);
    f->n.frames++;
    if (!o->has_mark)
        return;
    c->sent = o->mark;
    if (!o->confirm)
        return;
    if (o->mark < c->asked) /* whoever counts the marks has started again */
        c->seen = 0;
    c->asked = o->mark;
    f->n.pings++;
    watch_asked(c);
}

static void give_group(struct fanout *f, const struct mp_value *name, const struct parcel *p) {
    uint64_t hash = group_hash((const char *)name->p, name->len);
    for (size_t i = 0; i < f->open_count; i++)
        if (group_has(f->open[i], hash, (const char *)name->p, name->len))
            give(f->open[i], p);
}

static void give_one(struct fanout *f, const struct mp_value *to, const struct parcel *p) {
    struct client *c = to->type == MP_UINT ? client_find(f, to->u) : NULL;
    if (c)
        give(c, p);
    else if (to->type == MP_STR)
        give_group(f, to, p);
}

static void give_all(struct fanout *f, const struct parcel *p) {
    if (p->o->has_mark && p->o->confirm)
        f->confirmed = p->o->mark;
    for (size_t i = 0; i < f->open_count; i++)
        give(f->open[i], p);
}

static void give_listed(struct fanout *f, const struct parcel *p) {
    struct mp_cursor at = p->o->items;
    struct mp_value v;
    for (uint32_t i = 0; i < p->o->to.len; i++) {
        struct mp_cursor item = at;
        if (mp_skip(&at) != 1 || mp_read(&item, &v) != 1)
            return;
        give_one(f, &v, p);
    }
}

static struct span encode(struct fanout *f, const struct order *o) {
    struct span s = out_frame(f, o->op, o->payload, o->len);
    if (!o->confirm || !o->has_mark)
        return s;
    char text[24];
    int n = snprintf(text, sizeof text, "m%llu", (unsigned long long)o->mark);
    s.len += out_frame(f, WSFRAME_PING, text, (size_t)n).len;
    return s;
}

static void send_order(struct fanout *f, const struct order *o) {
    if (o->op == WSFRAME_TEXT && !wsframe_utf8(o->payload, o->len)) {
        bad(f, o->m, "its text is not UTF-8");
        return;
    }
    out_room(f);
    struct parcel p = {.o = o, .span = encode(f, o)};
    p.span.may_skip = !o->has_mark && skip_allows(f, o->m);
    f->order++;
    if (o->everybody)
        give_all(f, &p);
    else if (o->to.type == MP_ARRAY)
        give_listed(f, &p);
    else
        give_one(f, &o->to, &p);
    f->n.messages++;
    f->batch.time[f->batch.messages++] = o->m->time;
}

/* ---- steering ---- */

static void join(struct client *c, const struct msg *m) {
    const char *name;
    size_t n;
    if (!mp_get_str(m->body, m->body_len, "group", &name, &n))
        bad(c->f, m, "there is no group in it");
    else if (!group_join(c, name, n))
        bad(c->f, m, "a client can be in 16 groups, with names of 1 to 63 bytes");
}

static void leave(struct client *c, const struct msg *m) {
    const char *name;
    size_t n;
    if (mp_get_str(m->body, m->body_len, "group", &name, &n))
        group_leave(c, name, n);
    else
        bad(c->f, m, "there is no group in it");
}

static void kick(struct client *c, const struct msg *m) {
    uint64_t code = WSFRAME_NORMAL;
    char reason[WSFRAME_REASON_MAX + 1] = "";
    mp_get_uint(m->body, m->body_len, "code", &code);
    mp_get_cstr(m->body, m->body_len, "reason", reason, sizeof reason);
    if (code > 4999 || !wsframe_code_valid((unsigned)code)) {
        bad(c->f, m, "its code may not be sent (1000 to 1014 and 3000 to 4999 may)");
        return;
    }
    out_room(c->f);
    if (c->state == CLIENT_OPEN)
        client_close(c, (unsigned)code, reason, CAUSE_OK, END_WAIT);
}

/* A client that has just left is no mistake of whoever steers. */
static void steer(struct fanout *f, const struct msg *m,
                  void (*what)(struct client *, const struct msg *)) {
    uint64_t id;
    if (!mp_get_uint(m->body, m->body_len, "client", &id)) {
        bad(f, m, "there is no client number in it");
        return;
    }
    struct client *c = client_find(f, id);
    if (c)
        what(c, m);
}

void order_take(struct fanout *f, const struct msg *m) {
    struct order o;
    if (f->stopping)
        return;
    if (msg_has_prefix(m, "ws.")) {
        if (msg_is(m, "ws.join"))
            steer(f, m, join);
        else if (msg_is(m, "ws.leave"))
            steer(f, m, leave);
        else if (msg_is(m, "ws.kick"))
            steer(f, m, kick);
        if (msg_is(m, "ws.join") || msg_is(m, "ws.leave") || msg_is(m, "ws.kick"))
            return;
    }
    read_order(&o, m);
    if (o.bad)
        bad(f, m, "to, except or mark is of a type it cannot have");
    else if (o.op)
        send_order(f, &o);
}
