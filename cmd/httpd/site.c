#include "site.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

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

static bool is_selective_name(const struct opt_list *list) {
    return !site_listed(list, "any.invalid");
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
    /* Without a token to show it is for those whom --origin names. */
    bool by_token = r && r->token && (!q->h->token_open || is_selective(&q->h->origins));
    if (!origin || (r && !(r->methods & READABLE) && !by_token))
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

/* Every browser sends the first with what changes something, whatever the page wants. */
static bool is_browser(const struct request *q) {
    const char *agent = request_header(q, "User-Agent");
    return request_header(q, "Origin") || request_header(q, "Sec-Fetch-Site") ||
           request_header(q, "Referer") || (agent && strncmp(agent, "Mozilla/", 8) == 0);
}

static bool ends_with(const char *s, size_t n, const char *end) {
    size_t m = strlen(end);
    return n >= m && strcasecmp(s + n - m, end) == 0;
}

/* Addresses, this machine's own name, and those that only the network around us gives: one without
 * a dot, or below a domain that is kept for that (RFC 6762, 8375, 6761; ICANN for internal and
 * home) or that many routers serve by themselves. */
static bool is_local_name(char *name) {
    static const char *const domain[] = {".local",    ".localhost",   ".lan",       ".home.arpa",
                                         ".internal", ".localdomain", ".fritz.box", ".home"};
    char own[HOST_NAME_MAX + 1] = "";
    struct in6_addr ip;
    size_t n = strlen(name);
    if (n && name[n - 1] == '.')
        name[--n] = 0;
    if (n == 0)
        return false;
    gethostname(own, sizeof own - 1);
    bool local = !strchr(name, '.') || strcasecmp(name, own) == 0 ||
                 inet_pton(AF_INET, name, &ip) == 1 || inet_pton(AF_INET6, name, &ip) == 1;
    for (size_t i = 0; i < sizeof domain / sizeof *domain; i++)
        local |= ends_with(name, n, domain[i]);
    return local;
}

static bool is_guarded(const struct request *q) {
    const struct route *r = q->route;
    return r && ((r->token && !q->h->token_open) || (q->h->protect && !r->open && !r->token));
}

bool site_may_act(const struct request *q) {
    const char *host = request_header(q, "Host");
    char name[NAME_BYTES];
    bool looks = !q->method || strcmp(q->method, "GET") == 0 || strcmp(q->method, "HEAD") == 0 ||
                 strcmp(q->method, "OPTIONS") == 0;
    if (looks || is_selective_name(&q->h->hosts) || is_guarded(q) || !is_browser(q))
        return true;
    return host && site_host_name(host, name, sizeof name) && is_local_name(name);
}

void site_refuse_act(struct request *q) {
    static struct log_limit limit;
    const char *host = request_header(q, "Host");
    char who[64], path[128], shown[128];
    log_limited(&limit, LOG_WARN,
                "%s %s from %s refused: a page of %s may be a stranger's (name it with --host)",
                q->method, log_quote(path, sizeof path, q->raw_path, q->raw_path_len),
                conn_peer(q->conn, who, sizeof who),
                log_quote(shown, sizeof shown, host ? host : "", host ? strlen(host) : 0));
    reply_error(q, 421,
                "for this the server must know its name: give it with --host, or HOSTS of "
                "the pipeline");
}

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
