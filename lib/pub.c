#include "pub.h"

#include <assert.h>
#include <nng/protocol/pubsub0/pub.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "sock.h"
#include "tls.h"

/* From this size on, data goes to pipes in a system call of its own rather than by a copy. */
enum { APART_BYTES = 4096 };

/* ---- topics ---- */

static size_t hash(const char *s, size_t n) {
    uint64_t h = 1469598103934665603u; /* FNV-1a */
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)s[i]) * 1099511628211u;
    return (size_t)h;
}

static struct pub_topic *topic_find(struct pub *p, const char *name, size_t n) {
    size_t i = hash(name, n) % PUB_TOPICS;
    for (; p->topics[i]; i = (i + 1) % PUB_TOPICS)
        if (strncmp(p->topics[i]->name, name, n) == 0 && p->topics[i]->name[n] == 0)
            return p->topics[i];
    if (p->topic_count >= PUB_TOPICS * 3 / 4 || !msg_topic_valid(name, n))
        return NULL;
    struct pub_topic *t = mem_alloc(sizeof *t);
    memcpy(t->name, name, n);
    p->topics[i] = t;
    p->topic_count++;
    return t;
}

void pub_retain(struct pub *p, const char *topic) {
    struct pub_topic *t = topic_find(p, topic, strlen(topic));
    if (t)
        t->retain = true;
}

/* ---- sending one encoded message (topic NUL array) ---- */

static bool output_wants(const struct pub_output *o, const char *topic) {
    size_t n = strlen(o->ep.prefix);
    return n == 0 || strncmp(topic, o->ep.prefix, n) == 0;
}

/* Why a message is sent decides how it is counted. */
enum why { WHY_NEW, WHY_AGAIN /* the state, once more */, WHY_ABOUT_US /* not counted */ };

static void count_dropped(struct pub *p, struct pub_output *o, enum why why) {
    if (why != WHY_NEW)
        return;
    p->dropped++;
    o->count->dropped++;
}

/* An encoded message, in two pieces where its end lies elsewhere. */
struct wire {
    const char *topic;
    const uint8_t *head; /* topic, NUL, array */
    size_t head_len;
    const uint8_t *rest;
    size_t rest_len;
};

static void send_nng(struct pub *p, struct pub_output *o, const struct wire *w, enum why why) {
    nng_msg *m;
    if (atomic_load_explicit(&o->pipes, memory_order_relaxed) == 0)
        return;
    if (nng_msg_alloc(&m, w->head_len + w->rest_len) != 0) {
        count_dropped(p, o, why);
        return;
    }
    memcpy(nng_msg_body(m), w->head, w->head_len);
    if (w->rest_len)
        memcpy((uint8_t *)nng_msg_body(m) + w->head_len, w->rest, w->rest_len);
    p->nng_sent_ns = clock_mono_ns();
    if (nng_sendmsg(o->sock, m, NNG_FLAG_NONBLOCK) != 0) {
        nng_msg_free(m);
        count_dropped(p, o, why);
    }
}

static void drop(struct pub *p, struct pub_output *o, size_t n, enum why why) {
    static struct log_limit full;
    count_dropped(p, o, why);
    log_limited(&full, LOG_WARN,
                "output %s: a message of %zu bytes dropped: %zu bytes wait already", o->ep.name, n,
                buf_len(&o->stream.queue));
}

static void count_sent(struct pub_output *o, size_t n, enum why why) {
    struct tally_out *c = o->count;
    c->repeats += why == WHY_AGAIN;
    if (why != WHY_NEW)
        return;
    c->sent++;
    c->bytes += n;
}

static void send_to(struct pub *p, struct pub_output *o, const struct wire *w, enum why why) {
    size_t skip = strlen(w->topic) + 1, n = w->head_len + w->rest_len;
    if (!output_wants(o, w->topic) || o->stream.broken)
        return;
    count_sent(o, n - skip, why);
    if (o->ep.kind == ENDPOINT_NNG)
        send_nng(p, o, w, why);
    else if (buf_len(&o->stream.queue) + n > PUB_PIPE_BYTES)
        drop(p, o, n, why);
    else if (w->rest_len)
        outstream_write2(&o->stream, w->head + skip, w->head_len - skip, w->rest, w->rest_len);
    else
        buf_put(&o->stream.queue, w->head + skip, w->head_len - skip);
}

