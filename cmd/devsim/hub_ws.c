#include "hub_ws.h"

#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "msg.h"

enum { HANDSHAKE_MS = 10000, NONCE = 16, GOING_AWAY = 1001 };

static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455, 1.3 */

static void lose(struct hub_ws *w, const char *why) {
    w->open = false;
    hub_tcp_close(&w->tcp, why);
}

/* ---- handshake ---- */

static void random_bytes(struct hub_ws *w, uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)chance_next(&w->luck);
}

static void make_key(struct hub_ws *w) {
    uint8_t nonce[NONCE];
    random_bytes(w, nonce, sizeof nonce);
    base64_encode_raw(w->key, sizeof nonce, nonce);
    w->key[BASE64_ENCODE_RAW_LENGTH(NONCE)] = 0;
}

static void make_accept(const char *key, char out[29]) {
    struct sha1_ctx c;
    uint8_t digest[SHA1_DIGEST_SIZE];
    sha1_init(&c);
    sha1_update(&c, strlen(key), (const uint8_t *)key);
    sha1_update(&c, strlen(GUID), (const uint8_t *)GUID);
    sha1_digest(&c, sizeof digest, digest);
    base64_encode_raw(out, sizeof digest, digest);
    out[BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE)] = 0;
}

static void on_connected(void *ctx) {
    struct hub_ws *w = ctx;
    make_key(w);
    buf_clear(&w->out);
    buf_printf(&w->out,
               "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n",
               w->url->path, w->url->authority, w->key);
    if (w->camera)
        buf_puts(&w->out, "User-Agent: TinyWebsockets Client\r\n");
    if (w->origin)
        buf_printf(&w->out, "Origin: %s\r\n", w->origin);
    buf_puts(&w->out, "\r\n");
    hub_tcp_send(&w->tcp, buf_data(&w->out), buf_len(&w->out));
    buf_clear(&w->out);
}

/* The value of a header in the answer's lines, as the cameras' library finds it: behind exactly one
 * blank. False when there is none. */
static bool header(const char *head, const char *name, char *out, size_t size) {
    size_t n = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, n) != 0 || strncmp(line + 2 + n, ": ", 2) != 0)
            continue;
        const char *value = line + 2 + n + 2;
        snprintf(out, size, "%.*s", (int)strcspn(value, "\r"), value);
        return true;
    }
    return false;
}

/* NULL when it is right, else what is wrong. */
static const char *judge_head(struct hub_ws *w, const char *head) {
    char value[80], accept[29];
    if (strncmp(head, "HTTP/1.1 101", 12) != 0) {
        snprintf(w->fault, sizeof w->fault, "refused: %.*s", (int)strcspn(head, "\r"), head);
        return w->fault;
    }
    make_accept(w->key, accept);
    if (!header(head, "Connection", value, sizeof value) || strcasecmp(value, "Upgrade") != 0)
        return "handshake: Connection is not Upgrade";
    if (!header(head, "Upgrade", value, sizeof value) || strcasecmp(value, "websocket") != 0)
        return "handshake: Upgrade is not websocket";
    if (!header(head, "Sec-WebSocket-Accept", value, sizeof value) || strcmp(value, accept) != 0)
        return "handshake: wrong Sec-WebSocket-Accept";
    return NULL;
}

/* ---- frames ---- */

