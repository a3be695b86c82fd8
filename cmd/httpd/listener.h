/* listener: where connections come in.
 *
 * --listen takes clients themselves. --proxy-listen takes what a TLS terminator or a load balancer
 * passes on, each connection with a PROXY header in front (proxied.h); because whoever may
 * connect there may say where it comes from, it is a Unix socket or on the loopback interface,
 * unless --proxy-from names the machines that may.
 */
#ifndef HTTPD_LISTENER_H
#define HTTPD_LISTENER_H

#include "httpd.h"

/* The options make sense; touches nothing. */
int listeners_declare(struct httpd *h, struct err *e);
/* Listen; logs where. */
int listeners_open(struct httpd *h, struct err *e);
/* Once a second, and whenever a connection has gone: accept again after it was too much. */
void listeners_go_on(void);
/* No more connections. */
void listeners_close(void);

/* Hand an accepted connection to MHD, which closes it in any case. */
void listener_adopt(struct httpd *h, int fd, const struct sockaddr *peer, socklen_t len,
                    bool secure);

#endif
