#include "conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "linger.h"
#include "listen.h"
#include "listener.h"
#include "log.h"

static void wait_end(struct httpd *h, struct conn *c) {
    if (!c->waits)
        return;
    c->waits = false;
    *(c->older ? &c->older->newer : &h->oldest) = c->newer;
    *(c->newer ? &c->newer->older : &h->newest) = c->older;
}

static void wait_begin(struct httpd *h, struct conn *c) {
    wait_end(h, c);
    c->waits = true;
    c->since_ms = uv_now(&h->st.loop);
    c->newer = NULL;
    c->older = h->newest;
    *(h->newest ? &h->newest->newer : &h->oldest) = c;
    h->newest = c;
}

/* MHD finds the connection at its end and closes it. */
static void cut(struct httpd *h, struct conn *c) {
    wait_end(h, c);
    shutdown(c->fd, SHUT_RDWR);
}

static void conn_open(struct httpd *h, struct MHD_Connection *m, void **ctx) {
    static struct log_limit full;
    struct conn *c = mem_alloc(sizeof *c);
    c->fd = MHD_get_connection_info(m, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    c->secure = h->adopting_secure;
    c->q = (struct request){.h = h, .conn = c, .mhd = m};
    c->next = h->first;
    *(h->first ? &h->first->prev : &h->last) = c;
    h->first = c;
    *ctx = c;
    if (h->n.connections >= (uint64_t)h->connections && h->oldest) {
        h->n.cut++;
        log_limited(&full, LOG_WARN,
                    "all %lld connections are in use: the longest idle one is cut "
                    "(raise --connections if these are not strangers)",
                    (long long)h->connections);
        cut(h, h->oldest);
    }
    h->n.connections++;
    wait_begin(h, c);
}

static void conn_closed(struct httpd *h, struct conn *c) {
    wait_end(h, c);
    if (c->linger && !h->stopping)
        linger(h, c->fd);
    *(c->prev ? &c->prev->next : &h->first) = c->next;
    *(c->next ? &c->next->prev : &h->last) = c->prev;
    request_free(&c->q);
    free(c);
    h->n.connections--;
    listeners_go_on();
}

void conn_notify(void *cls, struct MHD_Connection *m, void **ctx,
                 enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        conn_open(cls, m, ctx);
    } else if (*ctx) {
        conn_closed(cls, *ctx);
        *ctx = NULL;
    }
}

struct conn *conn_of(struct MHD_Connection *m) {
    return MHD_get_connection_info(m, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

void conn_started(struct httpd *h, struct conn *c) {
    wait_begin(h, c);
}

void conn_received(struct httpd *h, struct conn *c) {
    wait_end(h, c);
}

void conn_finished(struct httpd *h, struct conn *c) {
    wait_begin(h, c);
    if (h->stopping)
        cut(h, c);
}

const struct sockaddr *conn_address(const struct conn *c) {
    return MHD_get_connection_info(c->q.mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
}

const char *conn_peer(const struct conn *c, char *out, size_t size) {
    const struct sockaddr *a = conn_address(c);
    if (a->sa_family == AF_INET || a->sa_family == AF_INET6)
        return address_text(a, out, size);
    snprintf(out, size, "unknown");
    return out;
}

void conn_tick(struct httpd *h) {
    uint64_t now = uv_now(&h->st.loop);
    while (h->oldest && now - h->oldest->since_ms > (uint64_t)h->timeout_ms) {
        h->n.cut++;
        cut(h, h->oldest);
    }
}

void conn_stop(struct httpd *h) {
    while (h->oldest)
        cut(h, h->oldest);
    h->running = true; /* answers wait for the caller's server_run: none may close and free here */
    for (struct conn *c = h->first; c; c = c->next)
        request_abandon(&c->q);
    h->running = false;
}
