#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "camctl.h"
#include "listen.h"
#include "log.h"
#include "tries.h"

static void watch(struct conn *x);

/* ---- the list ---- */

static void list_add(struct conns *l, struct conn *x) {
    x->prev = l->last;
    *(l->last ? &l->last->next : &l->first) = x;
    l->last = x;
    l->n++;
}

static void list_remove(struct conns *l, struct conn *x) {
    *(x->prev ? &x->prev->next : &l->first) = x->next;
    *(x->next ? &x->next->prev : &l->last) = x->prev;
    l->n--;
}

/* ---- leaving ---- */

static void on_closed(uv_handle_t *h) {
    struct conn *x = h->data;
    if (--x->handles == 0)
        free(x);
}

void conn_drop(struct conn *x) {
    if (x->gone)
        return;
    x->gone = true;
    if (x->port == PORT_SETTINGS)
        camctl_keep(x->c, &x->peer);
    list_remove(&x->c->conns[x->port], x);
    if (x->change)
        store_forget(x->change);
    x->change = NULL;
    uv_close((uv_handle_t *)&x->poll, on_closed);
    uv_close((uv_handle_t *)&x->timer, on_closed);
    close(x->fd);
}

static void on_linger(uv_timer_t *t) {
    conn_drop(t->data);
}

static void all_said(struct conn *x) {
    if (x->eof)
        conn_drop(x);
    else
        shutdown(x->fd, SHUT_WR);
}

/* To close with bytes unread would reset the connection, and with it what we have just said. So
 * only our half is closed, and what still comes is thrown away. */
void conn_leave(struct conn *x) {
    if (x->gone || x->leaving)
        return;
    x->leaving = true;
    uv_timer_start(&x->timer, on_linger, LINGER_MS, 0);
    if (x->out_len == 0)
        all_said(x);
    if (!x->gone)
        watch(x);
}

/* ---- deadlines ---- */

static void on_late(uv_timer_t *t);

static void say_broken(struct conn *x, enum campacket_found found, const struct campacket *p) {
    if (x->port == PORT_AUTH)
        auth_packet(x, found, p);
    else
        control_packet(x, found, p);
}

/* From the first byte of a packet on; at the authentication port from the beginning. */
static void arm(struct conn *x) {
    if (x->leaving || x->gone)
        return;
    if (x->have == 0 && x->port != PORT_AUTH)
        uv_timer_stop(&x->timer);
    else if (!uv_is_active((uv_handle_t *)&x->timer))
        uv_timer_start(&x->timer, on_late, READ_MS, 0);
}

/* ---- bytes in ---- */

static size_t payload_max(const struct conn *x) {
    return x->port == PORT_AUTH ? PASSWORD_MAX : COMMAND_MAX;
}

static bool has_room(const struct conn *x) {
    return !x->gone && !x->leaving && !x->change && sizeof x->out - x->out_len >= CAMPACKET_SHORT;
}

static void drop_front(struct conn *x, size_t n) {
    memmove(x->in, x->in + n, x->have - n);
    x->have -= n;
}

static void take_packets(struct conn *x) {
    struct campacket p = {0};
    enum campacket_found found;
    size_t used;
    while (has_room(x) &&
           (found = campacket_next(x->in, x->have, payload_max(x), &p, &used)) != CAMPACKET_MORE) {
        x->c->n.garbage += found == CAMPACKET_GARBAGE ? used : 0;
        x->c->n.bad_packets += found == CAMPACKET_LONG || found == CAMPACKET_CHECKSUM;
        if (found != CAMPACKET_OK)
            uv_timer_stop(&x->timer);
        if (found != CAMPACKET_GARBAGE)
            say_broken(x, found, &p);
        if (!x->gone)
            drop_front(x, used);
        if (found == CAMPACKET_OK && !x->gone && !x->leaving)
            uv_timer_stop(&x->timer);
    }
    if (x->eof && !x->change && !x->leaving && !x->gone)
        conn_leave(x);
    arm(x);
}

static void on_late(uv_timer_t *t) {
    struct conn *x = t->data;
    if (x->port == PORT_AUTH) {
        auth_timeout(x);
        return;
    }
    if (!has_room(x)) { /* it waits for us */
        arm(x);
        return;
    }
    /* Its magic may have been none. */
    x->c->n.bad_packets++;
    control_packet(x, CAMPACKET_CHECKSUM, NULL);
    drop_front(x, x->have < 2 ? x->have : 2);
    take_packets(x);
    watch(x);
}

static void throw_away(struct conn *x) {
    uint8_t b[4096];
    ssize_t n = recv(x->fd, b, sizeof b, MSG_DONTWAIT);
    x->eof = n == 0;
    if ((n == 0 && x->out_len == 0) || (n < 0 && errno != EAGAIN && errno != EINTR))
        conn_drop(x);
}

