#include "endless.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "conn.h"
#include "reply.h"

/* Bytes in the kernel for a slow viewer: beyond that what is sent only gets old. */
enum { NOT_SENT = 32 << 10 };

void endless_link(struct endless *v, struct endless **list, struct request *q) {
    int not_sent = NOT_SENT;
    *v = (struct endless){.next = *list, .mhd = q->mhd, .q = q, .fd = q->conn->fd};
    setsockopt(v->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &not_sent, sizeof not_sent);
    if (v->next)
        v->next->prev = v;
    *list = v;
}

void endless_unlink(struct endless *v, struct endless **list) {
    *(v->prev ? &v->prev->next : list) = v->next;
    if (v->next)
        v->next->prev = v->prev;
}

struct MHD_Response *endless_response(struct endless *v, const char *type, size_t block,
                                      MHD_ContentReaderCallback more,
                                      MHD_ContentReaderFreeCallback ended) {
    struct request *q = v->q;
    struct MHD_Response *r =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, block, more, v, ended);
    if (!r) {
        ended(v);
        reply_error(q, 503, "out of memory");
        return NULL;
    }
    reply_header(r, "Content-Type", type);
    reply_header(r, "Cache-Control", "no-store");
    reply_header(r, "X-Accel-Buffering", "no"); /* nginx would collect it */
    reply_header(r, "X-Content-Type-Options", "nosniff");
    return r;
}

size_t endless_copy(const char *piece, size_t size, size_t *sent, char *out, size_t room) {
    size_t n = size - *sent;
    n = n < room ? n : room;
    memcpy(out, piece + *sent, n);
    *sent += n;
    return n;
}

ssize_t endless_gave(struct endless *v, size_t n) {
    v->q->size += n;
    if (n == 0) {
        v->suspended = true;
        MHD_suspend_connection(v->mhd);
    }
    return (ssize_t)n;
}

void endless_resume(struct endless *v) {
    v->suspended = false;
    MHD_resume_connection(v->mhd);
}

void endless_resume_all(struct endless *list) {
    for (struct endless *v = list; v; v = v->next)
        if (v->suspended)
            endless_resume(v);
}

bool endless_gone(const struct endless *v) {
    char c;
    ssize_t r = recv(v->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
    return r == 0 || (r < 0 && errno != EAGAIN && errno != EINTR);
}
