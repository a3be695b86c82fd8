#include "proxied.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listener.h"
#include "log.h"
#include "proxy.h"
#include "server.h"

enum { MOST = 256, WAIT_MS = 5000 };

struct waiting {
    struct waiting *prev, *next; /* the oldest last */
    struct httpd *h;
    uv_poll_t poll;
    int fd;
    uint64_t since_ms;
    size_t n; /* bytes of the header taken so far */
    uint8_t head[PROXY_MAX];
};

static struct waiting *newest, *oldest;
static size_t count;

static void closed(uv_handle_t *p) {
    free(p->data);
}

/* The descriptor is the caller's from now on. */
static int let_go(struct waiting *w) {
    int fd = w->fd;
    *(w->prev ? &w->prev->next : &newest) = w->next;
    *(w->next ? &w->next->prev : &oldest) = w->prev;
    count--;
    uv_poll_stop(&w->poll);
    uv_close((uv_handle_t *)&w->poll, closed);
    return fd;
}

static void fail(struct waiting *w, const char *why) {
    static struct log_limit limit;
    w->h->n.proxy_faults++;
    log_limited(&limit, LOG_WARN, "a connection to --proxy-listen is closed: %s", why);
    close(let_go(w));
}

/* Take n bytes, which have been looked at. */
static bool take(struct waiting *w, size_t n) {
    bool all = recv(w->fd, w->head + w->n, n, MSG_DONTWAIT) == (ssize_t)n;
    w->n += n;
    return all;
}

static void pass_on(struct waiting *w, const struct proxy_client *client) {
    struct httpd *h = w->h;
    h->n.proxied++;
    listener_adopt(h, let_go(w), (const struct sockaddr *)&client->addr, client->len,
                   !client->plain);
    server_run(h);
}

/* Look first, then take what belongs to the header and no more: the request is MHD's to read. */
static void on_readable(uv_poll_t *p, int status, int events) {
    struct waiting *w = p->data;
    struct proxy_client client;
    size_t room = sizeof w->head - w->n;
    (void)events;
    ssize_t n = status < 0 ? 0 : recv(w->fd, w->head + w->n, room, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    size_t have = w->n + (n > 0 ? (size_t)n : 0);
    int len = proxy_parse(w->head, have, &client);
    if (n <= 0)
        fail(w, "it ended before its PROXY header");
    else if (len < 0 || (len == 0 && have == sizeof w->head))
        fail(w, "it begins with no PROXY header");
    else if (!take(w, (len ? (size_t)len : have) - w->n))
        fail(w, "it could not be read");
    else if (len)
        pass_on(w, &client);
}

void proxied_begin(struct httpd *h, int fd) {
    if (count == MOST)
        fail(oldest, "too many wait for their PROXY header");
    struct waiting *w = mem_alloc(sizeof *w);
    w->h = h;
    w->fd = fd;
    w->since_ms = uv_now(&h->st.loop);
    w->next = newest;
    *(newest ? &newest->prev : &oldest) = w;
    newest = w;
    count++;
    uv_poll_init(&h->st.loop, &w->poll, fd);
    w->poll.data = w;
    uv_poll_start(&w->poll, UV_READABLE, on_readable);
}

void proxied_tick(struct httpd *h) {
    uint64_t wait = h->timeout_ms < WAIT_MS ? (uint64_t)h->timeout_ms : WAIT_MS;
    while (oldest && uv_now(&h->st.loop) - oldest->since_ms > wait)
        fail(oldest, "no PROXY header came");
}

void proxied_stop(void) {
    while (oldest)
        close(let_go(oldest));
}
