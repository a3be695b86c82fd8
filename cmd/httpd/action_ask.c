/* METHOD PATH ask ENDPOINT OP: the stage behind ENDPOINT knows the answer.
 *
 * It is sent {op: OP, method, path, query, params: {...}, peer} and, for a request with a body,
 * `type` (its content type), `foreign` (true: a page of another site makes the browser post it) and
 * `text` or `data`. It replies {ok, status, type} and one of
 *   text  sent as it is (type text/plain unless given)
 *   body  any value, sent as JSON
 *   data  bytes
 * and, beside them, `headers`: {NAME: value}, with what HTTP itself is made of (length, type,
 * connection) left to us. A body of a text type that is well-formed UTF-8 comes as `text`, any
 * other as `data`, whatever was asked for. A HEAD request is asked like a GET, with method "HEAD":
 * the stage must not act on it, and only the head of the answer is sent.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conn.h"
#include "json.h"
#include "log.h"
#include "reply.h"
#include "site.h"
#include "utf8.h"

enum { TYPE_BYTES = 128, HEADERS_MAX = 16, HEADER_NAME = 64, HEADER_VALUE = 512 };

/* One for each endpoint, however many routes ask it. */
static struct rpc_client clients[ROUTE_MAX];
static size_t client_count;

/* ---- opening ---- */

static int declare(struct httpd *h, struct route *r, struct err *e) {
    (void)h;
    return r->args == 2 ? 0 : action_misused(r, e);
}

static int ask_open(struct httpd *h, struct route *r, struct err *e) {
    for (size_t i = 0; i < client_count; i++)
        if (strcmp(clients[i].ep.name, r->arg[0]) == 0) {
            r->own = &clients[i];
            return 0;
        }
    struct rpc_client *c = &clients[client_count];
    if (rpc_client_open(c, &h->st.loop, r->arg[0], e) < 0)
        return -1;
    client_count++;
    r->own = c;
    return 0;
}

/* ---- asking ---- */

static void put_params(const struct request *q, struct buf *b) {
    const struct route *r = q->route;
    uint32_t n = r->star;
    for (size_t i = 0; i < r->segments; i++)
        n += r->param[i];
    mp_put_str(b, "params");
    mp_put_map(b, n);
    for (size_t i = 0; i < r->segments; i++) {
        size_t len = 0;
        const char *text = r->param[i] ? route_param(r, &q->path, i, &len) : NULL;
        if (text)
            mp_kv_strn(b, r->segment[i], text, len);
    }
    if (r->star)
        mp_kv_str(b, "*", path_rest(&q->path, r->segments));
}

static bool is_text(const char *type, const struct buf *body) {
    static const char *const kind[] = {"", "text/", "application/json",
                                       "application/x-www-form-urlencoded"};
    bool text = !*type;
    for (size_t i = 1; i < sizeof kind / sizeof *kind; i++)
        text |= strncasecmp(type, kind[i], strlen(kind[i])) == 0;
    return text && utf8_valid(buf_data(body), buf_len(body));
}

static void put_body(const struct request *q, struct buf *b) {
    const char *type = request_header(q, "Content-Type");
    type = type ? type : "";
    mp_kv_str(b, "type", type);
    if (buf_len(&q->body) == 0 || is_text(type, &q->body))
        mp_kv_strn(b, "text", (const char *)buf_data(&q->body), buf_len(&q->body));
    else
        mp_kv_bin(b, "data", buf_data(&q->body), buf_len(&q->body));
}

/* A browser says so where a page of another site makes it post. */
static bool is_foreign(const struct request *q) {
    const char *origin = request_header(q, "Origin");
    return origin && !site_is_ours(q, origin);
}

static void encode(const struct request *q, struct buf *b) {
    char peer[64];
    bool body = !(q->route->methods & METHOD_GET);
    buf_clear(b);
    rpc_request_begin(b, q->route->arg[1], body ? 8 : 5);
    mp_kv_str(b, "method", q->method);
    mp_kv_strn(b, "path", q->raw_path, q->raw_path_len);
    mp_kv_str(b, "query", q->query);
    put_params(q, b);
    mp_kv_str(b, "peer", conn_peer(q->conn, peer, sizeof peer));
    if (!body)
        return;
    mp_kv_bool(b, "foreign", is_foreign(q));
    put_body(q, b);
}

/* ---- answering ---- */

static unsigned status_of(const struct rpc_result *r, unsigned otherwise) {
    uint64_t status;
    if (r->body && mp_get_uint(r->body, r->len, "status", &status) && status >= 200 && status < 600)
        return (unsigned)status;
    return otherwise;
}

/* ---- headers of the stage ---- */

static bool header_ok(const char *name, const char *value) {
    static const char *const ours[] = {
        "Connection", "Content-Length", "Content-Type",      "Date",    "Keep-Alive",
        "Set-Cookie", "Trailer",        "Transfer-Encoding", "Upgrade", "WWW-Authenticate"};
    static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_";
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcasecmp(name, ours[i]) == 0)
            return false;
    for (const char *c = value; *c; c++)
        if (*c < ' ' || *c == 127)
            return false;
    return *name && !name[strspn(name, token)];
}

