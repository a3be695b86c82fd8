#include "hub_delay.h"

/* Crystals differ by up to 100 ppm together; a step of the camera's clock by more than STEP_MS
 * against ours is a restart of it. */
static const double DRIFT = 1e-4, STEP_MS = 60000;

static double begin(struct hub_delay *d, uint32_t camera_ms, double now_ms) {
    *d = (struct hub_delay){
        .known = true, .camera_ms = camera_ms, .at_ms = now_ms, .offset_ms = now_ms};
    return 0;
}

/* offset_ms is kept as if the camera's clock never wrapped: what it has gone on since the message
 * before is a signed difference of 32 bits. */
double hub_delay_add(struct hub_delay *d, uint32_t camera_ms, double now_ms) {
    int32_t step = (int32_t)(camera_ms - d->camera_ms);
    double passed = now_ms - d->at_ms;
    if (!d->known || step < 0 || passed < 0 || passed > 2e9 || step > passed + STEP_MS)
        return begin(d, camera_ms, now_ms);
    d->offset_ms += step + passed * DRIFT;
    if (now_ms < d->offset_ms)
        d->offset_ms = now_ms;
    d->camera_ms = camera_ms;
    d->at_ms = now_ms;
    d->last_ms = now_ms - d->offset_ms;
    if (d->last_ms > d->worst_ms)
        d->worst_ms = d->last_ms;
    return d->last_ms;
}
