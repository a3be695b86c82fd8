#include "sub.h"

#include <nng/protocol/pubsub0/sub.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "sock.h"
#include "tls.h"

enum {
    DRAIN_MAX = 256,
    RECONNECT_MIN_MS = 100,
    RECONNECT_MAX_MS = 500,
    WALK_BYTES = 64 << 10, /* smaller messages are parsed anew with each read */
    NNG_MAX = MSG_TOPIC_MAX + 1 + MSG_MAX
};

/* ---- sequence numbers ---- */

static uint64_t hash(size_t input, const char *name, size_t n) {
    uint64_t h = 1469598103934665603u ^ input; /* FNV-1a */
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)name[i]) * 1099511628211u;
    return h;
}

static struct sub_topic *topic_find(struct sub *s, size_t input, const char *name, size_t n) {
    uint64_t h = hash(input, name, n);
    size_t i = (size_t)h % SUB_TOPICS;
    for (; s->topics[i]; i = (i + 1) % SUB_TOPICS) {
        struct sub_topic *t = s->topics[i];
        if (t->input == input && strncmp(t->name, name, n) == 0 && t->name[n] == 0)
            return t;
    }
    static struct log_limit many;
    if (s->topic_count >= SUB_TOPICS * 3 / 4) {
        log_limited(&many, LOG_WARN, "losses of %.*s are not counted: more than %d topics come in",
                    (int)n, name, SUB_TOPICS * 3 / 4);
        return NULL;
    }
    struct sub_topic *t = mem_alloc(sizeof *t);
    memcpy(t->name, name, n);
    t->input = input;
    t->mark = tally_find(s->page, h);
    s->topics[i] = t;
    s->topic_count++;
    return t;
}

/* What of topics nobody asked for is missing is a matter of the wire, not of the stage. */
static void count_gap(struct sub_input *in, struct sub_topic *t, uint64_t missing, bool wanted) {
    struct sub *s = in->sub;
    in->count->lost += missing;
    if (!wanted || !missing)
        return;
    t->lost += missing;
    s->lost += missing;
    if (s->on_gap)
        s->on_gap(s->ctx, t->name, missing);
}

enum seen { SEEN_NEW, SEEN_AGAIN, SEEN_BEFORE_US /* by the process whose place we have taken */ };

/* The first message of a topic in this life. */
static enum seen follow_first(struct sub_input *in, struct sub_topic *t, const struct msg *m,
                              bool wanted) {
    const struct tally_mark *k = t->mark;
    if (!k || !k->seq) {
        in->count->before += m->seq - 1;
        return SEEN_NEW;
    }
    if (m->seq == k->seq && m->time == k->time)
        return SEEN_BEFORE_US;
    uint64_t missing = m->seq > k->seq ? m->seq - k->seq - 1 : m->seq - 1;
    in->count->crashed += missing;
    count_gap(in, t, missing, wanted);
    return SEEN_NEW;
}

static void follow_on(struct sub_input *in, struct sub_topic *t, const struct msg *m, bool wanted) {
    if (m->seq > t->seq) {
        count_gap(in, t, m->seq - t->seq - 1, wanted);
        return;
    }
    in->sub->restarts++;
    in->count->crashed += m->seq - 1;
    count_gap(in, t, m->seq - 1, wanted);
}

/* Follow the sequence. */
static enum seen follow(struct sub_input *in, const struct msg *m, bool wanted) {
    struct sub_topic *t = topic_find(in->sub, in->index, m->topic, m->topic_len);
    enum seen seen = SEEN_NEW;
    if (!t || m->seq == 0)
        return SEEN_NEW;
    if (m->seq == t->seq && m->time == t->time)
        return SEEN_AGAIN;
    if (t->seq)
        follow_on(in, t, m, wanted);
    else
        seen = follow_first(in, t, m, wanted);
    t->seq = m->seq;
    t->time = m->time;
    t->received++;
    if (t->mark) {
        t->mark->seq = m->seq;
        t->mark->time = m->time;
    }
    return seen;
}

static bool is_wanted(const struct sub_input *in, const struct msg *m) {
    const struct sub *s = in->sub;
    if (in->ep.prefix[0] && !msg_has_prefix(m, in->ep.prefix))
        return false;
    for (size_t i = 0; i < s->prefixes; i++)
        if (msg_has_prefix(m, s->prefix[i]))
            return true;
    return s->prefixes == 0;
}

