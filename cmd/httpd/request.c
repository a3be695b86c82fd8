#include "request.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "conn.h"
#include "guard.h"
#include "log.h"
#include "reply.h"
#include "server.h"
#include "site.h"

enum {
    BODY_SLACK = 256 << 10, /* bytes above --max-body that are read to be able to answer 413 */
    KEEP_BYTES = 4096       /* of a connection's buffers between requests */
};

/* ---- what came ---- */

/* "http://host/path" is as good as "/path". */
static const char *skip_authority(const char *uri) {
    if (strncasecmp(uri, "http://", 7) != 0)
        return uri;
    const char *slash = strchr(uri + 7, '/');
    return slash ? slash : uri;
}

void *request_uri(void *cls, const char *uri, struct MHD_Connection *m) {
    struct conn *c = conn_of(m);
    struct request *q = &c->q;
    buf_put(&q->uri, uri, strlen(uri) + 1);
    q->raw_path = skip_authority((const char *)buf_data(&q->uri));
    q->raw_path_len = strcspn(q->raw_path, "?");
    q->query = q->raw_path + q->raw_path_len;
    q->query += *q->query == '?';
    q->started_ns = clock_mono_ns();
    q->time_ns = clock_wall_ns();
    conn_started(cls, c);
    return q;
}

const char *request_header(const struct request *q, const char *name) {
    return MHD_lookup_connection_value(q->mhd, MHD_HEADER_KIND, name);
}

const char *request_query(const struct request *q, const char *name) {
    const char *value = MHD_lookup_connection_value(q->mhd, MHD_GET_ARGUMENT_KIND, name);
    return value ? value : "";
}

struct token {
    const char *name, *token;
    bool found;
};

/* What follows a token: the end, or parameters other than q=0 ("not acceptable"). */
static bool token_ends(const char *s) {
    s += strspn(s, " \t");
    if (!*s || *s == ',')
        return true;
    if (*s++ != ';')
        return false;
    s += strspn(s, " \t");
    if (strncasecmp(s, "q=0", 3) != 0)
        return true;
    s += 3 + strspn(s + 3, ".0");
    return *s && !strchr(" \t,;", *s);
}

static bool list_has(const char *list, const char *token) {
    size_t n = strlen(token);
    for (const char *s = list; *s; s += strcspn(s, ","), s += *s == ',') {
        s += strspn(s, " \t");
        if (strncasecmp(s, token, n) == 0 && token_ends(s + n))
            return true;
    }
    return false;
}

static enum MHD_Result match_token(void *cls, enum MHD_ValueKind kind, const char *key,
                                   const char *value) {
    struct token *t = cls;
    (void)kind;
    if (value && strcasecmp(key, t->name) == 0 && list_has(value, t->token))
        t->found = true;
    return t->found ? MHD_NO : MHD_YES;
}

bool request_has_token(const struct request *q, const char *name, const char *token) {
    struct token t = {name, token, false};
    MHD_get_connection_values(q->mhd, MHD_HEADER_KIND, match_token, &t);
    return t.found;
}

/* ---- the way to an answer ---- */

static enum MHD_Result queue(struct request *q) {
    struct MHD_Response *r = q->response;
    q->response = NULL;
    enum MHD_Result done = MHD_queue_response(q->mhd, q->status, r);
    MHD_destroy_response(r);
    return done;
}

static bool is_options(const struct request *q) {
    return strcmp(q->method, "OPTIONS") == 0;
}

/* A browser asks first (OPTIONS) what the page of another site may do: then the route is that of
 * what the page wants. */
static void look_up(struct request *q) {
    struct route_hit hit = {0};
    const char *wanted = request_header(q, "Access-Control-Request-Method");
    bool asks = q->h->cors && wanted && is_options(q);
    if (path_parse(&q->path, q->raw_path, q->raw_path_len))
        route_find(&q->h->table, &q->path, method_bit(asks ? wanted : q->method), &hit);
    q->route = hit.route;
    q->allow = hit.allow;
}

static void no_route(struct request *q) {
    char allow[64];
    if (q->allow)
        reply_error_with(q, 405, "Allow", method_list(q->allow, allow, sizeof allow));
    else
        reply_error(q, 404, NULL);
}

/* ---- bodies ---- */

static size_t body_max(const struct request *q) {
    const struct route *r = q->route;
    return (size_t)(r && r->max_body >= 0 ? r->max_body : q->h->max_body);
}

static bool has_body(const struct request *q) {
    const char *length = request_header(q, "Content-Length");
    return request_header(q, "Transfer-Encoding") || (length && strcmp(length, "0") != 0);
}

static bool promises_too_much(const struct request *q) {
    const char *length = request_header(q, "Content-Length");
    return length && strtoull(length, NULL, 10) > body_max(q);
}

static bool type_fits(const struct request *q) {
    const char *want = q->route ? q->route->type : NULL, *type;
    if (!want)
        return true;
    type = request_header(q, "Content-Type");
    size_t n = strlen(want);
    return type && strncasecmp(type, want, n) == 0 && strchr("; \t", type[n]);
}

/* In the words of the interface for devices where the route is one of that. */
static void refuse_body(struct request *q, unsigned status) {
    char why[160];
    const struct route *r = q->route;
    if (!r || !(r->type || r->token)) {
        reply_error(q, status, NULL);
        return;
    }
    if (status == 413)
        snprintf(why, sizeof why, "the body may have at most %zu bytes", body_max(q));
    else
        snprintf(why, sizeof why, "the body must be %s (header Content-Type)", r->type);
    reply_json_error(q, status, why);
}

