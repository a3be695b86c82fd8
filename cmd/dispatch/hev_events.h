/* hev_events: what happened, for the history: alarms, commands, interruptions. Newest 512. */
#ifndef DISPATCH_HEV_EVENTS_H
#define DISPATCH_HEV_EVENTS_H

#include <stdint.h>

#include "buf.h"

enum { VENT_EVENTS = 512, VENT_EVENT_KIND = 12, VENT_EVENT_TEXT = 44 };

struct vent_event {
    uint64_t time_us;
    char kind[VENT_EVENT_KIND]; /* alarm, cleared, command, refused, unsent, device, stale, state */
    char text[VENT_EVENT_TEXT]; /* name of the alarm, "GENERAL START", ... */
};

struct vent_events {
    uint64_t count; /* ever; the newest is at (count - 1) % VENT_EVENTS */
    struct vent_event event[VENT_EVENTS];
};

void vent_events_add(struct vent_events *e, uint64_t time_us, const char *kind, const char *text);

/* Append {"t":ms since from,"kind":"...","text":"..."},... of from <= time < to, oldest first. */
void vent_events_json(const struct vent_events *e, uint64_t from_us, uint64_t to_us, struct buf *b);

#endif