static void deliver(struct sub_input *in, const struct msg *m) {
    struct sub *s = in->sub;
    bool wanted = is_wanted(in, m);
    enum seen seen = follow(in, m, wanted);
    if (seen != SEEN_NEW)
        in->count->repeats++;
    else if (!wanted)
        in->count->skipped++;
    if (!wanted || seen == SEEN_AGAIN)
        return;
    s->received++;
    s->bytes += m->raw_len;
    if (seen == SEEN_NEW) {
        in->count->received++;
        in->count->bytes += m->raw_len;
    }
    s->from = in;
    s->on_msg(s->ctx, m);
}

/* ---- pipes ---- */

static void count_bad(struct sub_input *in, size_t n) {
    in->sub->skipped_bytes += n;
    in->count->bad_bytes += n;
}

static void skip_damage(struct sub_input *in) {
    static struct log_limit damaged;
    struct buf *b = &in->stream.buf;
    size_t n = msg_resync(buf_data(b), buf_len(b));
    count_bad(in, n);
    buf_consume(b, n);
    log_limited(&damaged, LOG_WARN, "input %s: %zu bytes that are no message skipped", in->ep.name,
                n);
}

/* As msg_parse, for a message that may come in hundreds of pieces. */
static long parse(struct sub_input *in, struct msg *m) {
    const uint8_t *p = buf_data(&in->stream.buf);
    size_t n = buf_len(&in->stream.buf);
    if (in->walking && n <= MSG_MAX && mp_walk_on(&in->walk, p, n) == 0)
        return 0;
    in->walking = false;
    long r = msg_parse(p, n, m);
    if (r == 0 && n > WALK_BYTES) {
        in->walking = true;
        mp_walk_start(&in->walk);
    }
    return r;
}

static void take_messages(struct sub_input *in) {
    struct buf *b = &in->stream.buf;
    struct msg m;
    while (buf_len(b) && !in->sub->paused) {
        long r = parse(in, &m);
        if (r == 0)
            return;
        if (r < 0) {
            skip_damage(in);
            continue;
        }
        deliver(in, &m);
        buf_consume(b, (size_t)r);
    }
}

static void take_raw(struct sub_input *in) {
    static struct log_limit stuck;
    struct buf *b = &in->stream.buf;
    while (buf_len(b) && !in->sub->paused) {
        size_t used = in->sub->on_raw(in->sub->ctx, buf_data(b), buf_len(b), in->read_ns);
        buf_consume(b, used);
        in->sub->bytes += used;
        in->count->bytes += used;
        if (used == 0)
            break;
    }
    if (buf_len(b) > MSG_MAX && !in->sub->paused) {
        log_limited(&stuck, LOG_WARN, "input %s: %zu bytes that nobody takes dropped", in->ep.name,
                    buf_len(b));
        count_bad(in, buf_len(b));
        buf_clear(b);
    }
}

/* A decoder's standard input may be messages or plain bytes: the first byte tells for nearly all.
 */
static bool detect(struct sub_input *in) {
    struct msg m;
    struct buf *b = &in->stream.buf;
    long r = msg_parse(buf_data(b), buf_len(b), &m);
    in->raw = r < 0;
    in->detecting = r == 0 && buf_len(b) < MSG_TOPIC_MAX;
    return !in->detecting;
}

static void take(struct sub_input *in) {
    struct buf *b = &in->stream.buf;
    if (in->busy || (in->detecting && !detect(in)))
        return;
    in->busy = true;
    if (in->raw)
        take_raw(in);
    else
        take_messages(in);
    in->busy = false;
    in->count->waiting = buf_len(b);
    if (buf_len(b) == 0)
        buf_clear(b); /* gives back what a very large message needed */
}

static void stream_bytes(void *ctx, uint64_t time) {
    struct sub_input *in = ctx;
    in->read_ns = time;
    take(in);
}

static void check_end(struct sub *s) {
    for (size_t i = 0; i < s->inputs; i++)
        if (!s->in[i]->ended)
            return;
    if (s->on_end)
        s->on_end(s->ctx);
}