/* Whether there is more to do than to answer at once, which has been done then. */
static bool head_is_fine(struct request *q) {
    if (!site_host_ok(q))
        site_refuse_host(q);
    else if (!site_may_act(q))
        site_refuse_act(q);
    else if (is_options(q) && q->route && site_may_read(q))
        site_preflight(q);
    else if (!guard_lets_in(q))
        return false;
    else if (promises_too_much(q))
        refuse_body(q, 413);
    else if (!type_fits(q))
        refuse_body(q, 415);
    else
        return true;
    return false;
}

/* The head is there. Whoever is not let in is told so before any of the body is read; MHD then
 * closes the connection. */
static enum MHD_Result begin(struct request *q, const char *method, const char *version) {
    q->begun = true;
    q->method = method;
    q->version = version;
    q->h->n.requests++;
    q->h->st.stats.last_message_ns = q->time_ns;
    look_up(q);
    if (!has_body(q) || head_is_fine(q))
        return MHD_YES;
    q->served = q->conn->linger = true;
    return queue(q);
}

static void count(struct httpd_counters *n, unsigned status) {
    uint64_t *class = status < 300   ? &n->responses_2xx
                      : status < 400 ? &n->responses_3xx
                      : status < 500 ? &n->responses_4xx
                                     : &n->responses_5xx;
    if (status >= 200)
        ++*class;
}

/* In the middle of a body MHD takes no answer, only an end. Whatever came before on this connection
 * has been answered and sent by then. */
static enum MHD_Result give_up(struct request *q) {
    static const char text[] = "HTTP/1.1 413 Content Too Large\r\n"
                               "Connection: close\r\nContent-Length: 0\r\n\r\n";
    send(q->conn->fd, text, sizeof text - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    q->conn->linger = true;
    count(&q->h->n, 413);
    return MHD_NO;
}

static enum MHD_Result take_body(struct request *q, const char *data, size_t *size) {
    size_t max = body_max(q);
    q->body_total += *size;
    if (q->body_total > max + BODY_SLACK)
        return give_up(q);
    if (q->body_total <= max)
        buf_put(&q->body, data, *size);
    *size = 0;
    return MHD_YES;
}

static void serve(struct request *q) {
    q->served = true;
    conn_received(q->h, q->conn);
    if (!has_body(q) && !head_is_fine(q))
        return;
    if (q->body_total > body_max(q))
        refuse_body(q, 413);
    else if (!q->route || is_options(q))
        no_route(q);
    else
        q->route->action->serve(q);
}

enum MHD_Result request_handle(void *cls, struct MHD_Connection *c, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **ctx) {
    struct request *q = *ctx;
    (void)cls;
    (void)c;
    (void)url;
    if (!q->begun)
        return begin(q, method, version);
    if (*size)
        return take_body(q, data, size);
    if (!q->served)
        serve(q);
    if (q->response)
        return queue(q);
    return q->suspended ? MHD_YES : MHD_NO;
}

/* ---- later answers ---- */

void request_suspend(struct request *q) {
    q->suspended = true;
    q->h->n.suspended++;
    MHD_suspend_connection(q->mhd);
}

static void resume(struct request *q) {
    q->suspended = false;
    q->h->n.suspended--;
    MHD_resume_connection(q->mhd);
    server_run(q->h);
}

void request_answer(struct request *q, unsigned status, struct MHD_Response *r, uint64_t size) {
    if (q->response)
        MHD_destroy_response(q->response);
    if (status != 101)
        site_let_read(q, r);
    q->response = r;
    q->status = status;
    q->size = size;
    count(&q->h->n, status);
    if (q->suspended)
        resume(q);
}

/* ---- the end ---- */

static void access_line(const struct request *q, enum MHD_RequestTerminationCode why) {
    char peer[64], uri[256];
    size_t n = strlen((const char *)buf_data(&q->uri));
    log_debug("%s %s %s: %u, %llu bytes, %.1f ms%s", conn_peer(q->conn, peer, sizeof peer),
              q->method, log_quote(uri, sizeof uri, buf_data(&q->uri), n), q->status,
              (unsigned long long)q->size, (double)(clock_mono_ns() - q->started_ns) / 1e6,
              why == MHD_REQUEST_TERMINATED_COMPLETED_OK ? "" : ", cut short");
}

static void give_back(struct buf *b) {
    if (b->cap > KEEP_BYTES)
        buf_free(b);
    else
        buf_clear(b);
}

static void reset(struct request *q) {
    if (q->response)
        MHD_destroy_response(q->response);
    give_back(&q->uri);
    give_back(&q->body);
    memset(q, 0, offsetof(struct request, h));
}

void request_completed(void *cls, struct MHD_Connection *c, void **ctx,
                       enum MHD_RequestTerminationCode why) {
    struct request *q = *ctx;
    (void)c;
    *ctx = NULL;
    if (!q)
        return;
    if (q->begun && why == MHD_REQUEST_TERMINATED_COMPLETED_OK && strcmp(q->method, "HEAD") != 0)
        q->h->n.sent_bytes += q->size;
    if (q->begun && log_level() >= LOG_DEBUG)
        access_line(q, why);
    reset(q);
    conn_finished(cls, q->conn);
}

void request_abandon(struct request *q) {
    if (q->suspended)
        reply_error(q, 503, "the server is being stopped");
}

void request_free(struct request *q) {
    reset(q);
    buf_free(&q->uri);
    buf_free(&q->body);
}
