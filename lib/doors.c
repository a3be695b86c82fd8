#include "doors.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "listen.h"
#include "log.h"

enum { WHERE_BYTES = 300 };

/* ---- one ---- */

static bool exhausted(int no) {
    return no == EMFILE || no == ENFILE || no == ENOBUFS || no == ENOMEM;
}

static void rest(struct door *d, int no) {
    static struct log_limit failed;
    log_limited(&failed, LOG_WARN, "cannot accept %s: %s", d->takes, strerror(no));
    uv_poll_stop(&d->poll);
    d->resting = true;
}

static void on_knock(uv_poll_t *p, int status, int events) {
    struct door *d = p->data;
    (void)status;
    (void)events;
    for (int i = 0; i < d->turn; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t n = sizeof peer;
        int fd = accept4(d->fd, (struct sockaddr *)&peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        int no = errno;
        if (fd >= 0)
            d->welcome(d, fd, &peer);
        else if (exhausted(no))
            rest(d, no);
        if (fd < 0 && no != ECONNABORTED)
            return;
    }
}

int door_watch(struct door *d, uv_loop_t *loop, int fd, struct err *e) {
    int r = uv_poll_init(loop, &d->poll, fd);
    if (r < 0)
        return err_set(e, CAUSE_FAILED, "cannot watch a listening socket: %s", uv_strerror(r));
    d->fd = fd;
    d->poll.data = d;
    d->resting = true;
    door_wake(d);
    return 0;
}

void door_wake(struct door *d) {
    if (d->fd < 0 || !d->resting)
        return;
    d->resting = false;
    uv_poll_start(&d->poll, UV_READABLE, on_knock);
}

void door_shut(struct door *d) {
    if (d->fd < 0)
        return;
    uv_close((uv_handle_t *)&d->poll, NULL);
    close(d->fd);
    d->fd = -1;
}

/* ---- several ports ---- */

static void name_place(const struct doors_place *at, size_t door, char out[WHERE_BYTES]) {
    bool v6 = strchr(at->host, ':') != NULL;
    snprintf(out, WHERE_BYTES, "%s%.255s%s:%d", v6 ? "[" : "", at->host, v6 ? "]" : "",
             (int)at->port[door]);
}

int doors_check(const struct doors_place *at, struct err *e) {
    char where[WHERE_BYTES];
    for (size_t i = 0; i < at->n; i++) {
        name_place(at, i, where);
        if (listen_check(where, "--host", e) < 0)
            return -1;
        for (size_t k = 0; k < i; k++)
            if (at->port[i] && at->port[i] == at->port[k])
                return err_set(e, CAUSE_USAGE, "%s and %s are both %d", at->option[k],
                               at->option[i], (int)at->port[i]);
    }
    return 0;
}

static void pass_on(struct door *d, int fd, const struct sockaddr_storage *peer) {
    struct doors *all = d->ctx;
    all->welcome(all->ctx, (size_t)(d - all->door), fd, peer);
}

static int open_one(struct doors *all, size_t i, uv_loop_t *loop, struct err *e) {
    char where[WHERE_BYTES];
    struct door *d = &all->door[i];
    *d = (struct door){
        .takes = "a connection", .turn = all->turn, .welcome = pass_on, .ctx = all, .fd = -1};
    if (all->at.port[i] == 0)
        return 0;
    name_place(&all->at, i, where);
    int fd = listen_open(where, all->at.option[i], e);
    if (fd < 0 || door_watch(d, loop, fd, e) == 0)
        return fd < 0 ? -1 : 0;
    close(fd);
    return -1;
}

int doors_open(struct doors *d, uv_loop_t *loop, struct err *e) {
    for (d->n = 0; d->n < d->at.n; d->n++)
        if (open_one(d, d->n, loop, e) < 0)
            return -1;
    return 0;
}

void doors_wake(struct doors *d) {
    for (size_t i = 0; i < d->n; i++)
        door_wake(&d->door[i]);
}

void doors_close(struct doors *d) {
    for (size_t i = 0; i < d->n; i++)
        door_shut(&d->door[i]);
    d->n = 0;
}
