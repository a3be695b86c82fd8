/* tries: how often the same peer may show a wrong token or password. Pure: the clock is the
 * caller's, monotonic.
 *
 * Some at once, then one every TRIES_EVERY_S. Peers are told apart by address, IPv6 by its first 64
 * bits, for one household has that many. The table is bounded: when many are wrong, the one that
 * has been right longest makes room.
 */
#ifndef TAPLINE_TRIES_H
#define TAPLINE_TRIES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { TRIES_AT_ONCE = 5, TRIES_EVERY_S = 2, TRIES_SETS = 64, TRIES_WAYS = 4 };

/* {0} is fine. */
struct tries {
    struct tries_peer {
        uint64_t who, until_ns; /* until then its wrong tries count */
    } peer[TRIES_SETS][TRIES_WAYS];
};

/* What stands for an address: as a sockaddr, or as text ("192.168.1.20:53412", "[fe80::1]:80",
 * or without port). */
uint64_t tries_who(const struct sockaddr *a);
uint64_t tries_who_text(const char *peer);
/* Whether that is this machine itself (127.0.0.0/8, ::1), or what has no address. */
bool tries_who_is_here(uint64_t who);

/* Whether who may try now. What it shows must not even be looked at when not. */
bool tries_left(const struct tries *t, uint64_t who, uint64_t now_ns);
/* It was wrong. */
void tries_wrong(struct tries *t, uint64_t who, uint64_t now_ns);

#endif