static void take_bytes(struct conn *x) {
    ssize_t n = recv(x->fd, x->in + x->have, sizeof x->in - x->have, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        conn_drop(x);
        return;
    }
    x->eof = n == 0;
    x->have += (size_t)n;
    take_packets(x);
}

/* ---- answers out ---- */

static void send_out(struct conn *x) {
    ssize_t w = send(x->fd, x->out, x->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (w < 0 && errno != EAGAIN && errno != EINTR) {
        conn_drop(x);
        return;
    }
    w = w < 0 ? 0 : w;
    memmove(x->out, x->out + w, x->out_len - (size_t)w);
    x->out_len -= (size_t)w;
    if (x->leaving && x->out_len == 0)
        all_said(x);
}

void conn_answer(struct conn *x, uint8_t id, uint8_t type, const void *payload, size_t n) {
    if (x->gone || sizeof x->out - x->out_len < CAMPACKET_OVERHEAD + n)
        return;
    x->out_len += campacket_put(x->out + x->out_len, id, type, payload, n);
    if (x->out_len == CAMPACKET_OVERHEAD + n)
        send_out(x);
}

/* ---- events ---- */

static void on_poll(uv_poll_t *p, int status, int events) {
    struct conn *x = p->data;
    if (status < 0) {
        conn_drop(x);
        return;
    }
    if (events & UV_WRITABLE) {
        send_out(x);
        if (!x->gone)
            take_packets(x);
    }
    if (!x->gone && events & UV_READABLE) {
        if (x->leaving)
            throw_away(x);
        else if (has_room(x))
            take_bytes(x);
    }
    if (!x->gone)
        watch(x);
}

/* Who does not read its answers is not read either. */
static void watch(struct conn *x) {
    bool read = !x->eof && (x->leaving || has_room(x));
    int events = (read ? UV_READABLE : 0) | (x->out_len ? UV_WRITABLE : 0);
    if (x->gone || events == x->events)
        return;
    x->events = events;
    if (events)
        uv_poll_start(&x->poll, events, on_poll);
    else
        uv_poll_stop(&x->poll);
}

void conn_go_on(struct conn *x) {
    take_packets(x);
    if (!x->gone)
        watch(x);
}

/* ---- joining ---- */

static size_t held_by(const struct conns *l, uint64_t who) {
    size_t n = 0;
    for (const struct conn *x = l->first; x; x = x->next)
        n += x->who == who;
    return n;
}

/* The oldest of the address that has most, with the one to come. */
static struct conn *one_too_many(const struct conns *l, uint64_t newcomer) {
    struct conn *found = l->first;
    size_t most = 0;
    for (struct conn *x = l->first; x; x = x->next) {
        size_t n = held_by(l, x->who) + (x->who == newcomer);
        if (n > most) {
            most = n;
            found = x;
        }
    }
    return found;
}

/* Who opens many makes room for itself, and nobody else suffers. As long as there are places
 * anybody may have them, for behind one address may be a whole school class. */
static void make_room(struct camctl *c, enum port port, uint64_t who) {
    static struct log_limit limit;
    if (c->conns[port].n < CONNS)
        return;
    struct conn *old = one_too_many(&c->conns[port], who);
    c->n.displaced++;
    log_limited(&limit, LOG_WARN, "%s: its connection ends, too many are open", old->name);
    conn_drop(old);
}

void conn_add(struct camctl *c, enum port port, int fd, const struct sockaddr_storage *peer) {
    struct conns *l = &c->conns[port];
    struct conn *x = mem_alloc(sizeof *x);
    int one = 1;
    if (c->stopping || uv_poll_init(&c->st.loop, &x->poll, fd) < 0) {
        close(fd);
        free(x);
        return;
    }
    x->who = tries_who((const struct sockaddr *)peer);
    make_room(c, port, x->who);
    x->c = c;
    x->port = port;
    x->fd = fd;
    x->peer = *peer;
    x->handles = 2;
    address_text((const struct sockaddr *)peer, x->name, sizeof x->name);
    uv_timer_init(&c->st.loop, &x->timer);
    x->poll.data = x->timer.data = x;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    list_add(l, x);
    arm(x);
    watch(x);
}

/* Nothing of it has been read: that would reset it, unless it is thrown away. What comes later does
 * not matter, for it came without being asked. */
void conn_refuse(int fd, enum port port) {
    uint8_t b[CAMPACKET_OVERHEAD], dust[256];
    size_t n = campacket_put(b, port == PORT_DATA ? CAMPACKET_ID_DATA : CAMPACKET_ID_SETTINGS,
                             CAMPACKET_ERROR, NULL, 0);
    ssize_t r = send(fd, b, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    r = recv(fd, dust, sizeof dust, MSG_DONTWAIT);
    (void)r;
    close(fd);
}

void conns_close(struct camctl *c) {
    for (int i = 0; i < PORTS; i++)
        while (c->conns[i].first)
            conn_drop(c->conns[i].first);
}
