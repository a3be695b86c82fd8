/* hub_tcp: one TCP connection of a simulated camera or game. What does not fit into the socket
 * waits in memory; how much may wait is the owner's to decide (hub_tcp_waiting).
 */
#ifndef DEVSIM_HUB_TCP_H
#define DEVSIM_HUB_TCP_H

#include <stdbool.h>
#include <uv.h>

#include "buf.h"

struct hub_tcp {
    /* Set by the owner. */
    void (*on_open)(void *ctx);
    /* Bytes have been read; they are gone after the call. */
    void (*on_bytes)(void *ctx, const uint8_t *p, size_t n);
    /* The connection has ended, or never came about: why; "" when it was hub_tcp_close. It can be
     * opened again. */
    void (*on_closed)(void *ctx, const char *why);
    void *ctx;

    /* Its own. */
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    bool used /* until on_closed */, open, closing, writing;
    char why[80];
    struct buf out, sending;
};

/* Begin to connect; on_open or on_closed follows. */
void hub_tcp_open(struct hub_tcp *t, uv_loop_t *loop, const struct sockaddr *addr);
/* Only while it is open; ignored otherwise. */
void hub_tcp_send(struct hub_tcp *t, const void *p, size_t n);
size_t hub_tcp_waiting(const struct hub_tcp *t);
/* End it, whatever waits; on_closed follows, from the loop. Nothing happens if it is not in use. */
void hub_tcp_close(struct hub_tcp *t, const char *why);
/* When the loop has run. */
void hub_tcp_free(struct hub_tcp *t);

#endif
