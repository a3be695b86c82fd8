#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "camctl.h"
#include "listen.h"
#include "log.h"
#include "tries.h"

enum {
    OWN_FILES = 64 + 2 * CONNS,              /* descriptors the program needs beside its viewers */
    NOTSENT = 2 * RATE_HZ * CAMPACKET_SHORT, /* bytes the kernel holds unsent: two seconds */
    CATCH_UP = RATE_HZ                       /* ticks made up for after a pause of the process */
};

static const uint64_t SECOND_NS = 1000000000;

/* ---- the value ---- */

/* xorshift64: this is no secret. */
static uint8_t random_value(struct viewers *w) {
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (uint8_t)((w->random >> 32) % 11); /* 0 to 10, where nothing is configured */
}

void viewers_message(struct camctl *c, const struct msg *m) {
    double v;
    if (!c->cfg.topic[0] || !msg_is(m, c->cfg.topic))
        return;
    if (mp_get_double(m->body, m->body_len, c->cfg.field, &v) && !isnan(v))
        c->viewers.value = v;
}

/* One byte is all there is: what does not fit is shown as the nearest that does. */
static uint8_t value_now(struct camctl *c) {
    double v = c->viewers.value;
    if (!c->cfg.topic[0])
        return random_value(&c->viewers);
    return v <= 0 ? 0 : v >= 255 ? 255 : (uint8_t)lround(v);
}

/* ---- a viewer ---- */

static void on_closed(uv_handle_t *h) {
    free(h->data);
}

static void viewer_drop(struct viewer *v) {
    struct viewers *w = &v->c->viewers;
    if (v->gone)
        return;
    v->gone = true;
    camctl_keep(v->c, &v->peer);
    crowd_leave(&w->crowd, v->who);
    w->item[v->index] = w->item[--w->n];
    w->item[v->index]->index = v->index;
    v->c->n.viewers = w->n;
    uv_close((uv_handle_t *)&v->poll, on_closed);
    close(v->fd);
    log_debug("viewer %s left", v->name);
}

/* At once, so that the kernel need not keep what it does not take. */
static void viewer_cut(struct viewer *v) {
    static struct log_limit slow;
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(v->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    v->c->n.cut++;
    log_limited(&slow, LOG_WARN, "viewer %s cut: it has taken nothing for %d s", v->name,
                STALL_MS / 1000);
    viewer_drop(v);
}

/* What a viewer says is thrown away. One that says no more may still listen; that it has gone shows
 * at the next packet. */
static void on_poll(uv_poll_t *p, int status, int events) {
    struct viewer *v = p->data;
    uint8_t b[4096];
    (void)events;
    ssize_t n = recv(v->fd, b, sizeof b, MSG_DONTWAIT);
    if (n == 0)
        uv_poll_stop(p);
    else if ((n < 0 && errno != EAGAIN && errno != EINTR) || (n < 0 && status < 0))
        viewer_drop(v);
}

/* Its client is told so in the words of the port. */
static void refuse(struct camctl *c, int fd, const char *name, enum crowd_room why) {
    static struct log_limit full, crowded;
    c->n.refused++;
    c->n.crowded += why == CROWD_TOO_MANY;
    if (why == CROWD_TOO_MANY)
        log_limited(&crowded, LOG_WARN, "viewer %s refused: its address has %u (--per-address)",
                    name, crowd_each(&c->viewers.crowd));
    else
        log_limited(&full, LOG_WARN, "viewer %s refused: %zu are connected (--viewers)", name,
                    c->viewers.n);
    conn_refuse(fd, PORT_DATA);
}

static void set_socket(int fd) {
    int one = 1, notsent = NOTSENT;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &notsent, sizeof notsent);
}

static struct viewer *viewer_new(struct camctl *c, int fd, const struct sockaddr_storage *peer) {
    struct viewer *v = mem_alloc(sizeof *v);
    if (uv_poll_init(&c->st.loop, &v->poll, fd) < 0) {
        free(v);
        return NULL;
    }
    v->c = c;
    v->fd = fd;
    v->peer = *peer;
    v->poll.data = v;
    return v;
}

void viewer_add(struct camctl *c, int fd, const struct sockaddr_storage *peer) {
    struct viewers *w = &c->viewers;
    char name[64];
    uint64_t who = tries_who((const struct sockaddr *)peer);
    address_text((const struct sockaddr *)peer, name, sizeof name);
    enum crowd_room room = c->stopping ? CROWD_FULL : crowd_enter(&w->crowd, who);
    if (room != CROWD_ROOM) {
        refuse(c, fd, name, room);
        return;
    }
    struct viewer *v = viewer_new(c, fd, peer);
    if (!v) {
        crowd_leave(&w->crowd, who);
        refuse(c, fd, name, CROWD_FULL);
        return;
    }
    set_socket(fd);
    v->who = who;
    v->index = w->n;
    v->progress_ms = camctl_ms(c);
    memcpy(v->name, name, sizeof name);
    w->item[w->n++] = v;
    c->n.viewers = w->n;
    c->n.opened++;
    uv_poll_start(&v->poll, UV_READABLE, on_poll);
    log_debug("viewer %s joined", v->name);
}

