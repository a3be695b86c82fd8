#include "device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "msg.h"
#include "port.h"

enum {
    READ_BYTES = 64 << 10,
    READS_AT_ONCE = 16, /* then others get their turn */
    LOOK_MS = 5000,     /* when nothing tells us about changes */
    RETRY_MS = 1000,    /* it is there but will not open */
    STABLE_MS = 1000,   /* a device lost sooner has not earned a fresh ladder */
    DRAIN_MS = 500,     /* a stop may take a second */
    DRAIN_STEP_MS = 10
};

/* After fresh news: at once, then in these steps. */
static const unsigned ladder_ms[] = {20, 40, 80, 160, 320, 640, 1000};
enum { RUNGS = sizeof ladder_ms / sizeof *ladder_ms };

/* The open port. On the heap, because its handle outlives it by one turn of the loop. */
struct link {
    uv_poll_t poll;
    int fd;
    struct device *device;
};

/* ---- states ---- */

enum event {
    EV_LOOK,    /* something changed, or it is time to look again */
    EV_NOTHING, /* no wanted device is there */
    EV_OPENED,
    EV_REFUSED, /* there, but cannot be opened at this moment */
    EV_GAVE_UP, /* the same for so long that it will not get better by itself */
    EV_LOST,
    EVENTS
};

static void look(struct device *d);
static void rest(struct device *d);
static void begin(struct device *d);
static void end(struct device *d);

static const struct rule {
    enum device_state next;
    void (*act)(struct device *d);
} rules[DEVICE_STATES][EVENTS] = {
    [DEVICE_ABSENT] = {[EV_LOOK] = {DEVICE_ABSENT, look},
                       [EV_NOTHING] = {DEVICE_ABSENT, rest},
                       [EV_OPENED] = {DEVICE_UP, begin},
                       [EV_REFUSED] = {DEVICE_OPENING, rest},
                       [EV_GAVE_UP] = {DEVICE_FAILED, rest}},
    [DEVICE_OPENING] = {[EV_LOOK] = {DEVICE_OPENING, look},
                        [EV_NOTHING] = {DEVICE_ABSENT, rest},
                        [EV_OPENED] = {DEVICE_UP, begin},
                        [EV_REFUSED] = {DEVICE_OPENING, rest},
                        [EV_GAVE_UP] = {DEVICE_FAILED, rest}},
    [DEVICE_UP] = {[EV_LOST] = {DEVICE_ABSENT, end}},
    [DEVICE_FAILED] = {[EV_LOOK] = {DEVICE_FAILED, look},
                       [EV_NOTHING] = {DEVICE_ABSENT, rest},
                       [EV_OPENED] = {DEVICE_UP, begin},
                       [EV_REFUSED] = {DEVICE_FAILED, rest},
                       [EV_GAVE_UP] = {DEVICE_FAILED, rest}},
};

const char *device_state_name(enum device_state s) {
    static const char *const names[] = {"absent", "opening", "up", "failed"};
    return names[s];
}

static void happen(struct device *d, enum event ev) {
    const struct rule *r = &rules[d->state][ev];
    if (!r->act)
        return;
    d->state = r->next;
    r->act(d);
}

/* ---- saying it ---- */

/* One line for each new situation, however often it is found unchanged. */
static void say(struct device *d) {
    if (d->state == DEVICE_UP)
        log_info("connected: %s (%lld baud)", d->path, (long long)d->baud);
    else if (d->state == DEVICE_OPENING || strcmp(d->logged, d->error.text) == 0)
        return;
    else
        log_warn("%s", d->error.text);
    snprintf(d->logged, sizeof d->logged, "%s", d->error.text);
}

static void changed(struct device *d, const struct err *e) {
    static const struct err fine = {0};
    d->error = e ? *e : fine;
    say(d);
    d->on_state(d->ctx);
}

/* ---- looking ---- */

static void on_timer(uv_timer_t *t) {
    happen(t->data, EV_LOOK);
}

static void on_change(void *ctx) {
    struct device *d = ctx;
    d->rung = 0;
    happen(d, EV_LOOK);
}

static void no_device(struct device *d) {
    struct err e = d->lost;
    if (d->lost.cause == CAUSE_OK)
        err_set(&e, CAUSE_ABSENT, "waiting for %s: not there (plugged in? right name?)",
                d->wanted_text);
    happen(d, EV_NOTHING);
    if (d->error.cause != e.cause || strcmp(d->error.text, e.text) != 0)
        changed(d, &e);
}

