/* imgwrite: what happens to a picture between the message and the report that it is saved. */
#ifndef IMGWRITE_IMGWRITE_H
#define IMGWRITE_IMGWRITE_H

#include "queue.h"
#include "stage.h"
#include "store.h"

struct imgwrite {
    struct stage st;
    struct save_place place;
    struct queue queue;
    struct store store;
    bool holding; /* the inputs are paused, because the queue is full */
    bool ended;   /* nothing comes any more */
    bool stopping;
    bool failing;   /* pictures cannot be saved, and that has been said */
    bool recovered; /* but the last one was */
    uint64_t failed_at_ns;
    uint64_t lost;         /* while failing */
    uint64_t last_time_us; /* in the name of the picture before */
    uint64_t saved, saved_bytes, average_bytes, failed, too_slow, nameless, last_us;
    uint64_t killed;     /* pictures that the process before was killed with */
    uint64_t unverified; /* of these saved, those that nothing proves to be whole */
};

void imgwrite_init(struct imgwrite *w);
/* The stage is open. */
void imgwrite_open(struct imgwrite *w);
/* What is under way is waited for; what waits is given up and counted. */
void imgwrite_close(struct imgwrite *w);

#endif
