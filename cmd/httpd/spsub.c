#include "spsub.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "later.h"
#include "log.h"

enum {
    HELLO = 8,
    HEAD = 9, /* a 1, then the length, 64 bits, high byte first */
    READ_BYTES = 64 << 10,
    NNG_MAX = MSG_TOPIC_MAX + 1 + MSG_MAX
};

/* "SP", version 0, then the protocol of whoever says it, 16 bits. */
static const char hello_sub[HELLO] = {0, 'S', 'P', 0, 0, 0x21, 0, 0};
static const char hello_pub[HELLO] = {0, 'S', 'P', 0, 0, 0x20, 0, 0};

struct topic {
    char name[MSG_TOPIC_MAX + 1];
    uint64_t seq, time;
};

struct spsub {
    uv_loop_t *loop;
    struct endpoint ep;
    struct spsub_events ev;
    uv_pipe_t pipe;
    uv_connect_t connect;
    uv_timer_t retry;
    bool open;    /* the pipe exists and is not being closed */
    bool greeted; /* the publisher has said hello */
    bool ended;
    struct buf in;
    struct topic topic[SPSUB_TOPICS];
    size_t topics;
};

/* ---- messages ---- */

static struct topic *topic_of(struct spsub *s, const struct msg *m) {
    for (size_t i = 0; i < s->topics; i++)
        if (msg_is(m, s->topic[i].name))
            return &s->topic[i];
    if (s->topics == SPSUB_TOPICS)
        return NULL;
    struct topic *t = &s->topic[s->topics++];
    memcpy(t->name, m->topic, m->topic_len); /* zero behind it; at most MSG_TOPIC_MAX */
    return t;
}

static void gap(struct spsub *s, uint64_t missing) {
    if (missing && s->ev.on_gap)
        s->ev.on_gap(s->ev.ctx, missing);
}

/* False when it was seen before. A step back is a publisher that was started again. */
static bool follow(struct spsub *s, const struct msg *m) {
    struct topic *t = topic_of(s, m);
    if (!t || m->seq == 0)
        return true;
    if (m->seq == t->seq && m->time == t->time)
        return false;
    if (t->seq)
        gap(s, m->seq - 1 - (m->seq > t->seq ? t->seq : 0));
    t->seq = m->seq;
    t->time = m->time;
    return true;
}

/* The topic, a NUL, the message. */
static void deliver(struct spsub *s, const uint8_t *p, size_t n) {
    static struct log_limit damaged;
    const uint8_t *nul = memchr(p, 0, n < MSG_TOPIC_MAX + 1 ? n : MSG_TOPIC_MAX + 1);
    size_t head = nul ? (size_t)(nul - p) + 1 : n;
    struct msg m;
    if (!nul || msg_parse(p + head, n - head, &m) != (long)(n - head))
        log_limited(&damaged, LOG_WARN, "viewer of %s: %zu bytes that are no message skipped",
                    s->ep.name, n);
    else if (msg_has_prefix(&m, s->ep.prefix) && follow(s, &m))
        s->ev.on_msg(s->ev.ctx, s->ep.name, &m);
}

/* ---- the stream ---- */

enum taken { TAKEN_ALL, TAKEN_ONE, TAKEN_NONSENSE };

static enum taken take_hello(struct spsub *s) {
    if (buf_len(&s->in) < HELLO)
        return TAKEN_ALL;
    s->greeted = memcmp(buf_data(&s->in), hello_pub, HELLO) == 0;
    buf_consume(&s->in, HELLO);
    return s->greeted ? TAKEN_ONE : TAKEN_NONSENSE;
}

static enum taken take_one(struct spsub *s) {
    const uint8_t *p = buf_data(&s->in);
    uint64_t n;
    if (buf_len(&s->in) < HEAD)
        return TAKEN_ALL;
    memcpy(&n, p + 1, sizeof n);
    n = be64toh(n);
    if (p[0] != 1 || n > NNG_MAX)
        return TAKEN_NONSENSE;
    if (buf_len(&s->in) < HEAD + n)
        return TAKEN_ALL;
    deliver(s, p + HEAD, (size_t)n);
    buf_consume(&s->in, HEAD + (size_t)n);
    return TAKEN_ONE;
}

