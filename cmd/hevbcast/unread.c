/* unread: whether a client has read what it was sent.
 *
 * A D1 client takes each read for one whole JSON text, so nothing may be sent on top of what it has
 * not read yet. Our own socket tells cheaply what is not acknowledged (SIOCOUTQ), and a kernel
 * acknowledges small segments when they are read. But it also does so
 *
 *   at once, 16 times when a connection is new or was silent for its RTO (at least 200 ms), and
 *   whenever it makes its receive window larger;
 *   after 40 ms, read or not.
 *
 * So an acknowledgement counts that was not there yet when send() returned and came soon. For a
 * client of this machine the kernel also tells what waits in the client's own socket (sock_diag(7),
 * what `ss` shows as Recv-Q), at the price of two system calls: that is asked when it does not.
 *
 * Two looks at SIOCOUTQ a text, behind send() and before the next, are about a tenth of what the
 * kernel takes for the text. To ask sock_diag for all clients in one dump costs more than both.
 *
 * What is not acknowledged may still be in the hands of a recv() under way, which would take the
 * next text too, although the client's socket is empty already. Only before Linux 6.6 the socket is
 * believed then, for these may hold the acknowledgement of a full segment back for 40 ms.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "hevbcast.h"
#include "log.h"

/* Texts in a row, each less than GAP_MS behind the one before, that are more than 16 segments (an
 * acknowledgement at once may be a little late on a busy machine); and less than 40 ms in any
 * kernel's ticks. */
enum { QUICK_TEXTS = 24, GAP_MS = 100, DELAYED_ACK_MS = 25 };
/* Of tcpi_bytes_received in the kernel's struct tcp_info; glibc's ends before it. */
enum { BYTES_RECEIVED_AT = 128 };
enum known { READ, UNREAD, UNKNOWN };

static bool acknowledges_late(void) {
    struct utsname u;
    unsigned major = 0, minor = 0;
    return uname(&u) < 0 || sscanf(u.release, "%u.%u", &major, &minor) != 2 ||
           major * 1000 + minor < 6006;
}

void unread_open(struct hevbcast *h) {
    h->acks_late = acknowledges_late();
    h->diag_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    if (h->diag_fd < 0)
        log_debug("the kernel does not tell what clients have read: %s", strerror(errno));
}

void unread_close(struct hevbcast *h) {
    if (h->diag_fd >= 0)
        close(h->diag_fd);
    h->diag_fd = -1;
}

static bool ask(const struct client *c) {
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 body;
    } q = {.head = {.nlmsg_len = sizeof q,
                    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                    .nlmsg_flags = NLM_F_REQUEST},
           .body = {.sdiag_family = c->family,
                    .sdiag_protocol = IPPROTO_TCP,
                    .idiag_ext = 1 << (INET_DIAG_INFO - 1),
                    .idiag_states = ~0u,
                    .id = c->diag}};
    return send(c->h->diag_fd, &q, sizeof q, 0) == (ssize_t)sizeof q;
}

/* Bytes that its socket has received so far, read or not; UINT64_MAX when that is not told. */
static uint64_t received(const struct nlmsghdr *head) {
    const struct inet_diag_msg *m = NLMSG_DATA(head);
    int left = (int)(head->nlmsg_len - NLMSG_LENGTH(sizeof *m));
    for (const struct rtattr *a = (const void *)(m + 1); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        uint64_t n;
        if (a->rta_type != INET_DIAG_INFO || RTA_PAYLOAD(a) < BYTES_RECEIVED_AT + sizeof n)
            continue;
        memcpy(&n, (const uint8_t *)RTA_DATA(a) + BYTES_RECEIVED_AT, sizeof n);
        return n;
    }
    return UINT64_MAX;
}

/* UNKNOWN: the client is on another machine or in another network namespace. */
static enum known ask_kernel(const struct client *c) {
    union {
        struct nlmsghdr head;
        uint8_t bytes[4096];
    } r;
    if (c->h->diag_fd < 0 || !ask(c))
        return UNKNOWN;
    ssize_t n = recv(c->h->diag_fd, &r, sizeof r, 0);
    if (n < (ssize_t)NLMSG_LENGTH(sizeof(struct inet_diag_msg)) || r.head.nlmsg_len > (size_t)n ||
        r.head.nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return UNKNOWN;
    const struct inet_diag_msg *m = NLMSG_DATA(&r.head);
    if (m->id.idiag_sport != c->diag.idiag_sport)
        return UNKNOWN;
    return m->idiag_rqueue || received(&r.head) < c->bytes ? UNREAD : READ;
}

static bool acknowledged(const struct client *c) {
    int waits = 0;
    return ioctl(c->fd, SIOCOUTQ, &waits) == 0 && waits == 0;
}

void unread_send(struct client *c, struct frame *f) {
    uint64_t now = clock_mono_ns();
    c->streak = now - c->sent_ns < GAP_MS * 1000000u ? c->streak + 1 : 0;
    c->sent_ns = now;
    c->has_read = false;
    out_send(c, f);
    c->acked_at_once = !c->gone && acknowledged(c);
}

/* The acknowledgement can have no other cause than that it was read. */
static bool counts(const struct client *c, uint64_t looked_ns) {
    return c->streak >= QUICK_TEXTS && !c->acked_at_once &&
           looked_ns - c->sent_ns < DELAYED_ACK_MS * 1000000u;
}

bool unread_none(struct client *c) {
    if (c->has_read)
        return true;
    bool told = acknowledged(c);
    enum known k = told ? READ : UNREAD;
    if (told ? !counts(c, clock_mono_ns()) : c->h->acks_late)
        k = ask_kernel(c);
    c->has_read = k == UNKNOWN ? told : k == READ;
    return c->has_read;
}
