/* pace: when pages are told the state of things: soon after a change, so that several changes of
 * one moment are one state; not too often; and at least every so often, so that pages can tell a
 * dead link.
 */
#ifndef DISPATCH_PACE_H
#define DISPATCH_PACE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct pace {
    /* Set by the owner, milliseconds. */
    unsigned change_ms;    /* from a change to the telling of it */
    unsigned apart_ms;     /* from one telling to the next, at least; 0 = change_ms will do */
    unsigned heartbeat_ms; /* and at most */
    void (*tell)(void);
    bool (*wanted)(void); /* NULL = always; when not, nothing is told until the next change */

    uv_timer_t timer;
    bool changed;
    uint64_t told_ms; /* loop time */
};

void pace_open(struct pace *p, uv_loop_t *loop);
/* Something has changed; tell() is called later, never within this. */
void pace_changed(struct pace *p);
void pace_close(struct pace *p);

#endif
