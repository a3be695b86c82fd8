/* unixsock: Unix sockets with a name in the file system. */
#ifndef TAPLINE_UNIXSOCK_H
#define TAPLINE_UNIXSOCK_H

#include "err.h"

/* Connect to path, non-blocking; type: SOCK_STREAM or SOCK_SEQPACKET. Connects or fails at once, -1
 * with errno set: ECONNREFUSED when nobody listens, EAGAIN when its queue is full. */
int unix_dial(const char *path, int type);

/* The listening socket at path, non-blocking, mode 0600. A stale file is replaced, a live listener
 * is an error (CAUSE_BUSY). */
int unix_listen(const char *path, int type, int backlog, struct err *e);

#endif
