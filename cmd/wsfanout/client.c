#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fanout.h"
#include "listen.h"
#include "log.h"
#include "tries.h"

enum { OWN_FILES = 64 /* descriptors the program needs beside its clients */ };

/* Ids count on from the start time, so that a restart gives none twice: milliseconds since 2024
 * times 4096. They stay below 2^53, which JavaScript holds exactly, until 2093. */
static const uint64_t EPOCH_MS = 1704067200000u;

/* ---- the table ---- */

int client_table_open(struct fanout *f) {
    uint64_t files = listen_files(), most = (uint64_t)f->opt.clients;
    if (files < most + OWN_FILES) {
        most = files > 2 * OWN_FILES ? files - OWN_FILES : OWN_FILES;
        log_warn(
            "at most %llu clients instead of %lld: the limit of open files is %llu (ulimit -n)",
            (unsigned long long)most, (long long)f->opt.clients, (unsigned long long)files);
    }
    f->max_clients = most;
    for (f->buckets = 64; f->buckets < most; f->buckets *= 2)
        ;
    f->bucket = mem_alloc(f->buckets * sizeof(struct client *));
    f->open = mem_alloc(most * sizeof(struct client *));
    f->leaving = mem_alloc(most * sizeof(struct client *));
    /* Whoever is dropped while dirty may have a successor before the next flush. */
    f->dirty = mem_alloc(2 * most * sizeof(struct client *));
    f->next_id = (clock_wall_ns() / 1000000u - EPOCH_MS) << 12;
    return 0;
}

void client_crowd_open(struct fanout *f) {
    char name[sizeof f->name + 8];
    snprintf(name, sizeof name, "%s.crowd", f->name);
    crowd_open(&f->crowd, name, (uint32_t)f->max_clients, (uint32_t)f->opt.per_address);
}

static struct client **bucket_of(const struct fanout *f, uint64_t id) {
    return &f->bucket[id & (f->buckets - 1)];
}

struct client *client_find(const struct fanout *f, uint64_t id) {
    struct client *c = *bucket_of(f, id);
    while (c && c->id != id)
        c = c->next_in_bucket;
    return c;
}

static void list_add(struct client **list, size_t *count, struct client *c) {
    c->index = *count;
    list[(*count)++] = c;
}

static void list_remove(struct client **list, size_t *count, const struct client *c) {
    struct client *last = list[--*count];
    list[c->index] = last;
    last->index = c->index;
}

static void table_add(struct client *c) {
    struct fanout *f = c->f;
    struct client **b = bucket_of(f, c->id);
    c->next_in_bucket = *b;
    *b = c;
    list_add(f->open, &f->open_count, c);
    f->n.clients = f->open_count;
    f->changed = true;
}

static void table_remove(struct client *c) {
    struct fanout *f = c->f;
    struct client **b = bucket_of(f, c->id);
    while (*b != c)
        b = &(*b)->next_in_bucket;
    *b = c->next_in_bucket;
    list_remove(f->open, &f->open_count, c);
    f->n.clients = f->open_count;
    f->changed = true;
}

/* ---- events ---- */

static void on_poll(uv_poll_t *h, int status, int events) {
    struct client *c = h->data;
    if (status < 0) {
        client_drop(c, "connection lost", CAUSE_UNPLUGGED);
        return;
    }
    if (events & UV_WRITABLE)
        out_writable(c);
    if ((events & UV_READABLE) && c->state != CLIENT_GONE)
        receive_readable(c);
}

/* An open client is not read while our own output is full; a leaving one says nothing more that
 * would have to go there. */
void client_poll(struct client *c) {
    bool reads = !c->f->blocked || c->state == CLIENT_LEAVING;
    int events = (reads ? UV_READABLE : 0) | (c->full ? UV_WRITABLE : 0);
    if (events == c->events)
        return;
    c->events = events;
    if (events)
        uv_poll_start(&c->poll, events, on_poll);
    else
        uv_poll_stop(&c->poll);
}

/* ---- joining ---- */

static void set_socket(int fd) {
    int one = 1, lowat = NOTSENT_LOWAT;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof lowat);
}

/* httpd has looked before it answered 101, so this is for those who came at the same moment. */
static void refuse(struct fanout *f, int fd, const struct handover *h, enum crowd_room why) {
    static struct log_limit full, crowded;
    bool of_address = why == CROWD_TOO_MANY;
    const char *text = of_address ? "too many clients of this address" : "too many clients";
    struct buf b = {0};
    wsframe_put_close(&b, WSFRAME_TRY_LATER, text, strlen(text));
    send(fd, buf_data(&b), buf_len(&b), MSG_DONTWAIT | MSG_NOSIGNAL);
    buf_free(&b);
    shutdown(fd, SHUT_RDWR);
    close(fd);
    f->n.refused++;
    f->n.crowded += of_address;
    if (of_address)
        log_limited(&crowded, LOG_WARN, "client %s refused: its address has %u (--per-address)",
                    h->peer, crowd_each(&f->crowd));
    else
        log_limited(&full, LOG_WARN, "client %s refused: %zu are connected (--clients)", h->peer,
                    f->open_count);
}

