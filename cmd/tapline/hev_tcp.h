/* hev_tcp: what comes from the ventilator's TCP service (clients.md in cmd/hevbcast).
 *
 * Which dialect a server speaks shows when it speaks: a D3 message ends in NUL, a D1 message is a
 * JSON text and nothing behind it.
 */
#ifndef TAPLINE_HEV_TCP_H
#define TAPLINE_HEV_TCP_H

#include "tcp.h"

/* The next message as msgpack appended to out; waits at most timeout_ms for each read. */
int hev_tcp_next(struct tcp *t, struct buf *out, struct err *e);

#endif
