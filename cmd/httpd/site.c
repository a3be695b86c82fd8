#include "site.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conn.h"
#include "log.h"
#include "reply.h"

enum { PATTERN_BYTES = 256, NAME_BYTES = 256 };

static const char SEPARATORS[] = ", ";

/* ---- lists ---- */

static bool matches(const char *pattern, size_t n, const char *text) {
    char copy[PATTERN_BYTES];
    if (n == 0 || n >= sizeof copy)
        return false;
    memcpy(copy, pattern, n);
    copy[n] = 0;
    return fnmatch(copy, text, FNM_CASEFOLD) == 0;
}

bool site_listed(const struct opt_list *list, const char *text) {
    for (size_t i = 0; i < list->n; i++)
        for (const char *s = list->item[i]; *s;) {
            size_t n = strcspn(s, SEPARATORS);
            if (matches(s, n, text))
                return true;
            s += n;
            s += strspn(s, SEPARATORS);
        }
    return list->n == 0;
}

/* ---- whose page ---- */

/* "null" is what browsers say where they do not tell whose page it is. An image, a link or a form
 * with GET comes without Origin, but to https and localhost with Sec-Fetch-Site. */
static const char *origin_of(const struct request *q) {
    const char *origin = request_header(q, "Origin"), *site = request_header(q, "Sec-Fetch-Site");
    if (origin)
        return origin;
    return site && strcasecmp(site, "cross-site") == 0 ? "null" : NULL;
}

bool site_is_ours(const struct request *q, const char *origin) {
    const char *at = strstr(origin, "://"), *host = request_header(q, "Host");
    return at && host && strcasecmp(at + 3, host) == 0;
}

/* Whether the list names anybody, or lets all in. */
static bool is_selective(const struct opt_list *list) {
    return !site_listed(list, "https://any.invalid");
}

static bool allowed(const struct request *q, const char *origin) {
    const struct route *r = q->route;
    const struct opt_list *origins = &q->h->origins;
    bool guarded = q->h->protect && !(r && (r->open || r->token));
    if (!guarded)
        return site_listed(origins, origin);
    return site_is_ours(q, origin) || (is_selective(origins) && site_listed(origins, origin));
}

bool site_origin_ok(const struct request *q) {
    const char *origin = origin_of(q);
    return !origin || allowed(q, origin);
}

void site_refuse_origin(struct request *q) {
    static struct log_limit limit;
    char who[64], path[128], origin[128];
    const char *o = origin_of(q);
    log_limited(&limit, LOG_WARN, "%s %s from %s refused: a page of %s asked (--origin)", q->method,
                log_quote(path, sizeof path, q->raw_path, q->raw_path_len),
                conn_peer(q->conn, who, sizeof who),
                log_quote(origin, sizeof origin, o, strlen(o)));
    reply_error(q, 403, "pages of other sites may not do this");
}

/* ---- what they may read ---- */

enum { READABLE = METHOD_GET | METHOD_HEAD };

const char *site_may_read(const struct request *q) {
    const char *origin = q->h->cors ? request_header(q, "Origin") : NULL;
    const struct route *r = q->route;
    if (!origin || (r && !(r->methods & READABLE) && !r->token))
        return NULL;
    return allowed(q, origin) ? origin : NULL;
}

void site_let_read(const struct request *q, struct MHD_Response *r) {
    static const char name[] = "Access-Control-Allow-Origin";
    const char *origin = site_may_read(q);
    if (!r || !q->h->cors || MHD_get_response_header(r, name)) /* a stage has said it itself */
        return;
    reply_header(r, "Vary", "Origin");
    if (!origin)
        return;
    reply_header(r, name, origin);
    if (!q->h->protect) /* a browser's login is for our own pages */
        reply_header(r, "Access-Control-Allow-Credentials", "true");
}

/* The route is that of the method which the page wants to use. */
void site_preflight(struct request *q) {
    char methods[64];
    const char *headers = request_header(q, "Access-Control-Request-Headers");
    struct MHD_Response *r = reply_make(NULL, "", 0);
    method_list(q->route->methods &
                    (READABLE | METHOD_POST | METHOD_PUT | METHOD_PATCH | METHOD_DELETE),
                methods, sizeof methods - 10);
    strcat(methods, ",OPTIONS");
    reply_header(r, "Access-Control-Allow-Methods", methods);
    if (headers)
        reply_header(r, "Access-Control-Allow-Headers", headers);
    request_answer(q, 200, r, 0);
}

/* ---- our name ---- */

bool site_host_name(const char *host, char *name, size_t size) {
    bool bracket = *host == '[';
    size_t n = strcspn(host + bracket, bracket ? "]" : ":");
    if (n >= size)
        return false;
    memcpy(name, host + bracket, n);
    name[n] = 0;
    return true;
}

bool site_host_ok(const struct request *q) {
    const char *host = request_header(q, "Host");
    char name[NAME_BYTES];
    if (q->h->hosts.n == 0)
        return true;
    return site_host_name(host ? host : "", name, sizeof name) && site_listed(&q->h->hosts, name);
}

void site_refuse_host(struct request *q) {
    static struct log_limit limit;
    const char *host = request_header(q, "Host");
    char who[64], shown[128];
    log_limited(&limit, LOG_WARN, "request from %s refused: it calls this server %s (--host)",
                conn_peer(q->conn, who, sizeof who),
                log_quote(shown, sizeof shown, host ? host : "", host ? strlen(host) : 0));
    reply_error(q, 421, "this server has another name");
}
