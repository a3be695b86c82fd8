/* POST /system/restart {"stage": NAME}: the supervisor starts that stage, or section, again.
 * POST /system/put {"endpoint": NAME, "topic": T, "body": {...}}: the stage publishes it as its
 * own. Both answer {"ok": true, ...} or {"ok": false, "error": ...}, and are for few (admin.h).
 */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "conn.h"
#include "json.h"
#include "later.h"
#include "log.h"
#include "reply.h"
#include "system.h"

enum { NAME_BYTES = 64 };

/* One under way: it is asked through a client of its own, because a dialer to a name that may never
 * exist costs time as long as it is there. */
struct post {
    struct post *prev, *next;
    struct rpc_client client;
    struct request *q;
    bool ours; /* it restarts this very process */
};

static struct post *first_post;

/* ---- answers ---- */

static void answer(struct request *q, const struct rpc_result *r) {
    struct buf *out = &q->h->out;
    struct mp_cursor at = {r->body, r->body + r->len};
    buf_clear(out);
    if (r->ok && json_from_mp(out, &at, NULL) == 1)
        reply_json(q, 200, buf_data(out), buf_len(out));
    else
        reply_refusal(q, r->cause == CAUSE_FAILED ? 400 : 503, r->error);
}

/* The body as msgpack, appended to b. False, and answered, when it is no JSON object. */
static bool parse(struct request *q, struct buf *b) {
    struct err e;
    struct mp_value v;
    if (json_to_mp(b, (const char *)buf_data(&q->body), buf_len(&q->body), &e) < 0) {
        reply_refusal(q, 400, e.text);
        return false;
    }
    struct mp_cursor at = {buf_data(b), buf_data(b) + buf_len(b)};
    if (mp_read(&at, &v) == 1 && v.type == MP_MAP)
        return true;
    reply_refusal(q, 400, "the body must be a JSON object");
    return false;
}

/* ---- asking ---- */

static void post_end(struct post *p) {
    if (p->prev)
        p->prev->next = p->next;
    else
        first_post = p->next;
    if (p->next)
        p->next->prev = p->prev;
    rpc_client_close(&p->client);
    later(p->client.loop, free, p);
}

static void done(void *ctx, const struct rpc_result *r) {
    struct post *p = ctx;
    struct request *q = p->q;
    post_end(p);
    answer(q, r);
}

static void link_up(struct post *p) {
    p->next = first_post;
    if (p->next)
        p->next->prev = p;
    first_post = p;
}

/* Ask endpoint what h->out holds. */
static void ask(struct request *q, const char *endpoint, bool ours) {
    struct err e;
    struct post *p = mem_alloc(sizeof *p);
    if (rpc_client_open(&p->client, &q->h->st.loop, endpoint, &e) < 0) {
        free(p);
        reply_refusal(q, 503, e.text);
        return;
    }
    p->q = q;
    p->ours = ours;
    link_up(p);
    request_suspend(q);
    q->h->n.asks++;
    rpc_request(&p->client, &q->h->out, (unsigned)q->h->ask_timeout_ms, done, p);
}

/* The end of this process may come before the supervisor's answer; the restart was why. */
void post_stop(void) {
    static const char ok[] = "{\"ok\":true}";
    while (first_post) {
        struct post *p = first_post;
        struct request *q = p->q;
        bool ours = p->ours;
        post_end(p);
        if (ours)
            reply_json(q, 200, ok, sizeof ok - 1);
        else
            reply_refusal(q, 503, "the server is being stopped");
    }
}

static void say(const struct request *q, const char *what, const char *name) {
    char who[64];
    log_info("%s %s, asked for by %s", what, name, conn_peer(q->conn, who, sizeof who));
}

/* ---- restart ---- */

static void restart(struct request *q, const struct buf *asked) {
    struct buf *out = &q->h->out;
    char stage[NAME_BYTES];
    if (!mp_get_cstr(buf_data(asked), buf_len(asked), "stage", stage, sizeof stage) || !*stage) {
        reply_refusal(q, 400, "\"stage\" must be the name of a stage");
        return;
    }
    say(q, "restart of", stage);
    buf_clear(out);
    rpc_request_begin(out, "restart", 1);
    mp_kv_str(out, "stage", stage);
    ask(q, "supervisor", strcmp(stage, q->h->st.name) == 0);
}

/* ---- put ---- */

static const char *encode_put(struct buf *out, const uint8_t *p, size_t n) {
    const char *topic;
    size_t topic_len;
    struct mp_value v;
    struct mp_cursor at;
    if (!mp_get_str(p, n, "topic", &topic, &topic_len) || !msg_topic_valid(topic, topic_len))
        return "\"topic\" must be a dotted lower-case name, such as panel.press";
    if (!mp_find(p, n, "body", &v, &at) || v.type != MP_MAP)
        return "\"body\" must be an object";
    const uint8_t *body = at.at;
    mp_skip(&at);
    buf_clear(out);
    rpc_request_begin(out, "put", 2);
    mp_kv_strn(out, "topic", topic, topic_len);
    mp_put_str(out, "body");
    buf_put(out, body, (size_t)(at.at - body));
    return NULL;
}

static void put(struct request *q, const struct buf *asked) {
    const uint8_t *p = buf_data(asked);
    size_t n = buf_len(asked);
    char endpoint[NAME_BYTES];
    const char *wrong = "\"endpoint\" must be the name of an endpoint";
    if (mp_get_cstr(p, n, "endpoint", endpoint, sizeof endpoint) && endpoint_name_valid(endpoint))
        wrong = encode_put(&q->h->out, p, n);
    if (wrong) {
        reply_refusal(q, 400, wrong);
        return;
    }
    say(q, "message put into", endpoint);
    ask(q, endpoint, false);
}

/* ---- both ---- */

static void serve(struct request *q, void (*act)(struct request *q, const struct buf *asked)) {
    struct buf asked = {0};
    if (!admin_allows(q))
        return;
    if (q->h->stopping)
        reply_refusal(q, 503, "the server is being stopped");
    else if (parse(q, &asked))
        act(q, &asked);
    buf_free(&asked);
}

static void serve_restart(struct request *q) {
    serve(q, restart);
}

static void serve_put(struct request *q) {
    serve(q, put);
}

const struct action action_system_restart = {.name = "restart",
                                             .usage = "restart",
                                             .methods = METHOD_POST,

                                             .serve = serve_restart};
const struct action action_system_put = {
    .name = "put", .usage = "put", .methods = METHOD_POST, .serve = serve_put};
