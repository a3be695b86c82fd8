/* doors: listening sockets on the loop: one, whatever it listens at, or those of a server that has
 * several ports of one host.
 *
 * Each connection is handed to the owner. A door that is out of descriptors rests until it is
 * woken, for whoever waits outside would wake the loop for ever.
 */
#ifndef TAPLINE_DOORS_H
#define TAPLINE_DOORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "err.h"

/* ---- one ---- */

struct door {
    /* Set by the owner. */
    const char *takes; /* for the log: "a connection" */
    int turn;          /* of these in one turn of the loop */
    /* fd, non-blocking, is the owner's. */
    void (*welcome)(struct door *d, int fd, const struct sockaddr_storage *peer);
    void *ctx;

    int fd; /* -1 = none, which is to be set first, too */
    bool resting;
    uv_poll_t poll;
};

/* fd is listening and non-blocking; it is the door's from now on, unless this fails. */
int door_watch(struct door *d, uv_loop_t *loop, int fd, struct err *e);
/* Once a second: try again, if it rests. */
void door_wake(struct door *d);
/* Memory must live until the loop has run once more. Twice is harmless. */
void door_shut(struct door *d);

/* ---- several ports ---- */

enum { DOORS_MOST = 4 };

/* Where; what it points to must live as long as the doors. */
struct doors_place {
    const char *host;          /* a name or an address, IPv6 without brackets */
    const int64_t *port;       /* of each door, 0 to 65535; 0: there is none */
    const char *const *option; /* by which each is chosen, for errors */
    size_t n;                  /* at most DOORS_MOST */
};

/* {0} is closed. */
struct doors {
    /* Set by the owner. */
    struct doors_place at;
    int turn; /* connections taken at one door in one turn of the loop */
    /* fd, non-blocking, is the owner's; door: its place in at.port. */
    void (*welcome)(void *ctx, size_t door, int fd, const struct sockaddr_storage *peer);
    void *ctx;

    struct door door[DOORS_MOST];
    size_t n; /* of these that have been opened, or are none */
};

/* Whether it can be such a place, and no port is given twice. Touches nothing. */
int doors_check(const struct doors_place *at, struct err *e);
/* Listen. Those that are open when another cannot be stay so until doors_close. */
int doors_open(struct doors *d, uv_loop_t *loop, struct err *e);
void doors_wake(struct doors *d);
void doors_close(struct doors *d);

#endif