/* False: it does not go on as the protocol says. */
static bool take(struct spsub *s) {
    enum taken t;
    do
        t = s->greeted ? take_one(s) : take_hello(s);
    while (t == TAKEN_ONE);
    return t == TAKEN_ALL;
}

static void start(struct spsub *s);

static void on_retry(uv_timer_t *t) {
    start(t->data);
}

static void on_closed(uv_handle_t *h) {
    struct spsub *s = h->data;
    if (!s->ended)
        uv_timer_start(&s->retry, on_retry, SPSUB_RETRY_MS, 0);
}

static void hang_up(struct spsub *s) {
    if (!s->open)
        return;
    s->open = false;
    uv_close((uv_handle_t *)&s->pipe, on_closed);
}

static void room(uv_handle_t *h, size_t hint, uv_buf_t *out) {
    struct spsub *s = h->data;
    (void)hint;
    *out = uv_buf_init((char *)buf_reserve(&s->in, READ_BYTES), READ_BYTES);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *unused) {
    static struct log_limit strange;
    struct spsub *s = h->data;
    (void)unused;
    if (n > 0)
        buf_added(&s->in, (size_t)n);
    bool ok = n < 0 || take(s);
    if (!ok)
        log_limited(&strange, LOG_WARN, "viewer of %s: what listens there is no publisher",
                    s->ep.name);
    if (n < 0 || !ok)
        hang_up(s);
    else if (buf_len(&s->in) == 0)
        buf_clear(&s->in); /* gives back what a very large message needed */
}

static void on_connect(uv_connect_t *c, int status) {
    struct spsub *s = c->data;
    uv_buf_t hello = uv_buf_init((char *)(uintptr_t)hello_sub, HELLO);
    if (!s->open)
        return;
    if (status < 0 || uv_try_write((uv_stream_t *)&s->pipe, &hello, 1) != HELLO ||
        uv_read_start((uv_stream_t *)&s->pipe, room, on_read) < 0)
        hang_up(s);
}

static const char *path(const struct spsub *s) {
    return s->ep.pub + strlen("ipc://");
}

static void start(struct spsub *s) {
    buf_clear(&s->in);
    s->greeted = false;
    s->open = true;
    uv_pipe_init(s->loop, &s->pipe, 0);
    s->pipe.data = s->connect.data = s;
    uv_pipe_connect(&s->connect, &s->pipe, path(s), on_connect);
}

/* ---- the whole ---- */

/* Names only: a stranger shall not make us dial other machines, or take a pipe from its reader. */
static int parse(struct endpoint *ep, const char *name, const char *prefix, struct err *e) {
    if (!endpoint_name_valid(name))
        return err_set(e, CAUSE_USAGE, "\"%s\" is no name of an endpoint", name);
    if (strlen(prefix) > MSG_TOPIC_MAX || !endpoint_prefix_valid(prefix))
        return err_set(e, CAUSE_USAGE, "\"%.100s\": a topic begins with a-z 0-9 _ - and dots, no *",
                       prefix);
    if (endpoint_parse(ep, name, e) < 0)
        return -1;
    strcpy(ep->prefix, prefix);
    return 0;
}

struct spsub *spsub_open(uv_loop_t *loop, const char *name, const char *prefix,
                         const struct spsub_events *ev, struct err *e) {
    struct endpoint ep;
    if (parse(&ep, name, prefix, e) < 0)
        return NULL;
    struct spsub *s = mem_alloc(sizeof *s);
    s->loop = loop;
    s->ep = ep;
    s->ev = *ev;
    uv_timer_init(loop, &s->retry);
    s->retry.data = s;
    start(s);
    return s;
}

bool spsub_is_there(const struct spsub *s) {
    return access(path(s), F_OK) == 0;
}

const char *spsub_name(const struct spsub *s) {
    return s->ep.name;
}

static void release(void *p) {
    struct spsub *s = p;
    buf_free(&s->in);
    free(s);
}

void spsub_close(struct spsub *s) {
    s->ended = true;
    hang_up(s);
    uv_close((uv_handle_t *)&s->retry, NULL);
    later(s->loop, release, s);
}