static void put_header(struct request *q, struct MHD_Response *m, const struct mp_value *name,
                       const struct mp_value *value) {
    static struct log_limit limit;
    char n[HEADER_NAME] = "", v[HEADER_VALUE] = "";
    bool text = name->type == MP_STR && value->type == MP_STR && name->len < sizeof n &&
                value->len < sizeof v;
    if (text) {
        memcpy(n, name->p, name->len);
        memcpy(v, value->p, value->len);
    }
    if (text && strlen(v) == value->len && strlen(n) == name->len && header_ok(n, v))
        reply_header(m, n, v);
    else
        log_limited(&limit, LOG_WARN, "%s: a header of its reply is left out: %s", q->route->arg[0],
                    *n ? n : "it is no text, or too long");
}

static void put_headers(struct request *q, struct MHD_Response *m, const struct rpc_result *r) {
    static struct log_limit limit;
    struct mp_value map, name, value;
    struct mp_cursor at;
    if (!mp_find(r->body, r->len, "headers", &map, &at) || map.type != MP_MAP)
        return;
    mp_read(&at, &map);
    if (map.len > HEADERS_MAX)
        log_limited(&limit, LOG_WARN, "%s: its reply has %u headers, only %d are passed on",
                    q->route->arg[0], map.len, HEADERS_MAX);
    for (uint32_t i = 0; i < map.len && i < HEADERS_MAX; i++) {
        if (mp_read(&at, &name) != 1 || name.type == MP_MAP || name.type == MP_ARRAY)
            return;
        struct mp_cursor v = at;
        if (mp_skip(&at) != 1 || mp_read(&v, &value) != 1)
            return;
        put_header(q, m, &name, &value);
    }
}

/* Of n bytes, with the status, type (unless NULL) and headers that the stage gives. */
static void send_it(struct request *q, const struct rpc_result *r, const char *type, const void *p,
                    size_t n) {
    char given[TYPE_BYTES];
    if (mp_get_cstr(r->body, r->len, "type", given, sizeof given))
        type = given;
    struct MHD_Response *m = reply_make(type, p, n);
    put_headers(q, m, r);
    request_answer(q, status_of(r, 200), m, n);
}

static void answer_json(struct request *q, const struct rpc_result *r, struct mp_cursor *at) {
    static const struct json_style style = {.spaced = true};
    struct buf *out = &q->h->out;
    buf_clear(out);
    if (json_from_mp(out, at, &style) == 1)
        send_it(q, r, "application/json; charset=utf-8", buf_data(out), buf_len(out));
    else
        reply_error(q, 502, "the reply is nested too deeply");
}

static void answer(struct request *q, const struct rpc_result *r) {
    const char *text;
    const uint8_t *data;
    size_t n;
    struct mp_value v;
    struct mp_cursor at;
    if (mp_get_str(r->body, r->len, "text", &text, &n))
        send_it(q, r, REPLY_TEXT, text, n);
    else if (mp_get_bin(r->body, r->len, "data", &data, &n))
        send_it(q, r, "application/octet-stream", data, n);
    else if (mp_find(r->body, r->len, "body", &v, &at))
        answer_json(q, r, &at);
    else
        send_it(q, r, REPLY_TEXT, "", 0);
}

static void no_answer(struct request *q, const struct rpc_result *r) {
    static struct log_limit limit;
    char path[256], why[300];
    bool late = r->cause == CAUSE_TIMEOUT; /* its text names the endpoint already */
    q->h->n.ask_timeouts += late;
    snprintf(why, sizeof why, "%s%s%s", late ? "" : q->route->arg[0], late ? "" : ": ", r->error);
    log_limited(&limit, LOG_WARN, "%s %s: %s", q->method,
                log_quote(path, sizeof path, q->raw_path, q->raw_path_len), why);
    reply_error(q, late ? 503 : 502, why);
}

static void done(void *ctx, const struct rpc_result *r) {
    struct request *q = ctx;
    stage_latency(&q->h->st, q->time_ns);
    if (r->ok)
        answer(q, r);
    else if (r->cause == CAUSE_FAILED)
        reply_bytes(q, status_of(r, 500), NULL, r->error, strlen(r->error));
    else
        no_answer(q, r);
}

static void serve(struct request *q) {
    struct httpd *h = q->h;
    if (h->stopping) {
        reply_error(q, 503, "the server is being stopped");
        return;
    }
    if (!site_origin_ok(q)) {
        site_refuse_origin(q);
        return;
    }
    h->n.asks++;
    encode(q, &h->out);
    request_suspend(q);
    rpc_request(q->route->own, &h->out, (unsigned)h->ask_timeout_ms, done, q);
}

static void stop(struct httpd *h, struct route *r) {
    (void)h;
    rpc_client_close(r->own);
}

const struct action action_ask = {.name = "ask",
                                  .usage = "ask ENDPOINT OP",
                                  .words = 2,
                                  .methods = METHOD_GET | METHOD_HEAD | METHOD_POST | METHOD_PUT |
                                             METHOD_PATCH | METHOD_DELETE,
                                  .declare = declare,
                                  .open = ask_open,
                                  .serve = serve,
                                  .stop = stop};
