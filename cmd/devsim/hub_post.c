#include "hub_post.h"

#include <stdlib.h>
#include <string.h>

static const char STATUS_LINE[] = "HTTP/1.1 ";

static void on_connected(void *ctx) {
    struct hub_post *p = ctx;
    hub_tcp_send(&p->tcp, buf_data(&p->request), buf_len(&p->request));
}

static void on_bytes(void *ctx, const uint8_t *bytes, size_t n) {
    struct hub_post *p = ctx;
    size_t room = sizeof p->line - 1 - p->len;
    memcpy(p->line + p->len, bytes, n < room ? n : room);
    p->len += n < room ? n : room;
    if (p->len < sizeof p->line - 1)
        return;
    bool http = strncmp(p->line, STATUS_LINE, sizeof STATUS_LINE - 1) == 0;
    p->status = http ? (unsigned)atoi(p->line + sizeof STATUS_LINE - 1) : 0;
    hub_tcp_close(&p->tcp, p->status ? "" : "the answer is no HTTP");
}

static void on_closed(void *ctx, const char *why) {
    struct hub_post *p = ctx;
    p->busy = false;
    buf_clear(&p->request);
    if (p->quit)
        return;
    uv_timer_stop(&p->timer);
    p->on_answer(p->ctx, p->status, why);
}

static void on_late(uv_timer_t *t) {
    struct hub_post *p = t->data;
    hub_tcp_close(&p->tcp, "no answer in time");
}

void hub_post_init(struct hub_post *p, uv_loop_t *loop) {
    p->loop = loop;
    p->tcp.on_open = on_connected;
    p->tcp.on_bytes = on_bytes;
    p->tcp.on_closed = on_closed;
    p->tcp.ctx = p;
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
}

void hub_post_send(struct hub_post *p, const char *path, const char *type, const void *data,
                   size_t n) {
    buf_clear(&p->request);
    buf_printf(&p->request,
               "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: ESP32HTTPClient\r\n"
               "Connection: close\r\nContent-Type: %s\r\nContent-Length: %zu\r\n",
               path, p->url->authority, type, n);
    if (*p->token)
        buf_printf(&p->request, "Authorization: %s\r\n", p->token);
    buf_puts(&p->request, "\r\n");
    buf_put(&p->request, data, n);
    p->busy = true;
    p->len = 0;
    p->status = 0;
    memset(p->line, 0, sizeof p->line);
    uv_timer_start(&p->timer, on_late, HUB_POST_MS, 0);
    hub_tcp_open(&p->tcp, p->loop, (const struct sockaddr *)&p->url->addr);
}

void hub_post_close(struct hub_post *p) {
    p->quit = true;
    if (!p->loop)
        return;
    uv_close((uv_handle_t *)&p->timer, NULL);
    hub_tcp_close(&p->tcp, "");
}

void hub_post_free(struct hub_post *p) {
    buf_free(&p->request);
    hub_tcp_free(&p->tcp);
}
