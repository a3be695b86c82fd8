#include "guard.h"

#include <nettle/memops.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "admin.h"
#include "conn.h"
#include "log.h"
#include "login.h"
#include "reply.h"
#include "secret.h"
#include "secret_env.h"
#include "shown.h"

enum { LOGIN_MIN = 8 /* bytes of a login that guards a whole site */ };

static const char REALM[] = "tapline";

static struct {
    struct secret token, login;
    char cookie_name[24], cookie[SECRET_DERIVED];
} guard;

/* ---- options ---- */

static bool wants_token(const struct httpd *h) {
    for (size_t i = 0; i < h->table.n; i++)
        if (h->table.item[i]->token)
            return true;
    return false;
}

int guard_declare(const struct httpd *h, struct err *e) {
    if (wants_token(h) && !h->token_open && !secret_given(h->token_file, h->token_env))
        return err_set(e, CAUSE_USAGE,
                       "a route is for those with the token, and there is none (set %s in the "
                       "environment, give --token-file FILE, or --open to let anybody in)",
                       h->token_env);
    if (!h->protect)
        return 0;
    if (strcmp(h->protect, "basic") != 0 && strcmp(h->protect, "token") != 0)
        return err_set(e, CAUSE_USAGE, "--protect is basic or token, not \"%s\"", h->protect);
    if (!secret_given(h->login_file, h->login_env))
        return err_set(e, CAUSE_USAGE,
                       "--protect %s needs %s (set %s in the environment or give --login-file "
                       "FILE)",
                       h->protect, h->protect[0] == 'b' ? "USER:PASSWORD" : "a token",
                       h->login_env);
    return 0;
}

int guard_open(const struct httpd *h, struct err *e) {
    char word[SECRET_DERIVED];
    if (wants_token(h) && !h->token_open &&
        secret_load(&guard.token, h->token_file, h->token_env, "the token", 1, e) < 0)
        return -1;
    if (!h->protect)
        return 0;
    if (secret_load(&guard.login, h->login_file, h->login_env, "the login", LOGIN_MIN, e) < 0)
        return -1;
    /* A browser sends cookies to every port of a machine, so each site's has a name of its own. */
    snprintf(guard.cookie_name, sizeof guard.cookie_name, "tapline-%.8s",
             secret_derive(&guard.login, "name of the cookie", word));
    secret_derive(&guard.login, "cookie", guard.cookie);
    return 0;
}

void guard_forget(const struct httpd *h) {
    secret_env_forget(h->token_env);
    secret_env_forget(h->login_env);
    secret_env_forget_all();
}

/* ---- refusing ---- */

static void say(struct request *q, const char *why) {
    static struct log_limit limit;
    char who[64], path[128];
    q->h->n.refused++;
    log_limited(&limit, LOG_WARN, "%s %s from %s refused: %s", q->method,
                log_quote(path, sizeof path, q->raw_path, q->raw_path_len),
                conn_peer(q->conn, who, sizeof who), why);
}

static bool too_many(struct request *q) {
    say(q, "too many wrong tokens or passwords from this address");
    login_too_many(q);
    return false;
}

static bool ask_for_login(struct request *q, const char *why) {
    char how[128];
    bool basic = q->h->protect[0] == 'b';
    if (why)
        say(q, why);
    snprintf(how, sizeof how, "%s realm=\"%s\"%s", basic ? "Basic" : "Bearer", REALM,
             basic ? ", charset=\"UTF-8\"" : "");
    login_ask(q, how, !basic);
    return false;
}

/* ---- a route for those with the token ---- */

static bool refuse_token(struct request *q, const char *why) {
    if (why)
        say(q, why);
    reply_json_error(q, 401, "Invalid auth_token");
    return false;
}

static bool token_lets_in(struct request *q) {
    const char *given = request_header(q, "Authorization");
    if (q->h->token_open)
        return true;
    if (!given)
        return refuse_token(q, NULL);
    if (!shown_may_try(q))
        return too_many(q);
    if (secret_is(&guard.token, given, strlen(given)))
        return true;
    shown_was_wrong(q);
    return refuse_token(q, "wrong token");
}

/* ---- the site ---- */

/* It has as many bits as nobody can guess, so wrong ones (of last year, of another site) are not
 * counted. */
static bool cookie_right(const struct request *q) {
    const char *c = MHD_lookup_connection_value(q->mhd, MHD_COOKIE_KIND, guard.cookie_name);
    return c && strlen(c) == SECRET_DERIVED - 1 && memeql_sec(c, guard.cookie, SECRET_DERIVED - 1);
}

static bool basic_right(struct request *q, const char *text, size_t n) {
    const char *colon = memchr(text, ':', n);
    if (!secret_is(&guard.login, text, n))
        return false;
    snprintf(q->user, sizeof q->user, "%.*s", (int)(colon ? colon - text : 0), text);
    return true;
}

static bool bearer_right(const struct request *q, const char *text) {
    bool site = q->h->protect[0] == 't' && secret_is(&guard.login, text, strlen(text));
    return admin_token_is(text) || site;
}

/* A page asked for with ?token= gets the cookie, and its URL without the token. */
static bool welcome(struct request *q) {
    char cookie[256];
    bool page = strcmp(q->method, "GET") == 0 && !request_header(q, "Upgrade");
    if (!page)
        return true;
    snprintf(cookie, sizeof cookie, "%s=%s; Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict%s",
             guard.cookie_name, guard.cookie, q->conn->secure ? "; Secure" : "");
    login_redirect(q, cookie);
    return false;
}

static bool site_lets_in(struct request *q) {
    char basic[SECRET_MAX + 4], token[SECRET_MAX + 1];
    const char *bearer = shown_bearer(q);
    bool by_token = q->h->protect[0] == 't';
    bool in_url = by_token && login_take_token(q, token, sizeof token);
    ssize_t n = by_token ? -1 : shown_basic(q, basic, sizeof basic);
    if (by_token && !in_url && cookie_right(q))
        return true;
    if (n < 0 && !bearer && !in_url)
        return ask_for_login(q, NULL);
    if (!shown_may_try(q))
        return too_many(q);
    if ((n >= 0 && basic_right(q, basic, (size_t)n)) || (bearer && bearer_right(q, bearer)))
        return true;
    if (in_url && secret_is(&guard.login, token, strlen(token)))
        return welcome(q);
    shown_was_wrong(q);
    return ask_for_login(q, "wrong token or password");
}

bool guard_lets_in(struct request *q) {
    const struct route *r = q->route;
    if (r && r->token)
        return token_lets_in(q);
    return !q->h->protect || (r && r->open) || site_lets_in(q);
}
