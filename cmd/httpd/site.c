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

bool site_origin_ok(const struct request *q) {
    const char *origin = origin_of(q);
    return !origin || site_listed(&q->h->origins, origin);
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
