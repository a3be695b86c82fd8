/* hub_history: when cameras were connected: one session for each WebSocket of an identified camera,
 * ended by that connection's own end. Plain memory without pointers, kept in a state file.
 */
#ifndef DISPATCH_HUB_HISTORY_H
#define DISPATCH_HUB_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "hub_peers.h"

enum { HUB_ENDED = 20 /* kept */, HUB_OPEN = 512 /* at a time; more are not recorded */ };

/* Times are wall-clock nanoseconds. */
struct hub_session {
    uint32_t number; /* counts from 1; 0 = the slot is free */
    uint16_t camera; /* index of what is known of it */
    uint64_t began_ns, ended_ns;
    char name[HUB_NAME], addr[HUB_ADDR];
};

struct hub_history {
    uint32_t number; /* given last */
    uint32_t ended_n;
    struct hub_session ended[HUB_ENDED]; /* oldest end first */
    struct hub_session open[HUB_OPEN];
};

/* A camera has identified; the number of the session, 0 when there are too many. */
uint32_t hub_history_begin(struct hub_history *h, uint16_t camera, const char *name,
                           const char *addr, uint64_t now_ns);
void hub_history_end(struct hub_history *h, uint32_t number, uint64_t now_ns);
/* All that are open end; a file that was read in knows when. */
void hub_history_end_all(struct hub_history *h, uint64_t now_ns);
/* Add one that has ended; the oldest goes when there are HUB_ENDED. */
void hub_history_add(struct hub_history *h, const struct hub_session *s);
/* Since when the one connected longest has been so (camera: this one alone; < 0: any); 0 = none. */
uint64_t hub_history_since(const struct hub_history *h, int camera);
void hub_history_check(struct hub_history *h);

#endif
