/* netlist: networks that a peer may be in, as given to an option. Pure. */
#ifndef TAPLINE_NETLIST_H
#define TAPLINE_NETLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "err.h"

enum { NETLIST_MAX = 64 };

struct net {
    uint8_t addr[16]; /* IPv4 mapped into IPv6 */
    unsigned bits;
};

/* {0} is an empty list, in which nobody is. */
struct netlist {
    struct net item[NETLIST_MAX];
    size_t n;
};

/* Add what text names, separated by commas: 10.1.0.0/16, 192.168.1.5, fd00::/8, ::1 or one of the
 * words loopback, private (what cannot come from the internet: RFC 1918, RFC 4193, link-local,
 * loopback) and any. option: the option's name, for errors (CAUSE_USAGE). */
int netlist_add(struct netlist *l, const char *text, const char *option, struct err *e);

/* False for what has no IP address. */
bool netlist_has(const struct netlist *l, const struct sockaddr *a);

#endif