static void cannot_open(struct device *d, const struct err *e) {
    enum device_state before = d->state;
    d->refused++;
    happen(d, d->rung < RUNGS ? EV_REFUSED : EV_GAVE_UP);
    if (d->state != before || strcmp(d->error.text, e->text) != 0)
        changed(d, e);
}

static void look(struct device *d) {
    char found[FIND_PATH], *real;
    struct err e = {0};
    int fd;
    watch_arm(&d->watch);
    if (!find_device(&d->wanted, found)) {
        no_device(d);
    } else if ((fd = port_open(found, d->baud, &e)) >= 0) {
        d->link = mem_alloc(sizeof *d->link);
        d->link->fd = fd;
        real = realpath(found, NULL);
        snprintf(d->path, sizeof d->path, "%s", real ? real : found);
        free(real);
        happen(d, EV_OPENED);
    } else if (e.cause == CAUSE_ABSENT) {
        no_device(d);
    } else {
        cannot_open(d, &e);
    }
}

/* Nothing more can be done now: wait for news, and look again after a while without. */
static void rest(struct device *d) {
    bool blind = d->watch.fd < 0 || d->state == DEVICE_FAILED;
    unsigned ms = d->rung < RUNGS ? ladder_ms[d->rung++] : blind ? RETRY_MS : LOOK_MS;
    uv_timer_start(&d->timer, on_timer, ms, 0);
}

/* ---- up ---- */

static void on_poll(uv_poll_t *h, int status, int events);

static void poll_for(struct device *d) {
    int events = d->paused ? UV_DISCONNECT : UV_READABLE;
    if (txqueue_len(&d->tx))
        events |= UV_WRITABLE;
    uv_poll_start(&d->link->poll, events, on_poll);
}

static void begin(struct device *d) {
    watch_disarm(&d->watch);
    uv_timer_stop(&d->timer);
    uv_poll_init(d->loop, &d->link->poll, d->link->fd);
    d->link->poll.data = d->link;
    d->link->device = d;
    d->opens++;
    d->up_ns = clock_mono_ns();
    poll_for(d);
    changed(d, NULL);
}

static void on_closed(uv_handle_t *h) {
    free(h->data);
}

static void drop_queue(struct device *d) {
    uint64_t before = d->tx.dropped;
    txqueue_clear(&d->tx);
    d->tx_dropped += d->tx.dropped - before;
}

static void close_link(struct device *d) {
    if (!d->link)
        return;
    uv_close((uv_handle_t *)&d->link->poll, on_closed);
    port_close(d->link->fd);
    d->link = NULL;
    drop_queue(d);
    d->path[0] = 0;
}

static void end(struct device *d) {
    bool same = strcmp(d->path, d->wanted_text) == 0;
    err_set(&d->lost, CAUSE_UNPLUGGED, "lost: %s is gone; waiting for %s", d->path,
            same ? "it" : d->wanted_text);
    d->losses++;
    close_link(d);
    if (clock_mono_ns() - d->up_ns >= STABLE_MS * 1000000ull)
        d->rung = 0;
    watch_arm(&d->watch);
    rest(d);
    changed(d, &d->lost);
}