/* The pipe has ended and all that it held has been taken. */
static void try_end(struct sub_input *in) {
    if (!in->eof || in->ended || in->busy || in->sub->paused)
        return;
    size_t left = buf_len(&in->stream.buf);
    if (left) {
        count_bad(in, left);
        log_warn("input %s ends inside a message: %zu bytes dropped", in->ep.name, left);
    }
    in->ended = true;
    check_end(in->sub);
}

static void stream_end(void *ctx, const struct err *e) {
    struct sub_input *in = ctx;
    if (e->cause != CAUSE_OK) {
        log_error("input %s: %s", in->ep.name, e->text);
        in->sub->failed = true;
    }
    in->eof = true;
    in->detecting = false;
    take(in);
    try_end(in);
}

/* In a pipeline the program before us may have been restarted in the middle of a message, so the
 * first bytes prove nothing; there only a program that is not tapline's may write plain bytes. */
static bool may_be_raw(void) {
    const char *what = getenv("TAPLINE_STDIN");
    return !log_supervised() || (what && strcmp(what, "any") == 0);
}

static int open_stream(struct sub_input *in, struct err *e) {
    bool stdio = in->ep.kind == ENDPOINT_STDIO;
    if (endpoint_make_dir(&in->ep, e) < 0)
        return -1;
    int fd = stdio ? STDIN_FILENO : fifo_open(in->ep.pub, e);
    if (fd < 0)
        return -1;
    in->stream.on_bytes = stream_bytes;
    in->stream.on_end = stream_end;
    in->stream.ctx = in;
    in->detecting = stdio && in->sub->on_raw && may_be_raw();
    return instream_open(&in->stream, in->sub->loop, fd, stdio, e);
}

/* ---- NNG ---- */

static void take_nng(struct sub_input *in, nng_msg *nm) {
    const uint8_t *p = nng_msg_body(nm);
    size_t n = nng_msg_len(nm);
    const uint8_t *nul = memchr(p, 0, n < MSG_TOPIC_MAX + 1 ? n : MSG_TOPIC_MAX + 1);
    static struct log_limit damaged;
    struct msg m;
    size_t head = nul ? (size_t)(nul - p) + 1 : n;
    if (nul && n > head && msg_parse(p + head, n - head, &m) == (long)(n - head)) {
        deliver(in, &m);
        return;
    }
    count_bad(in, n);
    log_limited(&damaged, LOG_WARN, "input %s: %zu bytes that are no message skipped", in->ep.name,
                n);
}

static void nng_readable(uv_poll_t *h, int status, int events) {
    struct sub_input *in = h->data;
    (void)status;
    (void)events;
    for (int i = 0; i < DRAIN_MAX && !in->sub->paused; i++) {
        nng_msg *m;
        if (nng_recvmsg(in->sock, &m, NNG_FLAG_NONBLOCK) != 0)
            return;
        take_nng(in, m);
        nng_msg_free(m);
    }
}

static int subscribe(struct sub_input *in) {
    const struct sub *s = in->sub;
    int r = 0;
    if (in->ep.prefix[0])
        return nng_socket_set(in->sock, NNG_OPT_SUB_SUBSCRIBE, in->ep.prefix,
                              strlen(in->ep.prefix));
    if (s->prefixes == 0)
        return nng_socket_set(in->sock, NNG_OPT_SUB_SUBSCRIBE, "", 0);
    for (size_t i = 0; i < s->prefixes && r == 0; i++)
        r = nng_socket_set(in->sock, NNG_OPT_SUB_SUBSCRIBE, s->prefix[i], strlen(s->prefix[i]));
    return r;
}

/* Not in the input: NNG's thread may still say so when that is gone. */
static atomic_bool joined[SUB_INPUTS];

static void on_joined(nng_pipe pipe, nng_pipe_ev ev, void *arg) {
    (void)pipe;
    (void)ev;
    atomic_store((atomic_bool *)arg, true);
}

bool sub_joined(const struct sub *s, size_t i) {
    return s->in[i]->ep.kind != ENDPOINT_NNG || atomic_load(&joined[i]);
}

