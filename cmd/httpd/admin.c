#include "admin.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conn.h"
#include "log.h"
#include "loopback.h"
#include "rate.h"
#include "reply.h"

enum {
    TOKEN_MIN = 8,
    TOKEN_MAX = 512,
    WRONG_AT_ONCE = 5, /* tokens from one address; then one in WRONG_EVERY_S */
    WRONG_EVERY_S = 2,
    ADDRESSES = 64 /* told apart by hash */
};

/* Digests are compared, so that neither length nor content takes a different time. */
static uint8_t token_digest[SHA256_DIGEST_SIZE];
static bool has_token;
static struct bucket wrong[ADDRESSES];

/* ---- the token ---- */

static void digest(const char *token, uint8_t out[SHA256_DIGEST_SIZE]) {
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, strlen(token), (const uint8_t *)token);
    sha256_digest(&ctx, SHA256_DIGEST_SIZE, out);
}

static int set_token(const char *from, const char *token, struct err *e) {
    if (strlen(token) < TOKEN_MIN)
        return err_set(e, CAUSE_USAGE, "%s: the admin token has %zu bytes, at least %d are needed",
                       from, strlen(token), TOKEN_MIN);
    digest(token, token_digest);
    has_token = true;
    return 0;
}

static int read_token(const char *file, struct err *e) {
    char text[TOKEN_MAX + 1];
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, TOKEN_MAX);
    int no = errno;
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_mode & 077)
        log_warn("%s: others may read the admin token (chmod 600)", file);
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return err_errno(e, no, "cannot read the admin token in %s", file);
    text[n] = 0;
    text[strcspn(text, " \t\r\n")] = 0;
    return set_token(file, text, e);
}

int admin_open(const struct httpd *h, struct err *e) {
    const char *given = getenv("TAPLINE_ADMIN_TOKEN");
    if (h->admin_token_file)
        return read_token(h->admin_token_file, e);
    return given && *given ? set_token("TAPLINE_ADMIN_TOKEN", given, e) : 0;
}

static bool token_right(const char *given) {
    uint8_t d[SHA256_DIGEST_SIZE];
    digest(given, d);
    return memeql_sec(d, token_digest, sizeof d);
}

/* The text behind "Bearer", or NULL. */
static const char *given_token(const struct request *q) {
    const char *s = request_header(q, "Authorization");
    if (!s || strncasecmp(s, "Bearer ", 7) != 0)
        return NULL;
    return s + 7 + strspn(s + 7, " ");
}

/* ---- where it comes from ---- */

static const struct sockaddr *peer(const struct request *q) {
    return MHD_get_connection_info(q->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
}

static bool is_here(const struct request *q) {
    const char *host = request_header(q, "Host");
    bool proxied = request_header(q, "Forwarded") || request_header(q, "X-Forwarded-For") ||
                   request_header(q, "X-Real-IP") || request_header(q, "Via");
    return q->h->admin_here && !proxied && host && host_is_loopback(host) &&
           address_is_loopback(peer(q));
}

static bool is_json(const struct request *q) {
    static const char json[] = "application/json";
    const char *type = request_header(q, "Content-Type");
    return type && strncasecmp(type, json, sizeof json - 1) == 0 &&
           strchr("; \t", type[sizeof json - 1]);
}

/* A page of this very server; programs send none. */
static bool origin_ok(const struct request *q) {
    const char *origin = request_header(q, "Origin"), *host = request_header(q, "Host");
    const char *at = origin ? strstr(origin, "://") : NULL;
    return !origin || (at && host && strcasecmp(at + 3, host) == 0);
}

/* ---- the decision ---- */

static struct bucket *wrong_of(const struct request *q) {
    const struct sockaddr *a = peer(q);
    const struct sockaddr_in *v4 = (const void *)a;
    const struct sockaddr_in6 *v6 = (const void *)a;
    uint32_t x = 0;
    if (a->sa_family == AF_INET)
        x = v4->sin_addr.s_addr;
    else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        memcpy(&x, &v6->sin6_addr.s6_addr[12], sizeof x);
    else
        for (int i = 0; i < 8; i++) /* one household has a whole /64 */
            x = x * 31 + v6->sin6_addr.s6_addr[i];
    return &wrong[x * 2654435761u >> 26];
}

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
    const char *given = given_token(q);
    struct bucket *b = wrong_of(q), before = *b;
    if (!has_token)
        return refuse(
            q, 403,
            "only from this machine itself, at http://localhost; for others httpd needs an "
            "admin token (TAPLINE_ADMIN_TOKEN or --admin-token-file)");
    if (!given)
        return refuse(q, 403,
                      "only from this machine itself, at http://localhost, or with the admin token "
                      "(header \"Authorization: Bearer TOKEN\")");
    if (!bucket_take(b, 1.0 / WRONG_EVERY_S, WRONG_AT_ONCE, clock_mono_ns()))
        return refuse(q, 429, "too many wrong admin tokens from this address (wait some seconds)");
    if (!token_right(given))
        return refuse(q, 403, "the admin token is wrong");
    *b = before;
    return true;
}

bool admin_allows(struct request *q) {
    if (!is_json(q))
        return refuse(q, 403, "the body must be JSON (header \"Content-Type: application/json\")");
    if (!origin_ok(q))
        return refuse(q, 403,
                      "pages of another site may not do this (open this server's own page)");
    return is_here(q) || token_allows(q);
}
