/* listen: HOST:PORT to a listening socket, and what a server needs beside it. */
#ifndef TAPLINE_LISTEN_H
#define TAPLINE_LISTEN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "err.h"

/* The listening socket for "127.0.0.1:8080", "[::]:8080", "localhost:8080", ":8080" (every
 * interface) or "8080" (127.0.0.1), non-blocking; -1 with one line that names the address and, as
 * the cure, the option that chooses it. */
int listen_open(const char *where, const char *option, struct err *e);

/* The same for a socket that takes datagrams. */
int listen_open_udp(const char *where, const char *option, struct err *e);

/* Whether it can be such a place at all. */
int listen_check(const char *where, const char *option, struct err *e);

/* Allow ourselves as many open files as the system lets us; how many that are. */
uint64_t listen_files(void);

/* Where fd really listens, as "http://127.0.0.1:8080/". */
const char *listen_url(int fd, char *out, size_t size);

/* "192.168.1.20:53412", "[::1]:53412"; an IPv4 address mapped into IPv6 is shown as IPv4. */
const char *address_text(const struct sockaddr *a, char *out, size_t size);

#endif
