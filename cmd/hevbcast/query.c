/* query: a connection of the request port. One request, one answer, and the server closes.
 *
 * A D1 request has no end mark: it is complete when its JSON is. A D3 request ends in NUL, and so
 * does then the answer. Whatever is no request is answered by nack, so that nobody waits for ever
 * (section 3).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hevbcast.h"
#include "listen.h"
#include "log.h"
#include "tries.h"
#include "log.h"

enum {
    REST_MS = 500,    /* for the rest of a request of which something has come */
    NUL_MS = 20,      /* D3: for the NUL behind a complete text */
    CLOSING_MS = 1000 /* for the client to take the answer and close */
};

struct query {
    struct hevbcast *h;
    struct query *next, *prev;
    int fd;
    uv_poll_t poll;
    uv_timer_t timer;
    unsigned handles; /* that the loop still holds */
    uint64_t deadline_ms;
    uint64_t who; /* its address, see tries.h */
    bool answered;
    char peer[64];
    size_t len;
    char text[REQUEST_MAX];
};

/* ---- leaving ---- */

static void on_closed(uv_handle_t *p) {
    struct query *q = p->data;
    if (--q->handles == 0)
        free(q);
}

static void query_end(struct query *q) {
    struct hevbcast *h = q->h;
    *(q->prev ? &q->prev->next : &h->first_query) = q->next;
    *(q->next ? &q->next->prev : &h->last_query) = q->prev;
    h->query_count--;
    uv_close((uv_handle_t *)&q->poll, on_closed);
    uv_close((uv_handle_t *)&q->timer, on_closed);
    close(q->fd);
}

/* ---- answering ---- */

static void send_reply(struct query *q, bool ack, bool nul) {
    const char *text = ack ? "{\"type\": \"ack\"}" : "{\"type\": \"nack\"}";
    send(q->fd, text, strlen(text) + nul, MSG_DONTWAIT | MSG_NOSIGNAL);
    /* What is still unread when we close would make a reset of it and lose the answer, so the
     * client closes first. */
    shutdown(q->fd, SHUT_WR);
    q->answered = true;
    q->deadline_ms = hevbcast_ms(q->h) + CLOSING_MS;
}

static void answer(struct query *q, size_t n, bool nul) {
    struct answer a = {0};
    request_take(q->h, q->text, n, q->peer, "tcp", &a);
    send_reply(q, a.ack, nul);
}

/* ---- is it complete? ---- */

enum shape { HALF, WHOLE, BROKEN };

/* Only brackets and strings are looked at; whether it is JSON the parser says. */
static enum shape shape_of(const char *s, size_t n) {
    int depth = 0;
    bool string = false;
    size_t start = strspn(s, " \t\r\n");
    if (start < n && s[start] != '{')
        return BROKEN;
    for (size_t i = start; i < n; i++) {
        if (string && s[i] == '\\')
            i++;
        else if (s[i] == '"')
            string = !string;
        else if (!string && (s[i] == '{' || s[i] == '['))
            depth++;
        else if (!string && (s[i] == '}' || s[i] == ']') && --depth <= 0)
            return WHOLE;
    }
    return HALF;
}

static void consider(struct query *q) {
    uint64_t now = hevbcast_ms(q->h);
    const char *nul = memchr(q->text, 0, q->len);
    q->text[q->len] = 0;
    enum shape shape = shape_of(q->text, q->len);
    if (nul)
        answer(q, (size_t)(nul - q->text), true);
    else if (shape == BROKEN || q->len == REQUEST_MAX - 1)
        answer(q, q->len, false);
    else if (shape == WHOLE && q->h->dialect != DIALECT_D3)
        answer(q, q->len, false);
    else if (q->deadline_ms > now + (shape == WHOLE ? NUL_MS : REST_MS))
        q->deadline_ms = now + (shape == WHOLE ? NUL_MS : REST_MS);
}

/* ---- events ---- */

static void watch(struct query *q);

static void time_out(struct query *q) {
    if (q->answered) {
        query_end(q);
        return;
    }
    if (q->len == 0)
        q->h->n.timeouts++;
    answer(q, q->len, false);
    watch(q);
}

static void on_timer(uv_timer_t *t) {
    time_out(t->data);
}

static void watch(struct query *q) {
    uint64_t now = hevbcast_ms(q->h);
    uv_timer_start(&q->timer, on_timer, q->deadline_ms > now ? q->deadline_ms - now : 0, 0);
}

/* Once answered, what still comes is thrown away until the client closes. */
static void on_readable(uv_poll_t *p, int status, int events) {
    struct query *q = p->data;
    char waste[REQUEST_MAX];
    char *into = q->answered ? waste : q->text + q->len;
    size_t room = q->answered ? sizeof waste : REQUEST_MAX - 1 - q->len;
    (void)events;
    ssize_t n = status < 0 ? 0 : recv(q->fd, into, room, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 && (q->answered || q->len == 0 || n < 0)) {
        query_end(q);
        return;
    }
    if (q->answered)
        return;
    q->len += (size_t)n;
    if (n > 0)
        consider(q);
    else
        answer(q, q->len, false);
    watch(q);
}

/* ---- joining ---- */

/* Who opens many makes room for itself, and nobody else's request suffers. */
static void make_room(struct hevbcast *h, uint64_t who) {
    static struct log_limit limit;
    struct query *own = NULL;
    size_t n = 0;
    for (struct query *q = h->last_query; q; q = q->prev)
        if (q->who == who) {
            own = q;
            n++;
        }
    if (n < QUERIES_EACH && h->query_count < QUERIES)
        return;
    struct query *old = n < QUERIES_EACH ? h->first_query : own;
    h->n.displaced += !old->answered;
    if (!old->answered)
        log_limited(&limit, LOG_WARN, "%s: its request ends unanswered, too many are open",
                    old->peer);
    query_end(old);
}

void query_add(struct hevbcast *h, int fd, const struct sockaddr_storage *peer) {
    uint64_t who = tries_who((const struct sockaddr *)peer);
    make_room(h, who);
    struct query *q = mem_alloc(sizeof *q);
    *q = (struct query){.h = h, .fd = fd, .who = who, .prev = h->last_query, .handles = 2};
    if (h->stopping || uv_poll_init(&h->st.loop, &q->poll, fd) < 0) {
        close(fd);
        free(q);
        return;
    }
    *(q->prev ? &q->prev->next : &h->first_query) = q;
    h->last_query = q;
    h->query_count++;
    address_text((const struct sockaddr *)peer, q->peer, sizeof q->peer);
    uv_timer_init(&h->st.loop, &q->timer);
    q->poll.data = q->timer.data = q;
    q->deadline_ms = hevbcast_ms(h) + (uint64_t)h->opt.request_ms;
    uv_poll_start(&q->poll, UV_READABLE, on_readable);
    watch(q);
}

void queries_close(struct hevbcast *h) {
    while (h->first_query)
        query_end(h->first_query);
}
