/* hev_clock: when a sample was taken, by our clock.
 *
 * The device stamps samples with milliseconds since its start, evenly; they arrive late by as much
 * as the line, the kernel and the scheduler please. The stamps are followed by the fastest arrivals
 * seen, so that the curves are as smooth as the device took them.
 */
#ifndef DISPATCH_HEV_CLOCK_H
#define DISPATCH_HEV_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct vent_clock {
    bool any;
    int64_t offset_us; /* our time minus the device's */
    uint64_t heard_us; /* arrival of the last sample */
    uint64_t last_us;  /* what was answered last */
    uint64_t jumps;    /* the device started anew, or its clock is not ours */
};

/* The time of a sample that arrived at heard_us, a little above the last one's at least. stamp_ms
 * below 0: the device has no clock. 0: it is older than one that came before. *back: our clock has
 * been set back, times begin anew at heard_us. */
uint64_t vent_clock_time(struct vent_clock *c, int64_t stamp_ms, uint64_t heard_us, bool *back);

#endif
