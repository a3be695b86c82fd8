/* hev_tcp: a client of the ventilator's TCP service (clients.md in cmd/hevbcast).
 *
 * Which dialect a server speaks shows when it speaks: a D3 message ends in NUL, a D1 message is a
 * JSON text and nothing behind it.
 */
#ifndef TAPLINE_HEV_TCP_H
#define TAPLINE_HEV_TCP_H

#include "buf.h"
#include "err.h"

struct hev_tcp {
    int fd;
    char where[300];    /* for messages to people */
    int64_t timeout_ms; /* for each step; -1 = none */
    struct buf in;
};

int hev_tcp_open(struct hev_tcp *t, const char *host, int port, int64_t timeout_ms, struct err *e);
int hev_tcp_send(struct hev_tcp *t, const struct buf *b, struct err *e);
/* The next message as msgpack appended to out; waits at most timeout_ms for each read. */
int hev_tcp_next(struct hev_tcp *t, struct buf *out, struct err *e);
void hev_tcp_close(struct hev_tcp *t);

#endif
