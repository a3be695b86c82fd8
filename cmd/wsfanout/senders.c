#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fanout.h"
#include "log.h"
#include "rundir.h"

enum { TURN = 64 /* connections or hand-overs taken in one turn of the loop */ };

/* Take what is there. False when the connection is of no further use. */
static bool take(struct fanout *f, int sock) {
    static struct log_limit wrong;
    static uint8_t mem[HANDOVER_MAX];
    struct handover h;
    struct err e = {0};
    f->takes++;
    for (int i = 0; i < TURN; i++) {
        int fd = handover_take(sock, &h, mem, &e);
        if (fd >= 0)
            client_add(f, fd, &h);
        else if (e.cause == CAUSE_OK)
            return true;
        else
            break;
    }
    if (e.cause == CAUSE_OK || e.cause == CAUSE_ABSENT)
        return e.cause == CAUSE_OK;
    f->n.bad_handovers++;
    log_limited(&wrong, LOG_WARN, "%s", e.text);
    return false;
}

/* ---- senders that keep their connection ---- */

static void on_sender_closed(uv_handle_t *h) {
    free(h->data);
}

static void drop_sender(struct fanout *f, size_t i) {
    struct sender *s = f->sender[i];
    f->sender[i] = f->sender[--f->senders];
    uv_close((uv_handle_t *)&s->poll, on_sender_closed);
    close(s->fd);
}

static void on_sender(uv_poll_t *p, int status, int events) {
    struct sender *s = p->data;
    struct fanout *f = s->f;
    (void)status;
    (void)events;
    s->used = f->takes;
    if (take(f, s->fd))
        return;
    for (size_t i = 0; i < f->senders; i++)
        if (f->sender[i] == s) {
            drop_sender(f, i);
            return;
        }
}

/* One that holds its connection open and is silent must not keep others out. */
static void drop_oldest(struct fanout *f) {
    size_t oldest = 0;
    for (size_t i = 1; i < f->senders; i++)
        if (f->sender[i]->used < f->sender[oldest]->used)
            oldest = i;
    take(f, f->sender[oldest]->fd);
    drop_sender(f, oldest);
}

static void keep_sender(struct fanout *f, int fd) {
    if (f->senders == SENDERS)
        drop_oldest(f);
    struct sender *s = mem_alloc(sizeof *s);
    *s = (struct sender){.f = f, .fd = fd, .used = f->takes};
    f->sender[f->senders++] = s;
    uv_poll_init(&f->st->loop, &s->poll, fd);
    s->poll.data = s;
    uv_poll_start(&s->poll, UV_READABLE, on_sender);
}

/* ---- the listening socket ---- */

static void welcome(struct door *d, int fd, const struct sockaddr_storage *peer) {
    struct fanout *f = d->ctx;
    (void)peer;
    if (take(f, fd))
        keep_sender(f, fd);
    else
        close(fd);
}

int senders_open(struct fanout *f, struct err *e) {
    f->door =
        (struct door){.takes = "a hand-over", .turn = TURN, .welcome = welcome, .ctx = f, .fd = -1};
    int fd = handover_listen(f->name, e);
    if (fd < 0 || door_watch(&f->door, &f->st->loop, fd, e) == 0)
        return fd < 0 ? -1 : 0;
    close(fd);
    return -1;
}

void senders_close(struct fanout *f) {
    char path[128];
    if (f->door.fd < 0)
        return;
    while (f->senders)
        drop_sender(f, f->senders - 1);
    if (rundir_file(path, sizeof path, f->name, "sock", NULL) == 0)
        unlink(path);
    door_shut(&f->door);
}