/* True when there may be more. EOF and every error but a busy one mean that it was unplugged. */
static bool take(struct device *d) {
    static uint8_t data[READ_BYTES];
    ssize_t n = read(d->link->fd, data, sizeof data);
    if (n > 0) {
        d->reads++;
        d->rx_bytes += (uint64_t)n;
        d->on_data(d->ctx, data, (size_t)n, clock_wall_ns());
        return n == sizeof data;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        happen(d, EV_LOST);
    return false;
}

/* What came before the unplugging is still worth having. */
static void hung_up(struct device *d) {
    for (int i = 0; i < READS_AT_ONCE && take(d); i++)
        ;
    happen(d, EV_LOST);
}

static void flush(struct device *d);

static void on_poll(uv_poll_t *h, int status, int events) {
    struct device *d = ((struct link *)h->data)->device;
    /* libuv reports a hang-up as UV_EBADF and has stopped watching. */
    if (status < 0 || events & UV_DISCONNECT) {
        hung_up(d);
        return;
    }
    if (events & UV_READABLE)
        for (int i = 0; i < READS_AT_ONCE && take(d) && !d->paused; i++)
            ;
    if (d->link && events & UV_WRITABLE)
        flush(d);
}

void device_pause(struct device *d, bool paused) {
    d->paused = paused;
    if (d->link)
        poll_for(d);
}

/* ---- writing ---- */

/* Bytes taken, 0 when it takes none now, -1 when it is gone. */
static ssize_t give(struct device *d, const void *p, size_t n) {
    ssize_t w;
    do
        w = write(d->link->fd, p, n);
    while (w < 0 && errno == EINTR);
    if (w < 0 && errno == EAGAIN)
        return 0;
    if (w > 0)
        d->tx_bytes += (uint64_t)w;
    return w;
}

static void flush(struct device *d) {
    ssize_t w = 1;
    while (w > 0 && txqueue_len(&d->tx)) {
        w = give(d, buf_data(&d->tx.bytes), txqueue_len(&d->tx));
        if (w > 0)
            txqueue_took(&d->tx, (size_t)w);
    }
    if (w < 0)
        happen(d, EV_LOST);
    else
        poll_for(d);
}

static void enqueue(struct device *d, const void *p, size_t n, void *owner, bool started) {
    static struct log_limit full;
    uint64_t before = d->tx.dropped;
    bool idle = txqueue_len(&d->tx) == 0;
    txqueue_put(&d->tx, p, n, owner, started);
    if (idle && txqueue_len(&d->tx))
        poll_for(d);
    if (d->tx.dropped == before)
        return;
    d->tx_dropped += d->tx.dropped - before;
    log_limited(&full, LOG_WARN,
                "%s does not take what is sent to it: oldest of %zu waiting bytes dropped "
                "(%llu lines so far)",
                d->path, txqueue_len(&d->tx), (unsigned long long)d->tx_dropped);
}

static int refuse_write(struct device *d, const void *p, size_t n, struct err *e) {
    char shown[80];
    size_t cut = n < 40 ? n : 40;
    while (cut && strchr("\r\n", ((const char *)p)[cut - 1]))
        cut--;
    d->tx_dropped++;
    if (d->link)
        return err_set(e, CAUSE_LIMIT, "%zu bytes are more than --tx-queue holds (%zu): dropped", n,
                       d->tx.limit);
    return err_set(e, d->error.cause, "device %s is not connected: %s dropped", d->wanted_text,
                   log_quote(shown, sizeof shown, p, cut));
}

int device_write(struct device *d, const void *p, size_t n, void *owner, struct err *e) {
    if (!d->link || n > d->tx.limit)
        return refuse_write(d, p, n, e);
    ssize_t w = txqueue_len(&d->tx) ? 0 : give(d, p, n);
    if (w < 0) {
        happen(d, EV_LOST);
        return refuse_write(d, p, n, e);
    }
    if ((size_t)w == n)
        return 1;
    enqueue(d, (const uint8_t *)p + w, n - (size_t)w, owner, w > 0);
    return 0;
}

/* ---- life ---- */

void device_open(struct device *d, uv_loop_t *loop, size_t tx_limit) {
    d->loop = loop;
    d->tx.limit = tx_limit;
    d->tx.on_gone = d->on_gone;
    d->tx.ctx = d->ctx;
    d->rung = RUNGS;
    find_list(&d->wanted, d->wanted_text, sizeof d->wanted_text);
    uv_timer_init(loop, &d->timer);
    uv_timer_init(loop, &d->drain);
    d->timer.data = d->drain.data = d;
    d->watch.on_change = on_change;
    d->watch.ctx = d;
    watch_open(&d->watch, loop, &d->wanted);
    happen(d, EV_LOOK);
}

static void on_drain(uv_timer_t *t) {
    struct device *d = t->data;
    d->drain_ms -= DRAIN_STEP_MS;
    if (d->drain_ms > 0 && d->link && (txqueue_len(&d->tx) || port_unsent(d->link->fd)))
        return;
    uv_timer_stop(t);
    d->on_drained(d->ctx);
}

void device_drain(struct device *d) {
    d->drain_ms = DRAIN_MS;
    uv_timer_start(&d->drain, on_drain, 0, DRAIN_STEP_MS);
}

void device_close(struct device *d) {
    close_link(d);
    watch_close(&d->watch);
    uv_close((uv_handle_t *)&d->timer, NULL);
    uv_close((uv_handle_t *)&d->drain, NULL);
}

void device_free(struct device *d) {
    txqueue_free(&d->tx);
}
