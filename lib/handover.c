#include "handover.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mp.h"
#include "rundir.h"
#include "unixsock.h"

/* A sender may put in any number of descriptors: each must be closed, so room is made for the most
 * that the kernel passes in one message (SCM_MAX_FD). */
enum { FDS_MAX = 253, BACKLOG = 4096, KEYS = 7, HANDOVER_PATH = 108 };

/* The path of NAME.sock. */
static int address(char path[HANDOVER_PATH], const char *name, struct err *e) {
    return rundir_file(path, HANDOVER_PATH, name, "sock", e);
}

/* ---- giving ---- */

static void encode(struct buf *b, const struct handover *h) {
    mp_put_map(b, KEYS);
    mp_kv_str(b, "peer", h->peer);
    mp_kv_str(b, "path", h->path);
    mp_kv_str(b, "query", h->query);
    mp_kv_str(b, "group", h->group);
    mp_kv_str(b, "user", h->user);
    mp_kv_str(b, "origin", h->origin);
    mp_kv_bin(b, "extra", h->extra, h->extra_len);
}

static int send_fd(int sock, int fd, const struct buf *b, const char *path, struct err *e) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec iov = {buf_data(b), buf_len(b)};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    if (sendmsg(sock, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return err_errno(e, errno, "cannot hand a connection over to %s", path);
    return 0;
}

/* One connection for each hand-over: what was sent stays readable after it is closed, the queue is
 * then as long as the listener's backlog, and a listener that came back is found again. */
int handover_send(const char *name, int fd, const struct handover *h, struct err *e) {
    char path[HANDOVER_PATH];
    if (address(path, name, e) < 0)
        return -1;
    if (h->extra_len > HANDOVER_MAX - sizeof *h)
        return err_set(e, CAUSE_LIMIT, "%s sent %zu bytes behind its handshake", h->peer,
                       h->extra_len);
    int s = unix_dial(path, SOCK_SEQPACKET);
    if (s < 0)
        return err_errno(e, errno, "cannot hand a connection over to %s", path);
    struct buf b = {0};
    encode(&b, h);
    int r = send_fd(s, fd, &b, path, e);
    buf_free(&b);
    close(s);
    return r;
}

/* ---- listening ---- */

int handover_listen(const char *name, struct err *e) {
    char path[HANDOVER_PATH], dir[RUNDIR_MAX];
    if (rundir_path(dir, sizeof dir, NULL, e) < 0 || rundir_make(dir, e) < 0 ||
        address(path, name, e) < 0)
        return -1;
    return unix_listen(path, SOCK_SEQPACKET, BACKLOG, e);
}

/* ---- taking ---- */

struct received {
    int fd; /* the first descriptor, -1 = none */
    size_t fds;
    ssize_t bytes;
    bool cut;     /* bytes or descriptors did not fit */
    bool starved; /* no descriptor could be taken */
};

static void take_fds(struct received *r, const struct cmsghdr *c) {
    size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < n; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
        if (r->fds++ == 0)
            r->fd = fd;
        else
            close(fd);
    }
}

static void receive(int sock, uint8_t *mem, struct received *r) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(FDS_MAX * sizeof(int)) + CMSG_SPACE(256)];
    } control;
    struct iovec iov = {mem, HANDOVER_MAX};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    *r = (struct received){.fd = -1};
    r->bytes = recvmsg(sock, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (r->bytes < 0)
        return;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            take_fds(r, c);
    r->cut = m.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
    r->starved = m.msg_flags & MSG_CTRUNC && r->fds == 0;
}

/* A missing text is "", one that does not fit (or is none) makes the whole useless: our own httpd
 * never sends it. */
static bool take_text(const uint8_t *p, size_t n, const char *key, char *out, size_t size) {
    struct mp_value v;
    out[0] = 0;
    return !mp_find(p, n, key, &v, NULL) || mp_get_cstr(p, n, key, out, size);
}

static bool decode(struct handover *h, const uint8_t *p, size_t n) {
    struct mp_cursor c = {p, p + n};
    struct mp_value map;
    if (mp_skip(&c) != 1 || c.at != c.end)
        return false;
    c.at = p;
    mp_read(&c, &map);
    if (map.type != MP_MAP)
        return false;
    if (!mp_get_bin(p, n, "extra", &h->extra, &h->extra_len)) {
        h->extra = NULL;
        h->extra_len = 0;
    }
    return take_text(p, n, "peer", h->peer, sizeof h->peer) &&
           take_text(p, n, "path", h->path, sizeof h->path) &&
           take_text(p, n, "query", h->query, sizeof h->query) &&
           take_text(p, n, "group", h->group, sizeof h->group) &&
           take_text(p, n, "user", h->user, sizeof h->user) &&
           take_text(p, n, "origin", h->origin, sizeof h->origin);
}

static bool is_connection(int fd) {
    int type = 0, listens = 0;
    socklen_t n = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) < 0 || type != SOCK_STREAM)
        return false;
    n = sizeof listens;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) == 0 && !listens;
}

static int check(const struct received *r, struct handover *h, const uint8_t *mem, struct err *e) {
    if (r->starved)
        return err_set(e, CAUSE_LIMIT,
                       "hand-over lost: no descriptor is left for its connection "
                       "(raise LimitNOFILE)");
    if (r->cut)
        return err_set(e, CAUSE_PROTOCOL, "hand-over of more than %d bytes or too many descriptors",
                       HANDOVER_MAX);
    if (r->fds != 1)
        return err_set(e, CAUSE_PROTOCOL, "hand-over with %zu descriptors instead of one", r->fds);
    if (!decode(h, mem, (size_t)r->bytes))
        return err_set(e, CAUSE_PROTOCOL, "hand-over whose %zd bytes are not the map it should be",
                       r->bytes);
    if (!is_connection(r->fd) || fcntl(r->fd, F_SETFL, fcntl(r->fd, F_GETFL) | O_NONBLOCK) < 0)
        return err_set(e, CAUSE_PROTOCOL, "hand-over of something that is no connection");
    return 0;
}

int handover_take(int sock, struct handover *h, uint8_t mem[HANDOVER_MAX], struct err *e) {
    struct received r;
    receive(sock, mem, &r);
    if (r.bytes < 0 && (errno == EAGAIN || errno == EINTR)) {
        *e = (struct err){.cause = CAUSE_OK};
        return -1;
    }
    if (r.bytes < 0) /* a connection that was reset, or no memory: over either way */
        return err_set(e, CAUSE_ABSENT, "hand-over: %s", strerror(errno));
    if (r.bytes == 0 && r.fds == 0 && !r.cut)
        return err_set(e, CAUSE_ABSENT, "the sender has closed");
    if (check(&r, h, mem, e) == 0)
        return r.fd;
    if (r.fd >= 0)
        close(r.fd);
    return -1;
}
