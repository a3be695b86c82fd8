/* panel_state: what plays, kept in shared memory so that a restarted dispatch goes on where the
 * killed one was; no system call when it changes.
 */
#ifndef DISPATCH_PANEL_STATE_H
#define DISPATCH_PANEL_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/panel.h"
#include "err.h"

struct panel_state {
    uint64_t magic;
    uint64_t run;          /* number of the last play; counts over restarts */
    uint64_t current;      /* id that plays, 0 = none */
    uint64_t lit;          /* id whose LED is believed on, 0 = none */
    uint64_t started_ns;   /* wall clock, of the current play */
    uint64_t last_confirm; /* the last run that asked browsers for a pong */
    uint64_t last_press;   /* id, 0 = none yet */
    uint64_t pages;        /* 1 since a page has said hello, until every browser has left */
    uint64_t played[PANEL_BUTTONS_MAX + 1]; /* by id: its last run, 0 = never */
};

/* Map $TAPLINE_RUN/NAME.state, making it when missing or unusable. Without a run directory the
 * state is plain memory and ends with the process. */
struct panel_state *panel_state_open(const char *name);
void panel_state_close(struct panel_state *s);

/* Begin run of id; returns whether browsers must confirm that they have seen it. That is when the
 * same id has played since the last confirmed run: then an "ended" of that earlier run could still
 * be under way and would look like the end of this one. */
bool panel_state_play(struct panel_state *s, uint64_t id, uint64_t time_ns);

#endif
