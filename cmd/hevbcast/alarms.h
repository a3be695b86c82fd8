/* alarms: the list of latched alarms, oldest first, shared by all clients.
 *
 * An alarm is known by its type (from A4 on) and its name; one that comes again replaces its entry
 * in place, and stays until it is acknowledged. There is no message that ends an alarm.
 */
#ifndef HEVBCAST_ALARMS_H
#define HEVBCAST_ALARMS_H

#include <stdbool.h>

#include "buf.h"
#include "codec/hev.h"
#include "msg.h"

/* More than all names of all types (3 x 33), so only a device that makes some up can fill it. */
enum { ALARMS_MAX = 128, ALARM_NAME_MAX = 47, ALARM_BODY_MAX = 480 };

/* One place of the memory. The process may be killed between any two stores, so a body is written
 * beside the old one before it takes its place. */
struct alarm {
    uint64_t order;                /* the oldest has the lowest; 0 = the place is free */
    char name[ALARM_NAME_MAX + 1]; /* letters, digits and _ only, so it needs no escapes in JSON */
    char type[ALARM_NAME_MAX + 1]; /* "" before A4 */
    enum hev_priority priority;
    uint64_t since, count; /* first time received, ns since the epoch; how often */
    struct {
        uint32_t len;
        uint8_t bytes[ALARM_BODY_MAX];
    } body[2];      /* of the newest message, msgpack; */
    unsigned which; /* this one counts */
};

/* What outlives the process (statefile.h): a latched alarm must not vanish with it. */
struct alarm_memory {
    uint64_t magic;
    uint64_t version; /* of the serial side, 0 = not known */
    struct alarm place[ALARMS_MAX];
};

struct alarms {
    struct alarm_memory *memory;
    struct alarm *list[ALARMS_MAX]; /* places in use, oldest first */
    size_t n;
    uint64_t overflowed;
    struct buf objects; /* the bodies as a JSON array with Python's spacing */
};

/* What an earlier process of this name has left is still latched. */
void alarms_open(struct alarms *a, const char *name);
/* Latch the alarm of this message of a device of that version. nameless: what an alarm is called
 * whose code nobody knows; NULL = by its number. False when the message makes no sense. */
bool alarms_latch(struct alarms *a, const struct msg *m, unsigned version, const char *nameless);
/* Remove all of this name, and of this type unless it is NULL, and latched in this millisecond
 * since the epoch unless it is 0. How many. */
size_t alarms_remove(struct alarms *a, const char *type, const char *name, uint64_t since_ms);
/* Whether the list of names shows entry i: only the first of a name does. */
bool alarms_first_of_name(const struct alarms *a, size_t i);
/* Append the list as it is published: an array of maps. */
void alarms_put(const struct alarms *a, struct buf *b);
void alarms_close(struct alarms *a);

#endif