static struct client *client_new(struct fanout *f, int fd, const struct handover *h) {
    struct client *c = mem_alloc(sizeof *c);
    c->f = f;
    c->fd = fd;
    snprintf(c->peer, sizeof c->peer, "%s", h->peer);
    if (receive_open(c) < 0 || uv_poll_init(&f->st->loop, &c->poll, fd) < 0) {
        log_error("client %s: no memory or no way to watch its socket", h->peer);
        receive_free(c);
        close(fd);
        free(c);
        return NULL;
    }
    c->poll.data = c;
    c->id = ++f->next_id;
    c->seen = c->asked = f->confirmed;
    return c;
}

void client_add(struct fanout *f, int fd, const struct handover *h) {
    uint64_t who = tries_who_text(h->peer);
    enum crowd_room room = f->stopping ? CROWD_FULL : crowd_enter(&f->crowd, who);
    if (room != CROWD_ROOM) {
        refuse(f, fd, h, room);
        return;
    }
    set_socket(fd);
    struct client *c = client_new(f, fd, h);
    if (!c) {
        crowd_leave(&f->crowd, who);
        return;
    }
    c->who = who;
    table_add(c);
    f->n.opened++;
    if (h->group[0])
        group_join(c, h->group, strlen(h->group));
    watch_heard(c);
    watch_start(f);
    event_open(c, h);
    client_poll(c);
    if (h->extra_len)
        receive_first(c, h->extra, h->extra_len);
}

/* ---- leaving ---- */

static void on_closed(uv_handle_t *h) {
    struct client *c = h->data;
    receive_free(c);
    group_clear(c);
    free(c);
}

/* httpd may hold a copy of the descriptor for a moment: only shutdown tells the other side now. */
static void gone(struct client *c) {
    struct fanout *f = c->f;
    c->state = CLIENT_GONE;
    crowd_leave(&f->crowd, c->who);
    shutdown(c->fd, SHUT_RDWR);
    out_free(c);
    receive_give_back(c);
    uv_close((uv_handle_t *)&c->poll, on_closed);
    close(c->fd);
    if (f->stopping && f->open_count + f->leaving_count == 0)
        stage_stopped(f->st);
}

void client_leave(struct client *c, unsigned code, const char *reason, enum cause cause,
                  enum client_end end) {
    struct fanout *f = c->f;
    table_remove(c);
    list_add(f->leaving, &f->leaving_count, c);
    c->state = CLIENT_LEAVING;
    c->end = end;
    receive_give_back(c);
    c->deadline_ms = fanout_ms(f) + (f->stopping ? STOP_WAIT_MS : CLOSE_WAIT_MS);
    event_closed(c, code, reason, cause);
    client_poll(c);
}

void client_close(struct client *c, unsigned code, const char *reason, enum cause cause,
                  enum client_end end) {
    out_queue(c, out_close_frame(c->f, code, reason));
    client_leave(c, code, reason, cause, end);
}

void client_finish(struct client *c) {
    list_remove(c->f->leaving, &c->f->leaving_count, c);
    gone(c);
}

/* A peer that does not take what is sent to it gets a reset, so that the kernel need not keep the
 * bytes for minutes. */
static void reset_on_close(int fd) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void client_drop(struct client *c, const char *reason, enum cause cause) {
    if (cause == CAUSE_LIMIT || cause == CAUSE_TIMEOUT)
        reset_on_close(c->fd);
    if (c->state == CLIENT_LEAVING) {
        client_finish(c);
        return;
    }
    table_remove(c);
    event_closed(c, WSFRAME_ABNORMAL, reason, cause);
    gone(c);
}

void client_written(struct client *c) {
    if (c->state != CLIENT_LEAVING)
        return;
    if (c->end == END_DONE)
        client_finish(c);
    else if (c->end == END_FAIL)
        shutdown(c->fd, SHUT_WR);
}

/* The loop is about to end: what is left goes without a word. */
void client_table_free(struct fanout *f) {
    f->dirty_count = 0;
    while (f->leaving_count)
        client_finish(f->leaving[0]);
    while (f->open_count) {
        struct client *c = f->open[0];
        table_remove(c);
        gone(c);
    }
    crowd_close(&f->crowd);
    free(f->open);
    free(f->leaving);
    free(f->dirty);
    free(f->bucket);
}