/* Bytes taken; -1: it has gone. */
static ssize_t send_some(struct viewer *v, const uint8_t *p, size_t n) {
    ssize_t w = send(v->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (w < 0)
        return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -1;
    v->progress_ms = camctl_ms(v->c);
    return w;
}

/* A packet that was begun is finished first; one that cannot be begun is left out. */
static void viewer_send(struct viewer *v, const uint8_t *p, size_t n) {
    ssize_t w = v->rest_len ? send_some(v, v->rest, v->rest_len) : 0;
    if (w >= 0) {
        memmove(v->rest, v->rest + w, v->rest_len - (size_t)w);
        v->rest_len -= (size_t)w;
        w = v->rest_len ? 0 : send_some(v, p, n);
    }
    if (w < 0)
        viewer_drop(v);
    else if (w == 0)
        v->c->n.skipped++;
    else
        memcpy(v->rest, p + w, v->rest_len = n - (size_t)w);
}

/* ---- the clock ---- */

static uint64_t due_ns(const struct viewers *w, uint64_t tick) {
    return w->base_ns + tick / RATE_HZ * SECOND_NS + tick % RATE_HZ * SECOND_NS / RATE_HZ;
}

static void arm(struct viewers *w) {
    uint64_t at = due_ns(w, w->tick);
    struct itimerspec t = {
        .it_value = {.tv_sec = (time_t)(at / SECOND_NS), .tv_nsec = (long)(at % SECOND_NS)}};
    timerfd_settime(w->timer_fd, TFD_TIMER_ABSTIME, &t, NULL);
}

static void send_tick(struct camctl *c) {
    struct viewers *w = &c->viewers;
    uint8_t data[CAMPACKET_DATA], packet[CAMPACKET_SHORT], value = value_now(c);
    uint64_t now_ms = clock_wall_ns() / 1000000;
    campacket_data(data, value, now_ms);
    size_t n = campacket_put(packet, CAMPACKET_ID_DATA, CAMPACKET_RESPONSE, data, sizeof data);
    for (size_t i = w->n; i-- > 0;)
        viewer_send(w->item[i], packet, n);
    c->n.packets++;
    bus_data(c, value, now_ms);
}

/* Ticks are counted from one base, so nothing adds up. What was late by up to a second is made up
 * for; after a longer pause, as of a machine that slept, the count goes on from now. */
static void on_timer(uv_poll_t *p, int status, int events) {
    struct camctl *c = p->data;
    struct viewers *w = &c->viewers;
    uint64_t expired, now = clock_mono_ns();
    ssize_t r = read(w->timer_fd, &expired, sizeof expired);
    (void)status;
    (void)events;
    (void)r;
    for (int i = 0; i < CATCH_UP && due_ns(w, w->tick) <= now; i++, w->tick++)
        send_tick(c);
    for (; due_ns(w, w->tick) <= now; w->tick++)
        c->n.missed++;
    bus_tell(c);
    arm(w);
}

/* ---- watching ---- */

void viewers_watch(struct camctl *c) {
    uint64_t now = camctl_ms(c);
    for (size_t i = c->viewers.n; i-- > 0;) {
        struct viewer *v = c->viewers.item[i];
        if (now - v->progress_ms > STALL_MS)
            viewer_cut(v);
        else
            camctl_keep(c, &v->peer);
    }
    for (struct conn *x = c->conns[PORT_SETTINGS].first; x; x = x->next)
        camctl_keep(c, &x->peer);
}

/* ---- life ---- */

static uint64_t room(int64_t wanted) {
    uint64_t files = listen_files(), most = (uint64_t)wanted;
    if (files >= most + OWN_FILES)
        return most;
    most = files > 2 * OWN_FILES ? files - OWN_FILES : OWN_FILES;
    log_warn("at most %llu viewers instead of %lld: the limit of open files is %llu (raise "
             "LimitNOFILE or lower --viewers)",
             (unsigned long long)most, (long long)wanted, (unsigned long long)files);
    return most;
}

int viewers_open(struct camctl *c, struct err *e) {
    struct viewers *w = &c->viewers;
    w->max = room(c->cfg.viewers);
    w->item = mem_alloc(w->max * sizeof *w->item);
    crowd_open(&w->crowd, NULL, (uint32_t)w->max, (uint32_t)c->cfg.per_address);
    w->base_ns = clock_mono_ns();
    w->random = clock_wall_ns() | 1;
    w->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (w->timer_fd < 0)
        return err_errno(e, errno, "cannot make a timer");
    uv_poll_init(&c->st.loop, &w->timer, w->timer_fd);
    w->timer.data = c;
    uv_poll_start(&w->timer, UV_READABLE, on_timer);
    arm(w);
    return 0;
}

void viewers_close(struct camctl *c) {
    struct viewers *w = &c->viewers;
    while (w->n)
        viewer_drop(w->item[w->n - 1]);
    free(w->item);
    w->item = NULL;
    crowd_close(&w->crowd);
    uv_close((uv_handle_t *)&w->timer, NULL);
    close(w->timer_fd);
}
