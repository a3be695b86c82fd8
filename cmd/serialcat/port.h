/* port: opening one serial device the way a program must that owns it.
 *
 * Raw 8N1 without flow control or echo; never the controlling terminal; nothing that waits in it is
 * thrown away; nobody else gets it (flock, which binds root too, and TIOCEXCL, which binds
 * everybody else whether or not they care about locks).
 */
#ifndef SERIALCAT_PORT_H
#define SERIALCAT_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* A rate this system can set. */
bool port_baud_known(int64_t baud);
/* The rates there are, "50, 75, ... 4000000", for messages. */
const char *port_baud_list(void);

/* The descriptor, non-blocking; or -1. CAUSE_ABSENT: there is no device behind path (any more). */
int port_open(const char *path, int64_t baud, struct err *e);
/* Bytes the kernel still holds for the device; 0 when it cannot tell. */
size_t port_unsent(int fd);
/* Never waits, whatever the device has not taken. */
void port_close(int fd);

#endif
