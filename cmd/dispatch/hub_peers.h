/* hub_peers: the open WebSocket connections, by the number that wsfanout gave each. Plain memory
 * without pointers, kept in a state file: whoever has identified stays so when this process dies.
 */
#ifndef DISPATCH_HUB_PEERS_H
#define DISPATCH_HUB_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HUB_SLOTS = 8192,      /* a power of two */
    HUB_PEERS = 4096,      /* connections at a time: half of the slots, so that a search is short */
    HUB_ADDR = 64,         /* an address without port, and NUL */
    HUB_NAME = 64,         /* what a peer calls itself, and NUL */
    HUB_SESSION_NONE = 0,  /* see hub_history.h */
    HUB_WRONG_TOKENS = 10, /* of one connection, then it is closed */
    HUB_ASKS = 200,        /* texts of one connection at once, */
    HUB_ASKS_S = 100, /* and from then on in a second: a game may ask with each of its frames */
    HUB_HELLOS = 5,   /* the same for a page, whose answer is all there is to know */
    HUB_HELLOS_S = 2,
    HUB_UNHEARD = 1000 /* texts beyond that, then it is closed */
};

/* What it said it is, first; HUB_GAME also for what it never said. */
enum hub_kind { HUB_NEW, HUB_CAMERA, HUB_GAME, HUB_PAGE, HUB_KINDS };

/* Whether what it says is looked at; or it has said so much that it is to be closed. */
enum hub_hearing { HUB_HEARD, HUB_IGNORED, HUB_TOO_MUCH };

struct hub_peer {
    uint64_t id; /* 0 = the slot is free */
    uint8_t kind;
    bool accepted;    /* a camera: it has shown the token. A game: it is in the group */
    uint8_t wrong;    /* wrong tokens so far */
    uint16_t camera;  /* index + 1 of what is known of it (hub_cameras.h); 0 = nothing */
    uint16_t unheard; /* texts beyond what it may say, less those within */
    uint32_t session; /* of a camera (hub_history.h) */
    uint64_t asks_ns; /* until when its allowance of texts is used up; monotonic */
    char addr[HUB_ADDR];
};

struct hub_peers {
    uint64_t n;
    uint64_t accepted[HUB_KINDS]; /* of each kind */
    struct hub_peer slot[HUB_SLOTS];
};

/* peer: its address as wsfanout tells it, "192.168.1.20:53412". NULL when there are HUB_PEERS. */
struct hub_peer *hub_peers_add(struct hub_peers *t, uint64_t id, const char *peer);
struct hub_peer *hub_peers_find(struct hub_peers *t, uint64_t id);
/* Others may change their places. */
void hub_peers_remove(struct hub_peers *t, struct hub_peer *p);
/* Say what it is, and that it is accepted as that. */
void hub_peers_accept(struct hub_peers *t, struct hub_peer *p, enum hub_kind kind);
/* It says something that is no detection or picture of a camera with the token. */
enum hub_hearing hub_peer_asks(struct hub_peer *p, uint64_t now_ns);
/* After a start: throw away what makes no sense. */
void hub_peers_check(struct hub_peers *t);

/* "192.168.1.20:53412" without the port, "[::1]:53412" as "::1". */
void hub_peer_addr(const char *peer, char out[HUB_ADDR]);

#endif
