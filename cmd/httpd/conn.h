/* conn: the connections, so that those who do not finish a request make way.
 *
 * A connection waits until its next request has come in completely. Whoever waits longer than
 * --timeout is cut, however many single bytes arrive meanwhile, and when --connections is reached
 * the one that has waited longest makes room for a new one.
 */
#ifndef HTTPD_CONN_H
#define HTTPD_CONN_H

#include "request.h"

enum { CONN_SPARE = 64 /* above --connections, before MHD stops accepting */ };

struct conn {
    struct conn *prev, *next;   /* of all */
    struct conn *older, *newer; /* of those that wait */
    bool waits;
    uint64_t since_ms; /* loop time */
    int fd;
    bool secure; /* the client speaks TLS, with what stands in front of us */
    bool linger; /* something of a request may still come when it is closed: see linger.h */
    struct request q;
};

/* MHD's callback for opened and closed connections. */
void conn_notify(void *cls, struct MHD_Connection *c, void **ctx,
                 enum MHD_ConnectionNotificationCode code);
struct conn *conn_of(struct MHD_Connection *c);

/* The first line of a request is there; the request is there; its answer has been sent. */
void conn_started(struct httpd *h, struct conn *c);
void conn_received(struct httpd *h, struct conn *c);
void conn_finished(struct httpd *h, struct conn *c);

/* Where the client is; AF_UNSPEC when a proxy would not say. */
const struct sockaddr *conn_address(const struct conn *c);
/* "192.168.1.20:53412", or "unknown" */
const char *conn_peer(const struct conn *c, char *out, size_t size);

/* Cut those that have waited too long. */
void conn_tick(struct httpd *h);
/* The server stops: cut all that wait, give the others their answer. */
void conn_stop(struct httpd *h);

#endif
