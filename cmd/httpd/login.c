#include "login.h"

#include <stdio.h>
#include <string.h>

#include "reply.h"

static const char FORM[] =
    "<!doctype html><html lang=en><meta charset=utf-8>"
    "<meta name=viewport content=\"width=device-width\"><title>tapline</title>"
    "<style>body{font:16px system-ui,sans-serif;display:grid;place-items:center;height:90vh;"
    "color-scheme:light dark}input,button{font:inherit;padding:.4em}</style>"
    "<form><label>Token <input type=password name=token autofocus required></label> "
    "<button>Open</button></form></html>";

/* ---- refusing ---- */

static struct MHD_Response *form_page(void) {
    struct MHD_Response *r = reply_make("text/html; charset=utf-8", FORM, sizeof FORM - 1);
    reply_header(r, "Content-Security-Policy",
                 "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
                 "frame-ancestors 'none'");
    return r;
}

void login_ask(struct request *q, const char *how, bool form) {
    static const char text[] = "401: Unauthorized";
    form &= strcmp(q->method, "GET") == 0 && request_has_token(q, "Accept", "text/html");
    struct MHD_Response *r = form ? form_page() : reply_make(REPLY_TEXT, text, sizeof text - 1);
    reply_header(r, "WWW-Authenticate", how);
    reply_header(r, "Cache-Control", "no-store");
    request_answer(q, 401, r, form ? sizeof FORM - 1 : sizeof text - 1);
}

void login_too_many(struct request *q) {
    reply_error_with(q, 429, "Retry-After", "2");
}

/* ---- the token in a URL ---- */

static int hex(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* As forms write it (application/x-www-form-urlencoded). */
static void decode(const char *s, size_t n, char *out, size_t size) {
    size_t o = 0;
    for (size_t i = 0; i < n && o < size; i++) {
        char c = s[i] == '+' ? ' ' : s[i];
        if (c == '%' && i + 2 < n && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
            c = (char)(hex(s[i + 1]) << 4 | hex(s[i + 2]));
            i += 2;
        }
        out[o++] = c;
    }
    out[o < size ? o : 0] = 0;
}

bool login_take_token(struct request *q, char *out, size_t size) {
    static const char name[] = "token=";
    char *query = (char *)buf_data(&q->uri) + (q->query - (const char *)buf_data(&q->uri));
    bool found = false;
    for (char *at = query; *at;) {
        size_t n = strcspn(at, "&");
        char *next = at + n + (at[n] == '&');
        if (strncmp(at, name, sizeof name - 1) != 0) {
            at = next;
            continue;
        }
        decode(at + sizeof name - 1, n - (sizeof name - 1), out, size);
        found = true;
        memmove(at, next, strlen(next) + 1);
    }
    size_t n = strlen(query);
    if (found && n > 0 && query[n - 1] == '&')
        query[n - 1] = 0;
    return found;
}

/* A browser takes "//name" and "/\name" for another machine, so only what is plainly a path. */
static bool is_plain(const char *path, size_t n) {
    static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "-._~%!$&'()*+,;=:@/";
    return n > 0 && path[0] == '/' && !(n > 1 && path[1] == '/') && strspn(path, fine) >= n;
}

void login_redirect(struct request *q, const char *cookie) {
    struct buf to = {0};
    if (is_plain(q->raw_path, q->raw_path_len))
        buf_put(&to, q->raw_path, q->raw_path_len);
    else
        buf_putc(&to, '/');
    if (*q->query)
        buf_printf(&to, "?%s", q->query);
    buf_putc(&to, 0);
    struct MHD_Response *r = reply_make(NULL, "", 0);
    reply_header(r, "Location", (const char *)buf_data(&to));
    reply_header(r, "Set-Cookie", cookie);
    reply_header(r, "Cache-Control", "no-store");
    reply_header(r, "Referrer-Policy", "no-referrer");
    buf_free(&to);
    request_answer(q, 303, r, 0);
}