static void send_all(struct pub *p, const struct wire *w) {
    for (size_t i = 0; i < p->outputs; i++)
        send_to(p, p->out[i], w, WHY_NEW);
    p->sent++;
    p->bytes += w->head_len + w->rest_len;
}

/* ---- messages ---- */

static struct buf *begin(struct pub *p, const char *topic, size_t n, uint64_t time_ns) {
    p->current = topic_find(p, topic, n);
    p->current_time = time_ns ? time_ns : clock_wall_ns();
    buf_clear(&p->nng);
    buf_put(&p->nng, topic, n);
    buf_putc(&p->nng, 0);
    msg_put_head(&p->nng, topic, n, p->current_time, p->current ? p->current->seq + 1 : 0);
    return &p->nng;
}

struct buf *pub_begin(struct pub *p, const char *topic, uint64_t time_ns, uint32_t keys) {
    struct buf *b = begin(p, topic, strlen(topic), time_ns);
    mp_put_map(b, keys);
    return b;
}

/* What no receiver would accept, or what we cannot number. rest: bytes that lie elsewhere. */
static bool is_sound(struct pub *p, size_t rest) {
    static struct log_limit unsound;
    const char *topic = (const char *)buf_data(&p->nng);
    size_t n = strlen(topic), len = buf_len(&p->nng) - n - 1 + rest;
#ifdef __SANITIZE_ADDRESS__
    struct msg m; /* as many keys as were announced */
    assert(!p->current || rest || len > MSG_MAX ||
           msg_parse((const uint8_t *)topic + n + 1, len, &m) == (long)len);
#endif
    if (p->current && len <= MSG_MAX)
        return true;
    p->dropped++;
    if (p->current)
        log_limited(&unsound, LOG_WARN, "message %s dropped: %zu bytes, at most %d go", topic, len,
                    MSG_MAX);
    else if (!msg_topic_valid(topic, n))
        log_limited(&unsound, LOG_WARN, "message dropped: \"%.100s\" is no topic", topic);
    else
        log_limited(&unsound, LOG_WARN, "message %s dropped: more than %d topics", topic,
                    PUB_TOPICS * 3 / 4);
    return false;
}

static uint64_t end(struct pub *p, const void *rest, size_t rest_len) {
    struct pub_topic *t = p->current;
    if (!is_sound(p, rest_len))
        return 0;
    t->seq++;
    struct wire w = {t->name, buf_data(&p->nng), buf_len(&p->nng), rest, rest_len};
    send_all(p, &w);
    if (t->retain) {
        buf_clear(&t->last);
        buf_put(&t->last, w.head, w.head_len);
        buf_put(&t->last, w.rest, w.rest_len);
    }
    if (p->on_sent)
        p->on_sent(p->ctx, p->current_time);
    return t->seq;
}

uint64_t pub_end(struct pub *p) {
    return end(p, NULL, 0);
}

uint64_t pub_end_bin(struct pub *p, const void *data, size_t n) {
    mp_put_bin_header(&p->nng, n);
    if (n >= APART_BYTES)
        return end(p, data, n);
    buf_put(&p->nng, data, n);
    return end(p, NULL, 0);
}

void pub_relay(struct pub *p, const struct msg *m, const char *topic) {
    size_t n = topic ? strlen(topic) : m->topic_len;
    struct buf *b = begin(p, topic ? topic : m->topic, n, m->time);
    buf_put(b, m->body, m->body_len);
    pub_end(p);
}

static struct wire encode_raw(struct pub *p, const struct msg *m) {
    buf_clear(&p->nng);
    buf_put(&p->nng, m->topic, m->topic_len);
    buf_putc(&p->nng, 0);
    buf_put(&p->nng, m->raw, m->raw_len);
    return (struct wire){(char *)buf_data(&p->nng), buf_data(&p->nng), buf_len(&p->nng), NULL, 0};
}

void pub_raw(struct pub *p, const struct msg *m) {
    struct wire w = encode_raw(p, m);
    send_all(p, &w);
}

