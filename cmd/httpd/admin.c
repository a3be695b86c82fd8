#include "admin.h"

#include <string.h>
#include <strings.h>

#include "conn.h"
#include "log.h"
#include "loopback.h"
#include "reply.h"
#include "secret.h"
#include "shown.h"
#include "site.h"

enum { TOKEN_MIN = 8 };

static struct secret token;

/* ---- the token ---- */

int admin_open(const struct httpd *h, struct err *e) {
    return secret_load(&token, h->admin_token_file, "TAPLINE_ADMIN_TOKEN", "the admin token",
                       TOKEN_MIN, e);
}

bool admin_token_is(const char *text) {
    return secret_is(&token, text, strlen(text));
}

/* ---- where it comes from ---- */

static bool is_here(const struct request *q) {
    const char *host = request_header(q, "Host");
    bool proxied = request_header(q, "Forwarded") || request_header(q, "X-Forwarded-For") ||
                   request_header(q, "X-Real-IP") || request_header(q, "Via");
    return q->h->admin_here && !proxied && host && host_is_loopback(host) &&
           address_is_loopback(conn_address(q->conn));
}

static bool is_json(const struct request *q) {
    static const char json[] = "application/json";
    const char *type = request_header(q, "Content-Type");
    return type && strncasecmp(type, json, sizeof json - 1) == 0 &&
           strchr("; \t", type[sizeof json - 1]);
}

/* A page of this very server; programs send none. */
static bool origin_ok(const struct request *q) {
    const char *origin = request_header(q, "Origin");
    return !origin || site_is_ours(q, origin);
}

/* ---- the decision ---- */

static bool refuse(struct request *q, unsigned status, const char *why) {
    static struct log_limit limit;
    char who[64], path[128];
    log_limited(&limit, LOG_WARN, "%s %s from %s refused: %s", q->method,
                log_quote(path, sizeof path, q->raw_path, q->raw_path_len),
                conn_peer(q->conn, who, sizeof who), why);
    reply_refusal(q, status, why);
    return false;
}

static bool token_allows(struct request *q) {
    const char *given = shown_bearer(q);
    if (!token.set)
        return refuse(
            q, 403,
            "only from this machine itself, at http://localhost; for others httpd needs an "
            "admin token (TAPLINE_ADMIN_TOKEN or --admin-token-file)");
    if (!given)
        return refuse(q, 403,
                      "only from this machine itself, at http://localhost, or with the admin token "
                      "(header \"Authorization: Bearer TOKEN\")");
    if (!shown_may_try(q))
        return refuse(q, 429, "too many wrong admin tokens from this address (wait some seconds)");
    if (admin_token_is(given))
        return true;
    shown_was_wrong(q);
    return refuse(q, 403, "the admin token is wrong");
}

bool admin_allows(struct request *q) {
    if (!is_json(q))
        return refuse(q, 403, "the body must be JSON (header \"Content-Type: application/json\")");
    if (!origin_ok(q))
        return refuse(q, 403,
                      "pages of another site may not do this (open this server's own page)");
    return is_here(q) || token_allows(q);
}
