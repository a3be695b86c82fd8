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
enum { ALARMS_MAX = 128, ALARM_NAME_MAX = 47, ALARM_BODY_MAX = 1024 };

struct alarm {
    char name[ALARM_NAME_MAX + 1]; /* letters, digits and _ only, so it needs no escapes in JSON */
    char type[ALARM_NAME_MAX + 1]; /* "" before A4 */
    enum hev_priority priority;
    uint64_t since, count; /* first time received, ns since the epoch; how often */
    size_t len;
    uint8_t body[ALARM_BODY_MAX]; /* of the newest message, msgpack */
};

struct alarms {
    struct alarm *list[ALARMS_MAX];
    size_t n;
    uint64_t overflowed;
    struct buf objects; /* the bodies as a JSON array with Python's spacing */
};

/* Latch the alarm of this message of a device of that version. nameless: what an alarm is called
 * whose code nobody knows; NULL = by its number. False when the message makes no sense. */
bool alarms_latch(struct alarms *a, const struct msg *m, unsigned version, const char *nameless);
/* Remove all of this name, and of this type unless it is NULL. How many. */
size_t alarms_remove(struct alarms *a, const char *type, const char *name);
/* Whether the list of names shows entry i: only the first of a name does. */
bool alarms_first_of_name(const struct alarms *a, size_t i);
/* Append the list as it is published: an array of maps. */
void alarms_put(const struct alarms *a, struct buf *b);
void alarms_free(struct alarms *a);

#endif
