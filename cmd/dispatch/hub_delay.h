/* hub_delay: how much longer than at best a camera's messages are under way, from the clock of the
 * camera (milliseconds since its start, 32 bits, wraps) and ours. The part that every message takes
 * cannot be known, because the clocks are not set; what comes on top can. Pure.
 */
#ifndef DISPATCH_HUB_DELAY_H
#define DISPATCH_HUB_DELAY_H

#include <stdbool.h>
#include <stdint.h>

struct hub_delay {
    bool known;
    uint32_t camera_ms; /* of the message before */
    double offset_ms;   /* least difference between our clock and its; rises slowly, for clocks
                         * drift */
    double at_ms;       /* our time of the message before */
    double last_ms, worst_ms;
};

/* A message that the camera stamped camera_ms came at now_ms. Its delay on top of the fastest, in
 * milliseconds; 0 for the first one and after the camera has started again. */
double hub_delay_add(struct hub_delay *d, uint32_t camera_ms, double now_ms);

#endif
