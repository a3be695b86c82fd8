/* tcp: a connection to a server of a device, for subcommands that are clients of one. Blocking, but
 * nothing waits longer than the time given.
 */
#ifndef TAPLINE_TCP_H
#define TAPLINE_TCP_H

#include "buf.h"
#include "err.h"

struct tcp {
    int fd;
    char where[300];    /* for messages to people */
    int64_t timeout_ms; /* for each step; -1 = none */
    struct buf in;      /* received and not taken yet */
};

/* server: the program that should be there, for the text when nobody listens. */
int tcp_open(struct tcp *t, const char *host, int port, int64_t timeout_ms, const char *server,
             struct err *e);
int tcp_send(struct tcp *t, const void *p, size_t n, struct err *e);
/* Wait for bytes and append them to in. */
int tcp_receive(struct tcp *t, struct err *e);
void tcp_close(struct tcp *t);

#endif