void pub_raw_nng(struct pub *p, const struct msg *m) {
    struct wire w = encode_raw(p, m);
    for (size_t i = 0; i < p->outputs; i++)
        if (p->out[i]->ep.kind == ENDPOINT_NNG)
            send_to(p, p->out[i], &w, WHY_ABOUT_US);
}

/* ---- state topics ---- */

/* Nobody is new behind a pipe that is full, and repetitions must not pile up in front of it. */
static bool takes_repeats(const struct pub_output *o, bool streams) {
    return o->ep.kind == ENDPOINT_NNG || (streams && !o->stream.polling);
}

static void repeat_to(struct pub *p, bool streams) {
    for (size_t i = 0; i < PUB_TOPICS; i++) {
        struct pub_topic *t = p->topics[i];
        if (!t || !buf_len(&t->last))
            continue;
        struct wire w = {t->name, buf_data(&t->last), buf_len(&t->last), NULL, 0};
        for (size_t k = 0; k < p->outputs; k++)
            if (takes_repeats(p->out[k], streams))
                send_to(p, p->out[k], &w, WHY_AGAIN);
    }
}

/* Only a supervised pipe has a reader that can be replaced; what a person pipes into a file or
 * another program must not hold a message twice. */
void pub_repeat(struct pub *p) {
    repeat_to(p, p->supervised);
}

static void on_joined(uv_async_t *h) {
    repeat_to(h->data, false);
}

/* ---- outputs ---- */

static void pipe_added(nng_pipe pipe, nng_pipe_ev ev, void *arg) {
    struct pub_output *o = arg;
    (void)pipe;
    if (ev == NNG_PIPE_EV_ADD_POST) {
        atomic_fetch_add(&o->pipes, 1);
        uv_async_send(&o->pub->joined);
    } else if (ev == NNG_PIPE_EV_REM_POST) {
        atomic_fetch_sub(&o->pipes, 1);
    }
}

static int open_nng(struct pub_output *o, struct err *e) {
    int r = nng_pub0_open(&o->sock);
    if (r != 0)
        return err_set(e, CAUSE_FAILED, "cannot open a pub socket: %s", nng_strerror(r));
    nng_socket_set_int(o->sock, NNG_OPT_SENDBUF, PUB_QUEUE);
    nng_pipe_notify(o->sock, NNG_PIPE_EV_ADD_POST, pipe_added, o);
    nng_pipe_notify(o->sock, NNG_PIPE_EV_REM_POST, pipe_added, o);
    r = tls_listen(o->sock, o->ep.pub, e);
    if (r != 0) { /* at once, for the file there is not ours to remove */
        sock_close(o->sock, 0);
        o->sock.id = 0;
    }
    if (r == NNG_EADDRINUSE)
        return err_set(e, CAUSE_BUSY, "cannot publish on %s: in use by another process (%s)",
                       o->ep.name, o->ep.pub);
    if (r > 0)
        return err_set(e, CAUSE_FAILED, "cannot publish on %s (%s): %s", o->ep.name, o->ep.pub,
                       nng_strerror(r));
    return r;
}

static void stream_blocked(void *ctx, bool blocked) {
    struct pub_output *o = ctx;
    struct pub *p = o->pub;
    size_t before = p->blocked;
    p->blocked += blocked ? 1 : (size_t)-1;
    if (p->on_blocked && (before == 0 || p->blocked == 0))
        p->on_blocked(p->ctx, p->blocked > 0);
}

static void stream_broken(void *ctx, int error) {
    struct pub_output *o = ctx;
    if (o->pub->on_broken)
        o->pub->on_broken(o->pub->ctx, o->ep.name, error);
}

static int open_stream(struct pub_output *o, struct err *e) {
    bool stdio = o->ep.kind == ENDPOINT_STDIO;
    int fd = stdio ? STDOUT_FILENO : fifo_open(o->ep.pub, e);
    if (fd < 0)
        return -1;
    o->stream.on_blocked = stream_blocked;
    o->stream.on_broken = stream_broken;
    o->stream.ctx = o;
    int r = outstream_open(&o->stream, o->pub->loop, fd, stdio, e);
    if (r < 0 && !stdio)
        close(fd);
    return r;
}

