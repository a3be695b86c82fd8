#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hevbcast.h"
#include "listen.h"
#include "log.h"

enum { TURN = 256 /* connections taken in one turn of the loop */, PLACE_BYTES = 300 };

static const char *const option[PORTS] = {
    [PORT_WEBUI] = "--webui-port", [PORT_NATIVE] = "--native-port", [PORT_QUERY] = "--query-port"};

static void place(const struct options *o, enum port port, char out[PLACE_BYTES]) {
    bool v6 = strchr(o->host, ':') != NULL;
    snprintf(out, PLACE_BYTES, "%s%.255s%s:%d", v6 ? "[" : "", o->host, v6 ? "]" : "",
             (int)o->port[port]);
}

int door_check(const struct options *o, struct err *e) {
    char where[PLACE_BYTES];
    for (int i = 0; i < PORTS; i++) {
        place(o, i, where);
        if (listen_check(where, "--host", e) < 0)
            return -1;
        for (int k = 0; k < i; k++)
            if (o->port[i] && o->port[i] == o->port[k])
                return err_set(e, CAUSE_USAGE, "%s and %s are both %lld", option[k], option[i],
                               (long long)o->port[i]);
    }
    return 0;
}

/* ---- connections ---- */

static void welcome(struct door *d, int fd, const struct sockaddr_storage *peer) {
    if (d->port == PORT_QUERY)
        query_add(d->h, fd, peer);
    else
        client_add(d->h, d->port, fd, peer);
}

/* What waits at a door that is out of descriptors would wake us for ever. */
static void rest(struct door *d) {
    static struct log_limit failed;
    log_limited(&failed, LOG_WARN, "cannot accept a connection: %s", strerror(errno));
    uv_poll_stop(&d->poll);
    d->resting = true;
}

static void on_knock(uv_poll_t *p, int status, int events) {
    struct door *d = p->data;
    (void)status;
    (void)events;
    for (int i = 0; i < TURN; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t n = sizeof peer;
        int fd = accept4(d->fd, (struct sockaddr *)&peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            welcome(d, fd, &peer);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            rest(d);
        if (fd < 0 && errno != ECONNABORTED)
            return;
    }
}

void doors_wake(struct hevbcast *h) {
    for (int i = 0; i < PORTS; i++) {
        struct door *d = &h->door[i];
        if (!d->resting)
            continue;
        d->resting = false;
        uv_poll_start(&d->poll, UV_READABLE, on_knock);
    }
}

/* ---- opening and closing ---- */

static int open_one(struct hevbcast *h, enum port port, struct err *e) {
    char where[PLACE_BYTES];
    struct door *d = &h->door[port];
    if (h->opt.port[port] == 0)
        return 0;
    place(&h->opt, port, where);
    d->h = h;
    d->port = port;
    d->fd = listen_open(where, option[port], e);
    if (d->fd < 0)
        return -1;
    uv_poll_init(&h->st.loop, &d->poll, d->fd);
    d->poll.data = d;
    uv_poll_start(&d->poll, UV_READABLE, on_knock);
    return 0;
}

int doors_open(struct hevbcast *h, struct err *e) {
    for (int i = 0; i < PORTS; i++)
        h->door[i].fd = -1;
    for (int i = 0; i < PORTS; i++)
        if (open_one(h, i, e) < 0)
            return -1;
    log_info("%s: broadcast on ports %lld and %lld of %s, requests on %lld", h->opt.dialect,
             (long long)h->opt.port[PORT_WEBUI], (long long)h->opt.port[PORT_NATIVE], h->opt.host,
             (long long)h->opt.port[PORT_QUERY]);
    return 0;
}

void doors_close(struct hevbcast *h) {
    for (int i = 0; i < PORTS; i++) {
        struct door *d = &h->door[i];
        if (d->fd < 0)
            continue;
        uv_close((uv_handle_t *)&d->poll, NULL);
        close(d->fd);
        d->fd = -1;
    }
}
