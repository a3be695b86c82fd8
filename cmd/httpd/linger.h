/* linger: a connection that was answered before its request was read is closed with care.
 *
 * What the client still sends to a closed socket is answered by the kernel with a reset, which
 * throws our answer away before the client has read it. So the socket stays open for a while,
 * and what comes is read and forgotten.
 */
#ifndef HTTPD_LINGER_H
#define HTTPD_LINGER_H

#include "httpd.h"

/* fd is about to be closed by its owner; we keep a copy. */
void linger(struct httpd *h, int fd);
/* Once a second. */
void linger_tick(struct httpd *h);
/* Close them all. */
void linger_stop(void);

#endif
