/* espcam_sleep: sleep commands that wait for the gateway.
 *
 * It takes one read() as one command and has a queue of ten, so commands go out one by one with a
 * pause between; of one camera only the newest waits. Pure: the owner has clock and timer.
 */
#ifndef DISPATCH_ESPCAM_SLEEP_H
#define DISPATCH_ESPCAM_SLEEP_H

#include "espcam_cameras.h"

enum {
    CAM_SLEEPS = 16, /* commands that wait; one more is refused */
    CAM_SLEEP_MAX_S = 86400,
    CAM_PAUSE_MS = 500,
    CAM_COMMAND = 48 /* bytes of a line with its NUL */
};

struct cam_sleep {
    char mac[CAM_MAC];
    unsigned seconds;
};

struct cam_sleeps {
    struct cam_sleep item[CAM_SLEEPS];
    size_t n;
};

/* False when the queue is full. */
bool cam_sleeps_add(struct cam_sleeps *q, const char *mac, unsigned seconds);
bool cam_sleeps_take(struct cam_sleeps *q, struct cam_sleep *out);
/* Whether one waits for this camera. */
bool cam_sleeps_has(const struct cam_sleeps *q, const char *mac);

/* The line for the gateway; its length. */
size_t cam_sleep_line(const struct cam_sleep *s, char out[CAM_COMMAND]);

#endif
