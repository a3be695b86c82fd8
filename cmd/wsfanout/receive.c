#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "allowance.h"
#include "fanout.h"
#include "log.h"

/* KEEP_BYTES: storage of a client that has nothing in it; what a page says is shorter. */
enum { KEEP_BYTES = 4 << 10, MARK_DIGITS = 20 };

/* ---- storage ---- */

static void recount(struct client *c) {
    size_t now = c->msg.cap + c->early.cap;
    memory_charge(c->f, c->held, now);
    c->held = now;
}

static void message_done(struct client *c) {
    c->begun_ms = 0;
    if (c->msg.cap > KEEP_BYTES)
        buf_free(&c->msg);
    else
        buf_clear(&c->msg);
    recount(c);
}

static void early_done(struct client *c) {
    if (!c->early.mem)
        return;
    c->f->early--;
    buf_free(&c->early);
    recount(c);
}

void receive_give_back(struct client *c) {
    c->begun_ms = 0;
    buf_free(&c->msg);
    early_done(c);
    recount(c);
}

/* ---- what wslay calls ---- */

static ssize_t on_bytes(wslay_event_context_ptr ws, uint8_t *to, size_t n, int flags, void *user) {
    struct client *c = user;
    (void)flags;
    if (c->in_len == 0) {
        wslay_event_set_error(ws, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    if (n > c->in_len)
        n = c->in_len;
    memcpy(to, c->in, n);
    c->in += n;
    c->in_len -= n;
    return (ssize_t)n;
}

/* Pongs and answers to a close frame: behind what is queued already, never between two parts of a
 * frame. */
static ssize_t on_send(wslay_event_context_ptr ws, const uint8_t *p, size_t n, int flags,
                       void *user) {
    struct client *c = user;
    (void)ws;
    (void)flags;
    out_queue(c, out_bytes(c->f, p, n));
    return (ssize_t)n;
}

/* Frames of any kind count, so neither pings nor tiny fragments are a way around it. */
static bool within_rate(struct client *c) {
    if (c->f->opt.rate == 0)
        return true;
    struct allowance a = allowance_a_second((uint64_t)c->f->opt.rate);
    return allowance_take(a, &c->rate_ns, fanout_ms(c->f) * 1000000u);
}

static void object(struct client *c, unsigned code) {
    c->fault = code;
    wslay_event_shutdown_read(c->ws);
}

/* wslay bounds a single frame; the sum of fragments is ours to bound, because it does not collect
 * them (it would allocate what a header claims). */
static void on_frame(wslay_event_context_ptr ws,
                     const struct wslay_event_on_frame_recv_start_arg *a, void *user) {
    struct client *c = user;
    (void)ws;
    c->opcode = a->opcode;
    if (a->opcode == WSLAY_TEXT_FRAME || a->opcode == WSLAY_BINARY_FRAME) {
        message_done(c);
        c->begun_ms = fanout_ms(c->f);
    }
    if (!within_rate(c))
        object(c, WSFRAME_POLICY);
    else if (a->opcode < WSLAY_CONNECTION_CLOSE &&
             buf_len(&c->msg) + a->payload_length > (uint64_t)c->f->opt.max_message)
        object(c, WSFRAME_TOO_BIG);
}

static void on_chunk(wslay_event_context_ptr ws,
                     const struct wslay_event_on_frame_recv_chunk_arg *a, void *user) {
    struct client *c = user;
    (void)ws;
    if (c->opcode >= WSLAY_CONNECTION_CLOSE || c->fault || c->state != CLIENT_OPEN)
        return;
    buf_put(&c->msg, a->data, a->data_length);
    recount(c);
}

/* Our pings carry "m" and the mark when an answer means that what came before it has arrived. A
 * pong nobody asked for may claim anything, but not more than we have sent. */
static void take_pong(struct client *c, const uint8_t *p, size_t n) {
    uint64_t mark = 0;
    c->f->n.pongs++;
    if (n < 2 || n > 1 + MARK_DIGITS || p[0] != 'm')
        return;
    for (size_t i = 1; i < n; i++) {
        if (p[i] < '0' || p[i] > '9' || __builtin_mul_overflow(mark, 10, &mark) ||
            __builtin_add_overflow(mark, p[i] - '0', &mark))
            return;
    }
    if (mark <= c->asked && mark > c->seen)
        c->seen = mark;
}

static void take_close(struct client *c, const struct wslay_event_on_msg_recv_arg *a) {
    c->peer_code = a->status_code ? a->status_code : WSFRAME_NO_CODE;
    size_t n = a->msg_length > 2 ? a->msg_length - 2 : 0;
    if (n)
        memcpy(c->peer_reason, a->msg + 2, n);
    c->peer_reason[n] = 0;
}

static void on_message(wslay_event_context_ptr ws, const struct wslay_event_on_msg_recv_arg *a,
                       void *user) {
    struct client *c = user;
    (void)ws;
    if (c->fault)
        return;
    if (a->opcode == WSLAY_CONNECTION_CLOSE) {
        take_close(c, a);
    } else if (a->opcode == WSLAY_PONG) {
        take_pong(c, a->msg, a->msg_length);
    } else if (a->opcode != WSLAY_PING) {
        if (c->state == CLIENT_OPEN)
            event_message(c, a->opcode == WSLAY_TEXT_FRAME, buf_data(&c->msg), buf_len(&c->msg));
        message_done(c);
    }
}

/* ---- judging what came ---- */

static const char *reason_of(const struct fanout *f, unsigned code, char *text, size_t size) {
    switch (code) {
    case WSFRAME_POLICY:
        snprintf(text, size, "more than %lld frames a second", (long long)f->opt.rate);
        return text;
    case WSFRAME_TOO_BIG:
        snprintf(text, size, "message of more than %lld bytes", (long long)f->opt.max_message);
        return text;
    case WSFRAME_NOT_UTF8:
        return "text that is not UTF-8";
    default:
        return "protocol error";
    }
}

/* written: wslay has put its own close frame into the queue already. */
static void fail(struct client *c, unsigned code, bool written) {
    static struct log_limit faults;
    struct fanout *f = c->f;
    char text[80];
    const char *reason = reason_of(f, code, text, sizeof text);
    bool limit = code == WSFRAME_POLICY || code == WSFRAME_TOO_BIG;
    f->n.faults++;
    f->n.cut_flood += code == WSFRAME_POLICY;
    log_limited(&faults, LOG_WARN, "client %llu (%s) closed with %u: %s", (unsigned long long)c->id,
                c->peer, code, reason);
    wslay_event_shutdown_read(c->ws);
    (written ? client_leave : client_close)(c, code, reason, limit ? CAUSE_LIMIT : CAUSE_PROTOCOL,
                                            END_FAIL);
}

static void judge_leaving(struct client *c) {
    if (!wslay_event_get_close_received(c->ws))
        return;
    if (c->out.count)
        c->end = END_DONE;
    else
        client_finish(c);
}

/* wslay names no code when the frame itself is malformed (r is not 0). */
static void judge(struct client *c, int r) {
    if (c->state == CLIENT_LEAVING) {
        judge_leaving(c);
    } else if (c->fault || r != 0) {
        fail(c, c->fault ? c->fault : WSFRAME_PROTOCOL, false);
    } else {
        wslay_event_send(c->ws);
        if (wslay_event_get_close_received(c->ws))
            client_leave(c, c->peer_code, c->peer_reason, CAUSE_OK, END_DONE);
        else if (!wslay_event_get_read_enabled(c->ws))
            fail(c, wslay_event_get_status_code_sent(c->ws), true);
    }
}

void receive_feed(struct client *c, const uint8_t *p, size_t n, uint64_t time_ns) {
    c->in = p;
    c->in_len = n;
    c->in_time = time_ns;
    judge(c, wslay_event_recv(c->ws));
    c->in_len = 0;
    memory_check(c->f);
}

void receive_first(struct client *c, const uint8_t *p, size_t n) {
    c->in_time = clock_wall_ns();
    if (!c->f->blocked) {
        receive_feed(c, p, n, c->in_time);
        return;
    }
    buf_put(&c->early, p, n);
    c->f->early++;
    recount(c);
    memory_check(c->f);
}

static void feed_early(struct client *c) {
    struct buf b = c->early;
    c->early = (struct buf){0};
    c->f->early--;
    recount(c);
    receive_feed(c, buf_data(&b), buf_len(&b), c->in_time);
    buf_free(&b);
}

/* Backwards: whoever is dropped is replaced by the last of the list. */
void receive_waiting(struct fanout *f) {
    if (!f->early)
        return;
    out_room(f);
    for (size_t i = f->open_count; i-- > 0 && !f->blocked;)
        if (i < f->open_count && f->open[i]->early.mem)
            feed_early(f->open[i]);
}

void receive_refuse(struct client *c, unsigned code, const char *reason) {
    wslay_event_shutdown_read(c->ws);
    client_close(c, code, reason, CAUSE_LIMIT, END_FAIL);
}

/* The other side has closed or the connection is broken. */
static void ended(struct client *c) {
    if (c->state == CLIENT_LEAVING)
        client_finish(c);
    else
        client_drop(c, "connection lost", CAUSE_UNPLUGGED);
}

/* One read: whoever talks much waits for its next turn as everybody does. */
void receive_readable(struct client *c) {
    static uint8_t mem[READ_BYTES];
    out_room(c->f);
    if (c->state == CLIENT_GONE)
        return;
    ssize_t n = recv(c->fd, mem, sizeof mem, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        ended(c);
        return;
    }
    watch_heard(c);
    receive_feed(c, mem, (size_t)n, clock_wall_ns());
}

/* ---- opening ---- */

int receive_open(struct client *c) {
    static const struct wslay_event_callbacks callbacks = {.recv_callback = on_bytes,
                                                           .send_callback = on_send,
                                                           .on_frame_recv_start_callback = on_frame,
                                                           .on_frame_recv_chunk_callback = on_chunk,
                                                           .on_msg_recv_callback = on_message};
    if (wslay_event_context_server_init(&c->ws, &callbacks, c) != 0)
        return -1;
    wslay_event_config_set_no_buffering(c->ws, 1);
    wslay_event_config_set_max_recv_msg_length(c->ws, (uint64_t)c->f->opt.max_message);
    return 0;
}

void receive_free(struct client *c) {
    if (c->ws)
        wslay_event_context_free(c->ws);
    c->ws = NULL;
}
