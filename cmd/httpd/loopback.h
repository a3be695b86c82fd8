/* loopback: whether an address, or the Host of a request, is this machine itself. Pure. */
#ifndef HTTPD_LOOPBACK_H
#define HTTPD_LOOPBACK_H

#include <stdbool.h>
#include <sys/socket.h>

bool address_is_loopback(const struct sockaddr *a);
/* "localhost:8080", "127.0.0.1", "[::1]:8080" */
bool host_is_loopback(const char *host);

#endif
