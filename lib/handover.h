/* handover: an upgraded WebSocket connection, passed from httpd to wsfanout with SCM_RIGHTS.
 *
 * wsfanout listens on the SEQPACKET socket $TAPLINE_RUN/NAME.sock (NAME: its endpoint). One
 * datagram is one connection: a msgpack map and the descriptor. httpd has answered 101 before.
 */
#ifndef TAPLINE_HANDOVER_H
#define TAPLINE_HANDOVER_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum { HANDOVER_MAX = 60 << 10 /* bytes of one datagram */ };

struct handover {
    char peer[64];        /* "192.168.1.20:53412", "[::1]:53412" */
    char path[256];       /* of the request, without the query */
    char query[512];      /* what follows the ?, undecoded; "" when none */
    char group[64];       /* the route's group; "" when none */
    char user[64];        /* who was authenticated; "" when nobody */
    char origin[256];     /* Origin header; "" when none */
    const uint8_t *extra; /* bytes the client sent right behind its handshake */
    size_t extra_len;
};

/* Give fd away: connects to NAME.sock, sends, closes its own copy of nothing (the caller closes
 * fd). Never blocks. -1 when nobody listens there or the queue is full. */
int handover_send(const char *name, int fd, const struct handover *h, struct err *e);

/* The listening socket for NAME.sock, non-blocking, mode 0600; a stale file is replaced, a live
 * listener is an error (CAUSE_BUSY). */
int handover_listen(const char *name, struct err *e);

/* Take one connection from the accepted SEQPACKET socket `sock`. Returns the descriptor
 * (non-blocking, close-on-exec), -1 with CAUSE_OK when nothing is there now, -1 with a cause
 * otherwise (CAUSE_ABSENT: the sender has closed). h->extra points into mem. */
int handover_take(int sock, struct handover *h, uint8_t mem[HANDOVER_MAX], struct err *e);

#endif
