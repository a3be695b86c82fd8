/* flood: how many datagrams a second are taken, of one address and of all. Pure: the clock is the
 * caller's, monotonic.
 *
 * Whoever sends more than we can pass on makes everybody's datagrams wait, so what is too much is
 * thrown away where it comes in. A datagram's address may be forged: the bound on all of them holds
 * all the same. Two addresses may have to share a place and their allowance; a second's worth may
 * come at once.
 */
#ifndef UDPCAT_FLOOD_H
#define UDPCAT_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

enum { FLOOD_PLACES = 1024 };

struct flood {
    uint64_t each, all; /* datagrams a second; 0 = any number */
    uint64_t all_ns;    /* until when the allowance is used up */
    uint64_t place_ns[FLOOD_PLACES];
};

/* One has come from who (tries.h): whether it is taken. */
bool flood_takes(struct flood *f, uint64_t who, uint64_t now_ns);

#endif
