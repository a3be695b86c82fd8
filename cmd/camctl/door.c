#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "camctl.h"
#include "listen.h"
#include "log.h"
#include "statefile.h"

enum { TURN = 64 /* connections taken in one turn of the loop */, PLACE_BYTES = 300 };

static void place(const struct config *f, enum port port, char out[PLACE_BYTES]) {
    bool v6 = strchr(f->host, ':') != NULL;
    snprintf(out, PLACE_BYTES, "%s%.255s%s:%d", v6 ? "[" : "", f->host, v6 ? "]" : "",
             (int)f->port[port]);
}

int door_check(const struct config *f, struct err *e) {
    char where[PLACE_BYTES];
    for (int i = 0; i < PORTS; i++) {
        place(f, i, where);
        if (listen_check(where, "--host", e) < 0)
            return -1;
        for (int k = 0; k < i; k++)
            if (f->port[i] && f->port[i] == f->port[k])
                return err_set(e, CAUSE_USAGE, "%s and %s are both %d", port_option(k),
                               port_option(i), (int)f->port[i]);
    }
    return 0;
}

/* ---- who has authenticated ---- */

void kept_open(struct camctl *c) {
    char owner[SECRET_DERIVED];
    struct kept *k = statefile_open(c->st.name, sizeof *k);
    secret_derive(&c->password, "camctl sessions", owner);
    if (memcmp(k->owner, owner, sizeof owner) != 0 || k->sessions.n > SESSIONS)
        memset(k, 0, sizeof *k);
    memcpy(k->owner, owner, sizeof owner);
    k->sessions.life_ms = (uint64_t)c->cfg.session_ms;
    c->kept = k;
}

void kept_close(struct camctl *c) {
    statefile_close(c->kept, sizeof *c->kept);
}

bool camctl_admits(struct camctl *c, const struct sockaddr_storage *peer) {
    return c->cfg.open ||
           session_see(&c->kept->sessions, (const struct sockaddr *)peer, camctl_ms(c));
}

void camctl_keep(struct camctl *c, const struct sockaddr_storage *peer) {
    if (!c->cfg.open)
        session_begin(&c->kept->sessions, (const struct sockaddr *)peer, camctl_ms(c));
}

/* ---- connections ---- */

static void welcome(struct door *d, int fd, const struct sockaddr_storage *peer) {
    static struct log_limit strangers;
    char name[64];
    if (d->port != PORT_AUTH && !camctl_admits(d->c, peer)) {
        d->c->n.refused++;
        log_limited(&strangers, LOG_WARN, "%s has not authenticated and is not served",
                    address_text((const struct sockaddr *)peer, name, sizeof name));
        conn_refuse(fd, d->port);
    } else if (d->port == PORT_DATA) {
        viewer_add(d->c, fd, peer);
    } else {
        conn_add(d->c, d->port, fd, peer);
    }
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

void doors_wake(struct camctl *c) {
    for (int i = 0; i < PORTS; i++) {
        struct door *d = &c->door[i];
        if (!d->resting)
            continue;
        d->resting = false;
        uv_poll_start(&d->poll, UV_READABLE, on_knock);
    }
}

/* ---- opening and closing ---- */

static int open_one(struct camctl *c, enum port port, struct err *e) {
    char where[PLACE_BYTES];
    struct door *d = &c->door[port];
    if (c->cfg.port[port] == 0)
        return 0;
    place(&c->cfg, port, where);
    d->c = c;
    d->port = port;
    d->fd = listen_open(where, port_option(port), e);
    if (d->fd < 0)
        return -1;
    uv_poll_init(&c->st.loop, &d->poll, d->fd);
    d->poll.data = d;
    uv_poll_start(&d->poll, UV_READABLE, on_knock);
    return 0;
}

int doors_open(struct camctl *c, struct err *e) {
    for (int i = 0; i < PORTS; i++)
        if (open_one(c, i, e) < 0)
            return -1;
    log_info("%s: data on port %d of %s, settings on %d, authentication on %d, %s",
             c->cfg.open ? "open to everybody" : "for those who authenticate",
             (int)c->cfg.port[PORT_DATA], c->cfg.host, (int)c->cfg.port[PORT_SETTINGS],
             (int)c->cfg.port[PORT_AUTH], c->password.set ? "with a password" : "no password set");
    if (!c->cfg.open && !c->password.set)
        log_warn("nobody can authenticate, so nobody is served (set AUTH_PASSWORD in the "
                 "environment, give --password-file, or serve everybody with --mode open)");
    return 0;
}

void doors_close(struct camctl *c) {
    for (int i = 0; i < PORTS; i++) {
        struct door *d = &c->door[i];
        if (d->fd < 0)
            continue;
        uv_close((uv_handle_t *)&d->poll, NULL);
        close(d->fd);
        d->fd = -1;
    }
}