static int dial(struct sub_input *in, struct err *e) {
    atomic_store(&joined[in->index], false);
    nng_pipe_notify(in->sock, NNG_PIPE_EV_ADD_POST, on_joined, &joined[in->index]);
    nng_socket_set_int(in->sock, NNG_OPT_RECVBUF, SUB_QUEUE);
    nng_socket_set_size(in->sock, NNG_OPT_RECVMAXSZ, NNG_MAX);
    nng_socket_set_ms(in->sock, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
    nng_socket_set_ms(in->sock, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
    int r = subscribe(in);
    return r ? r : tls_dial(in->sock, in->ep.pub, e);
}

static int open_nng(struct sub_input *in, struct err *e) {
    int fd, r = nng_sub0_open(&in->sock);
    if (r == 0)
        r = dial(in, e);
    if (r == 0)
        r = nng_socket_get_int(in->sock, NNG_OPT_RECVFD, &fd);
    if (r < 0)
        return -1;
    if (r != 0)
        return err_set(e, CAUSE_FAILED, "cannot subscribe to %s (%s): %s", in->ep.name, in->ep.pub,
                       nng_strerror(r));
    r = uv_poll_init(in->sub->loop, &in->poll, fd);
    if (r < 0)
        return err_set(e, CAUSE_FAILED, "cannot watch %s: %s", in->ep.name, uv_strerror(r));
    in->poll.data = in;
    in->polling = true;
    return uv_poll_start(&in->poll, UV_READABLE, nng_readable);
}

/* ---- the whole ---- */

int sub_init(struct sub *s, uv_loop_t *loop) {
    s->loop = loop;
    return 0;
}

int sub_prefix(struct sub *s, const char *prefix, struct err *e) {
    if (s->prefixes == SUB_PREFIXES)
        return err_set(e, CAUSE_USAGE, "--topic %s: at most %d topics", prefix, SUB_PREFIXES);
    if (!endpoint_prefix_valid(prefix))
        return err_set(e, CAUSE_USAGE,
                       "--topic \"%s\": a topic begins with a-z 0-9 _ - and dots, no *", prefix);
    s->prefix[s->prefixes++] = prefix;
    return 0;
}

int sub_add(struct sub *s, const char *endpoint, struct err *e) {
    if (s->inputs == SUB_INPUTS)
        return err_set(e, CAUSE_USAGE, "-i %s: at most %d inputs", endpoint, SUB_INPUTS);
    struct sub_input *in = mem_alloc(sizeof *in);
    in->sub = s;
    in->index = s->inputs;
    in->stream.fd = -1;
    in->count = s->page ? &s->page->in[in->index] : &in->own;
    s->in[s->inputs++] = in;
    if (s->page)
        s->page->inputs = (uint32_t)s->inputs;
    if (endpoint_parse(&in->ep, endpoint, e) < 0)
        return -1;
    return in->ep.kind == ENDPOINT_NNG ? open_nng(in, e) : open_stream(in, e);
}

static void input_pause(struct sub_input *in, bool paused) {
    in->count->paused = paused;
    if (in->polling && paused)
        uv_poll_stop(&in->poll);
    else if (in->polling)
        uv_poll_start(&in->poll, UV_READABLE, nng_readable);
    instream_pause(&in->stream, paused);
    if (!paused && in->stream.fd >= 0) {
        take(in);
        try_end(in);
    }
}

void sub_pause(struct sub *s, bool paused) {
    if (s->paused == paused || s->closed)
        return;
    s->paused = paused;
    /* Taking in what is there may pause again. */
    for (size_t i = 0; i < s->inputs && s->paused == paused; i++)
        input_pause(s->in[i], paused);
}

const struct sub_topic *sub_topic_at(const struct sub *s, size_t slot) {
    return slot < SUB_TOPICS ? s->topics[slot] : NULL;
}

static void nng_poll_closed(uv_handle_t *h) {
    struct sub_input *in = h->data;
    sock_close(in->sock, 0);
}

void sub_close(struct sub *s) {
    s->paused = s->closed = true;
    for (size_t i = 0; i < s->inputs; i++) {
        struct sub_input *in = s->in[i];
        instream_close(&in->stream);
        if (in->polling)
            uv_close((uv_handle_t *)&in->poll, nng_poll_closed);
        else if (in->sock.id)
            sock_close(in->sock, 0);
        in->polling = false;
    }
}

void sub_free(struct sub *s) {
    for (size_t i = 0; i < s->inputs; i++)
        free(s->in[i]);
    for (size_t i = 0; i < SUB_TOPICS; i++) {
        free(s->topics[i]);
        s->topics[i] = NULL;
    }
    s->inputs = s->topic_count = 0;
}