int pub_init(struct pub *p, uv_loop_t *loop) {
    p->loop = loop;
    p->supervised = log_supervised();
    p->joined.data = p;
    int r = uv_async_init(loop, &p->joined, on_joined);
    uv_unref((uv_handle_t *)&p->joined);
    return r;
}

int pub_add(struct pub *p, const char *endpoint, struct err *e) {
    if (p->outputs == PUB_OUTPUTS)
        return err_set(e, CAUSE_USAGE, "-o %s: at most %d outputs", endpoint, PUB_OUTPUTS);
    struct pub_output *o = mem_alloc(sizeof *o);
    o->pub = p;
    o->stream.fd = -1;
    o->count = p->page ? &p->page->out[p->outputs] : &o->own;
    p->out[p->outputs++] = o;
    if (p->page)
        p->page->outputs = (uint32_t)p->outputs;
    if (endpoint_parse(&o->ep, endpoint, e) < 0 || endpoint_make_dir(&o->ep, e) < 0)
        return -1;
    return o->ep.kind == ENDPOINT_NNG ? open_nng(o, e) : open_stream(o, e);
}

bool pub_wanted(const struct pub *p) {
    for (size_t i = 0; i < p->outputs; i++)
        if (p->out[i]->ep.kind != ENDPOINT_NNG || atomic_load(&p->out[i]->pipes) > 0)
            return true;
    return false;
}

size_t pub_queued(const struct pub *p) {
    size_t n = 0;
    for (size_t i = 0; i < p->outputs; i++)
        n += buf_len(&p->out[i]->stream.queue);
    return n;
}

void pub_flush(struct pub *p) {
    for (size_t i = 0; i < p->outputs; i++) {
        struct pub_output *o = p->out[i];
        if (buf_len(&o->stream.queue))
            outstream_flush(&o->stream);
        o->count->queue = buf_len(&o->stream.queue);
    }
}

static void close_stream(struct pub *p, struct pub_output *o, int timeout_ms) {
    size_t left = outstream_close(&o->stream, timeout_ms);
    if (left == 0)
        return;
    p->dropped++;
    log_warn("output %s: the last %zu bytes are lost, nobody read them in %d ms", o->ep.name, left,
             timeout_ms);
}

/* NNG throws away on close what it has not sent yet, and does not tell. */
static void linger(struct pub *p) {
    uint64_t until = p->nng_sent_ns + PUB_LINGER_MS * 1000000u, now = clock_mono_ns();
    if (p->nng_sent_ns && now < until)
        usleep((useconds_t)((until - now) / 1000u));
}

static void close_nng(struct pub_output *o) {
    if (o->sock.id == 0)
        return;
    nng_pipe_notify(o->sock, NNG_PIPE_EV_ADD_POST, NULL, NULL);
    nng_pipe_notify(o->sock, NNG_PIPE_EV_REM_POST, NULL, NULL);
    o->held = !sock_close_at(o->sock, o->ep.pub);
    o->sock.id = 0;
}

void pub_close(struct pub *p, int timeout_ms) {
    uint64_t end = clock_mono_ns() + (uint64_t)timeout_ms * 1000000u;
    for (size_t i = 0; i < p->outputs; i++) {
        uint64_t now = clock_mono_ns();
        close_stream(p, p->out[i], now < end ? (int)((end - now) / 1000000u) : 0);
    }
    linger(p);
    for (size_t i = 0; i < p->outputs; i++)
        close_nng(p->out[i]);
    if (!uv_is_closing((uv_handle_t *)&p->joined))
        uv_close((uv_handle_t *)&p->joined, NULL);
}

void pub_free(struct pub *p) {
    for (size_t i = 0; i < p->outputs; i++)
        if (!p->out[i]->held)
            free(p->out[i]);
    for (size_t i = 0; i < PUB_TOPICS; i++)
        if (p->topics[i]) {
            buf_free(&p->topics[i]->last);
            free(p->topics[i]);
            p->topics[i] = NULL;
        }
    buf_free(&p->nng);
    p->outputs = p->topic_count = 0;
}
