#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hevbcast.h"
#include "listen.h"
#include "log.h"
#include "tries.h"

enum { OWN_FILES = 64 + QUERIES /* descriptors the program needs beside its clients */ };

/* ---- the table ---- */

void client_table_open(struct hevbcast *h) {
    uint64_t files = listen_files(), most = (uint64_t)h->opt.clients;
    if (files < most + OWN_FILES) {
        most = files > 2 * OWN_FILES ? files - OWN_FILES : OWN_FILES;
        log_warn("at most %llu clients instead of %lld: the limit of open files is %llu (raise "
                 "LimitNOFILE or lower --clients)",
                 (unsigned long long)most, (long long)h->opt.clients, (unsigned long long)files);
    }
    h->max_clients = most;
    h->client = mem_alloc(most * sizeof(struct client *));
    crowd_open(&h->crowd, NULL, (uint32_t)most, (uint32_t)h->opt.per_address);
}

static void changed(struct hevbcast *h) {
    h->n.clients = h->client_count;
    h->clients_changed = true;
}

static void table_add(struct client *c) {
    struct hevbcast *h = c->h;
    c->index = h->client_count;
    h->client[h->client_count++] = c;
    h->port_clients[c->port]++;
    changed(h);
}

static void table_remove(struct client *c) {
    struct hevbcast *h = c->h;
    struct client *last = h->client[--h->client_count];
    h->client[c->index] = last;
    last->index = c->index;
    h->port_clients[c->port]--;
    changed(h);
}

/* ---- events ---- */

/* Nothing is ever read from a broadcast connection, only its end is noticed. */
static void on_poll(uv_poll_t *p, int status, int events) {
    struct client *c = p->data;
    if (status < 0 || (events & UV_DISCONNECT))
        client_drop(c);
    else if (events & UV_WRITABLE)
        out_writable(c);
}

void client_poll(struct client *c) {
    int events = UV_DISCONNECT | (c->count ? UV_WRITABLE : 0);
    if (events == c->events)
        return;
    c->events = events;
    uv_poll_start(&c->poll, events, on_poll);
}

/* ---- joining ---- */

static bool is_mapped(const struct sockaddr_storage *a) {
    return a->ss_family == AF_INET6 &&
           IN6_IS_ADDR_V4MAPPED(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

/* An address as sock_diag wants it: one of IPv4 seen through an IPv6 socket is IPv4 there. */
static void put_address(__be32 out[4], __be16 *port, const struct sockaddr_storage *a) {
    const struct sockaddr_in *v4 = (const void *)a;
    const struct sockaddr_in6 *v6 = (const void *)a;
    *port = a->ss_family == AF_INET ? v4->sin_port : v6->sin6_port;
    if (a->ss_family == AF_INET)
        memcpy(out, &v4->sin_addr, 4);
    else if (is_mapped(a))
        memcpy(out, (const uint8_t *)&v6->sin6_addr + 12, 4);
    else
        memcpy(out, &v6->sin6_addr, 16);
}

/* Seen from the client: its own end is the source. */
static void name_socket(struct client *c, const struct sockaddr_storage *peer) {
    struct sockaddr_storage own = {0};
    socklen_t n = sizeof own;
    getsockname(c->fd, (struct sockaddr *)&own, &n);
    put_address(c->diag.idiag_src, &c->diag.idiag_sport, peer);
    put_address(c->diag.idiag_dst, &c->diag.idiag_dport, &own);
    c->diag.idiag_cookie[0] = c->diag.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    c->family = peer->ss_family == AF_INET || is_mapped(peer) ? AF_INET : AF_INET6;
    address_text((const struct sockaddr *)peer, c->peer, sizeof c->peer);
}

static void set_socket(int fd) {
    int one = 1, lowat = NOTSENT_LOWAT;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof lowat);
}

static void refuse(struct hevbcast *h, int fd, const struct sockaddr_storage *peer,
                   enum crowd_room why) {
    static struct log_limit full, crowded;
    char name[64];
    close(fd);
    h->n.refused++;
    h->n.crowded += why == CROWD_TOO_MANY;
    address_text((const struct sockaddr *)peer, name, sizeof name);
    if (why == CROWD_TOO_MANY)
        log_limited(&crowded, LOG_WARN, "client %s refused: its address has %u (--per-address)",
                    name, crowd_each(&h->crowd));
    else
        log_limited(&full, LOG_WARN, "client %s refused: %zu are connected (--clients)", name,
                    h->client_count);
}

void client_add(struct hevbcast *h, enum port port, int fd, const struct sockaddr_storage *peer) {
    uint64_t who = tries_who((const struct sockaddr *)peer);
    enum crowd_room room = h->stopping ? CROWD_FULL : crowd_enter(&h->crowd, who);
    if (room != CROWD_ROOM) {
        refuse(h, fd, peer, room);
        return;
    }
    struct client *c = mem_alloc(sizeof *c);
    *c = (struct client){.h = h, .fd = fd, .port = port, .who = who, .has_read = true};
    if (uv_poll_init(&h->st.loop, &c->poll, fd) < 0) {
        crowd_leave(&h->crowd, who);
        close(fd);
        free(c);
        return;
    }
    c->poll.data = c;
    c->progress_ms = hevbcast_ms(h);
    name_socket(c, peer);
    set_socket(fd);
    table_add(c);
    h->n.opened++;
    client_poll(c);
    log_debug("client %s joined", c->peer);
    cast_welcome(c);
}

/* ---- leaving ---- */

static void on_closed(uv_handle_t *p) {
    free(p->data);
}

void client_drop(struct client *c) {
    if (c->gone)
        return;
    c->gone = true;
    table_remove(c);
    crowd_leave(&c->h->crowd, c->who);
    out_free(c);
    uv_close((uv_handle_t *)&c->poll, on_closed);
    close(c->fd);
    log_debug("client %s left", c->peer);
}

void client_cut(struct client *c, const char *why) {
    static struct log_limit slow;
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    c->h->n.cut_slow++;
    log_limited(&slow, LOG_WARN, "client %s cut: %s (--stall)", c->peer, why);
    client_drop(c);
}

void clients_watch(struct hevbcast *h) {
    uint64_t now = hevbcast_ms(h);
    for (size_t i = h->client_count; h->opt.stall_ms && i-- > 0;) {
        struct client *c = h->client[i];
        if ((c->count || c->owed) && now - c->progress_ms > (uint64_t)h->opt.stall_ms)
            client_cut(c, "it takes nothing of what waits for it");
    }
}

void client_table_free(struct hevbcast *h) {
    while (h->client_count)
        client_drop(h->client[h->client_count - 1]);
    free(h->client);
    crowd_close(&h->crowd);
}
