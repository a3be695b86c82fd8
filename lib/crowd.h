/* crowd: how many connections each address has open, so that one address cannot take all places.
 *
 * Addresses are told apart as in tries.h. The table can lie in a file of the run directory, where
 * another process sees whether there is room (crowd_look) before it lets somebody in; it is one
 * process that counts.
 */
#ifndef TAPLINE_CROWD_H
#define TAPLINE_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum crowd_room { CROWD_ROOM, CROWD_FULL /* for anybody */, CROWD_TOO_MANY /* of this address */ };

/* The beginning of the table, which is followed by its places; as it stands in the file. */
struct crowd_head {
    uint64_t magic;
    uint32_t places; /* a power of two, at least twice the connections */
    uint32_t each;   /* connections that one address may have */
    uint32_t most;   /* connections in all */
    uint32_t n;      /* that there are */
    uint32_t here;   /* 1: those of this machine itself are not counted by address */
    uint32_t unused;
};

struct crowd_place {
    uint64_t who; /* 0 = free */
    uint64_t n;
};

/* {0} is one that was never opened. What is in the file is written for others only, as far as a
 * wrong value could do harm. */
struct crowd {
    struct crowd_head own, *head;
    struct crowd_place *place;
    size_t size; /* bytes of both */
    bool shared;
};

/* At most `most` connections, each address at most `each`. each 0: a quarter of them, and this
 * machine's own as many as they like, for behind a proxy on this machine may be anybody.
 * name: of the file, $TAPLINE_RUN/NAME.state; NULL = nobody else looks. */
void crowd_open(struct crowd *c, const char *name, uint32_t most, uint32_t each);
void crowd_close(struct crowd *c);

/* One more, counted only when the answer is CROWD_ROOM. */
enum crowd_room crowd_enter(struct crowd *c, uint64_t who);
/* One that was counted has gone. */
void crowd_leave(struct crowd *c, uint64_t who);
/* What who has open, if it is counted by address. */
uint64_t crowd_of(const struct crowd *c, uint64_t who);
/* The most that one address may have. */
uint32_t crowd_each(const struct crowd *c);

/* What crowd_enter would say in the process whose table has this name; CROWD_ROOM when there is no
 * such table. */
enum crowd_room crowd_look(const char *name, uint64_t who);

#endif
