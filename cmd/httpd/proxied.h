/* proxied: connections whose PROXY header (proxy.h) is still to come.
 *
 * The header is read, to the byte, before MHD gets the connection, which then counts as coming from
 * the address that the header names, with TLS unless it says otherwise. One that does not come
 * within five seconds (or --timeout), or is none, ends the connection.
 */
#ifndef HTTPD_PROXIED_H
#define HTTPD_PROXIED_H

#include "httpd.h"

/* fd is taken over. */
void proxied_begin(struct httpd *h, int fd);
/* Once a second. */
void proxied_tick(struct httpd *h);
void proxied_stop(void);

#endif