static ssize_t take_in(wslay_event_context_ptr frames, uint8_t *to, size_t n, int flags,
                       void *user) {
    struct hub_ws *w = user;
    (void)flags;
    if (w->in_len == 0) {
        wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    if (n > w->in_len)
        n = w->in_len;
    memcpy(to, w->in, n);
    w->in += n;
    w->in_len -= n;
    return (ssize_t)n;
}

/* Collected, so that a frame is one write however wslay cuts it. */
static ssize_t give_out(wslay_event_context_ptr frames, const uint8_t *p, size_t n, int flags,
                        void *user) {
    struct hub_ws *w = user;
    (void)frames;
    (void)flags;
    buf_put(&w->out, p, n);
    return (ssize_t)n;
}

static int make_mask(wslay_event_context_ptr frames, uint8_t *key, size_t n, void *user) {
    struct hub_ws *w = user;
    (void)frames;
    memset(key, 0, n);
    if (!w->camera)
        random_bytes(w, key, n);
    return 0;
}

static void on_message(wslay_event_context_ptr frames, const struct wslay_event_on_msg_recv_arg *a,
                       void *user) {
    struct hub_ws *w = user;
    (void)frames;
    if (a->opcode == WSLAY_CONNECTION_CLOSE)
        snprintf(w->fault, sizeof w->fault, "closed with %u %.*s",
                 a->status_code ? a->status_code : 1005,
                 a->msg_length > 2 ? (int)a->msg_length - 2 : 0, (const char *)a->msg + 2);
    else if (a->opcode == WSLAY_TEXT_FRAME && w->open)
        w->on_text(w->ctx, (const char *)a->msg, a->msg_length);
}

static void flush(struct hub_ws *w) {
    wslay_event_send(w->frames);
    if (buf_len(&w->out))
        hub_tcp_send(&w->tcp, buf_data(&w->out), buf_len(&w->out));
    buf_clear(&w->out);
}

static void queue(struct hub_ws *w, uint8_t opcode, const void *p, size_t n) {
    const struct wslay_event_msg m = {opcode, p, n};
    if (!w->open || wslay_event_queue_msg(w->frames, &m) != 0)
        return;
    flush(w);
}

static void feed(struct hub_ws *w, const uint8_t *p, size_t n) {
    w->in = p;
    w->in_len = n;
    int r = wslay_event_recv(w->frames);
    flush(w);
    if (r != 0 || !wslay_event_get_read_enabled(w->frames))
        lose(w, *w->fault ? w->fault : "the hub broke the WebSocket protocol");
}

static int open_frames(struct hub_ws *w) {
    static const struct wslay_event_callbacks callbacks = {.recv_callback = take_in,
                                                           .send_callback = give_out,
                                                           .genmask_callback = make_mask,
                                                           .on_msg_recv_callback = on_message};
    if (wslay_event_context_client_init(&w->frames, &callbacks, w) != 0)
        return -1;
    wslay_event_config_set_max_recv_msg_length(w->frames, HUB_WS_MESSAGE);
    return 0;
}

static void free_frames(struct hub_ws *w) {
    if (w->frames)
        wslay_event_context_free(w->frames);
    w->frames = NULL;
}

/* ---- what comes ---- */

/* The head of the answer may come in pieces, and the first frames in the same segment. */
static void take_head(struct hub_ws *w, const uint8_t *p, size_t n) {
    buf_put(&w->head, p, n);
    size_t len = buf_len(&w->head);
    const uint8_t *end = memmem(buf_data(&w->head), len, "\r\n\r\n", 4);
    if (!end) {
        if (len > HUB_WS_HEAD)
            lose(w, "handshake: an answer without end");
        return;
    }
    size_t head = (size_t)(end - buf_data(&w->head)) + 4;
    buf_data(&w->head)[head - 1] = 0;
    const char *fault = judge_head(w, (const char *)buf_data(&w->head));
    if (fault || open_frames(w) < 0) {
        lose(w, fault ? fault : "no memory");
        return;
    }
    uv_timer_stop(&w->timer);
    w->open = w->was_open = true;
    *w->fault = 0;
    w->on_open(w->ctx);
    if (w->open && len > head)
        feed(w, buf_data(&w->head) + head, len - head);
    buf_clear(&w->head);
}

static void on_bytes(void *ctx, const uint8_t *p, size_t n) {
    struct hub_ws *w = ctx;
    if (w->open)
        feed(w, p, n);
    else
        take_head(w, p, n);
}

/* ---- coming back ---- */

static void try_open(uv_timer_t *t);

static void on_closed(void *ctx, const char *why) {
    struct hub_ws *w = ctx;
    w->open = false;
    free_frames(w);
    buf_clear(&w->head);
    buf_clear(&w->out);
    if (w->quit)
        return;
    uv_timer_start(&w->timer, try_open, w->retry_ms, 0);
    w->on_closed(w->ctx, why);
    w->was_open = false;
}

static void on_slow(uv_timer_t *t) {
    lose(t->data, "no answer to the handshake");
}

static void try_open(uv_timer_t *t) {
    struct hub_ws *w = t->data;
    uv_timer_start(&w->timer, on_slow, HANDSHAKE_MS, 0);
    hub_tcp_open(&w->tcp, w->loop, (const struct sockaddr *)&w->url->addr);
}

void hub_ws_start(struct hub_ws *w, uv_loop_t *loop, uint64_t delay_ms) {
    w->loop = loop;
    w->luck.state = clock_mono_ns() ^ (uint64_t)(uintptr_t)w;
    w->tcp.on_open = on_connected;
    w->tcp.on_bytes = on_bytes;
    w->tcp.on_closed = on_closed;
    w->tcp.ctx = w;
    uv_timer_init(loop, &w->timer);
    w->timer.data = w;
    uv_timer_start(&w->timer, try_open, delay_ms, 0);
}

void hub_ws_text(struct hub_ws *w, const void *p, size_t n) {
    queue(w, WSLAY_TEXT_FRAME, p, n);
}

void hub_ws_binary(struct hub_ws *w, const void *p, size_t n) {
    queue(w, WSLAY_BINARY_FRAME, p, n);
}

void hub_ws_stop(struct hub_ws *w) {
    w->quit = true;
    if (!w->loop)
        return;
    if (w->open && wslay_event_queue_close(w->frames, GOING_AWAY, NULL, 0) == 0)
        flush(w);
    uv_close((uv_handle_t *)&w->timer, NULL);
    lose(w, "");
}

void hub_ws_free(struct hub_ws *w) {
    free_frames(w);
    buf_free(&w->head);
    buf_free(&w->out);
    hub_tcp_free(&w->tcp);
}
