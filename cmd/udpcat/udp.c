#include "udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buf.h"
#include "listen.h"
#include "log.h"
#include "msg.h"
#include "tries.h"

/* ---- receiving ---- */

/* How many datagrams the kernel had to drop so far comes beside each (SO_RXQ_OVFL). */
static void count_drops(struct udp *u, struct msghdr *h) {
    static struct log_limit limit;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        uint32_t drops;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
            continue;
        memcpy(&drops, CMSG_DATA(c), sizeof drops);
        if (drops == u->kernel_drops)
            continue;
        u->overrun += drops - u->kernel_drops;
        u->kernel_drops = drops;
        log_limited(&limit, LOG_WARN, "%llu datagrams were dropped: they came faster than we read",
                    (unsigned long long)u->overrun);
    }
}

static void refuse(struct udp *u, const struct sockaddr *from, size_t n) {
    static struct log_limit foreign, long_one;
    char host[UDP_HOST];
    udp_host(from, host);
    if (n > u->max) {
        u->too_long++;
        log_limited(&long_one, LOG_WARN, "a datagram of %s of more than %zu bytes ignored (--max)",
                    host, u->max);
    } else {
        u->foreign++;
        log_limited(&foreign, LOG_WARN, "datagrams of %s ignored: --from does not name it", host);
    }
}

static bool is_flood(struct udp *u, const struct sockaddr *from) {
    static struct log_limit limit;
    char host[UDP_HOST];
    if (flood_takes(&u->flood, tries_who(from), clock_mono_ns()))
        return false;
    u->flooded++;
    log_limited(&limit, LOG_WARN,
                "a datagram of %s ignored: more than %llu a second of one address or %llu of all "
                "(--rate, --rate-all)",
                udp_host(from, host), (unsigned long long)u->flood.each,
                (unsigned long long)u->flood.all);
    return true;
}

static void take(struct udp *u, struct msghdr *h, const uint8_t *p, size_t n, uint64_t time_ns) {
    const struct sockaddr *from = h->msg_name;
    count_drops(u, h);
    if (n > u->max || !netlist_has(&u->from, from)) {
        refuse(u, from, n);
        return;
    }
    if (is_flood(u, from))
        return;
    u->received++;
    u->on_datagram(u->ctx, &(struct datagram){p, n, from, time_ns});
}

/* One piece is a byte longer than the longest datagram wanted, so that a longer one shows. */
static void on_readable(uv_poll_t *p, int status, int events) {
    static struct mmsghdr msg[UDP_BATCH];
    static struct iovec iov[UDP_BATCH];
    static struct sockaddr_storage from[UDP_BATCH];
    static union {
        struct cmsghdr align;
        uint8_t mem[CMSG_SPACE(sizeof(uint32_t))];
    } control[UDP_BATCH];
    struct udp *u = p->data;
    (void)events;
    for (int i = 0; i < UDP_BATCH; i++) {
        iov[i] = (struct iovec){u->mem + (size_t)i * (u->max + 1), u->max + 1};
        msg[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                         .msg_namelen = sizeof from[i],
                                         .msg_iov = &iov[i],
                                         .msg_iovlen = 1,
                                         .msg_control = &control[i],
                                         .msg_controllen = sizeof control[i]};
    }
    /* An error is one that an earlier answer met (nobody at that port); reading clears it. */
    int n = status < 0 ? 0 : recvmmsg(u->fd, msg, UDP_BATCH, MSG_DONTWAIT, NULL);
    uint64_t now = clock_wall_ns();
    for (int i = 0; i < n; i++)
        take(u, &msg[i].msg_hdr, iov[i].iov_base, msg[i].msg_len, now);
}

void udp_pause(struct udp *u, bool paused) {
    if (u->fd < 0 || u->paused == paused)
        return;
    u->paused = paused;
    if (paused)
        uv_poll_stop(&u->poll);
    else
        uv_poll_start(&u->poll, UV_READABLE, on_readable);
}

/* ---- sending ---- */

int udp_send(struct udp *u, const char *host, unsigned port, const void *p, size_t n,
             struct err *e) {
    struct sockaddr_storage to;
    socklen_t len;
    if (u->fd < 0)
        return err_set(e, CAUSE_ABSENT, "no socket to send from (--listen no)");
    if (!udp_address(u->family, host, port, &to, &len))
        return err_set(e, CAUSE_USAGE, "%s, port %u: is no address this socket can send to", host,
                       port);
    ssize_t r;
    do
        r = sendto(u->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to, len);
    while (r < 0 && errno == EINTR);
    if (r < 0) {
        u->unsent++;
        return err_errno(e, errno, "%zu bytes to %s, port %u, not sent", n, host, port);
    }
    u->sent++;
    return 0;
}

/* ---- life ---- */

int udp_open(struct udp *u, uv_loop_t *loop, const char *where, const char *option, struct err *e) {
    int on = 1, bytes = UDP_RCVBUF;
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    u->fd = listen_open_udp(where, option, e);
    if (u->fd < 0)
        return -1;
    setsockopt(u->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    setsockopt(u->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
    getsockname(u->fd, (struct sockaddr *)&a, &len);
    u->family = a.ss_family;
    u->mem = mem_alloc((size_t)UDP_BATCH * (u->max + 1));
    u->poll.data = u;
    int r = uv_poll_init(loop, &u->poll, u->fd);
    if (r < 0)
        return err_set(e, CAUSE_FAILED, "cannot watch %s: %s", where, uv_strerror(r));
    uv_poll_start(&u->poll, UV_READABLE, on_readable);
    char text[80];
    log_info("datagrams at %s", address_text((struct sockaddr *)&a, text, sizeof text));
    return 0;
}

static void on_closed(uv_handle_t *h) {
    struct udp *u = h->data;
    free(u->mem);
    u->mem = NULL;
}

void udp_close(struct udp *u) {
    if (u->fd < 0)
        return;
    uv_close((uv_handle_t *)&u->poll, on_closed);
    close(u->fd);
    u->fd = -1;
}
