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
    bool failing; /* the last picture could not be saved */
    uint64_t failed_in_a_row;
    uint64_t saved, saved_bytes, average_bytes, failed, too_slow, nameless, last_us;
};

void imgwrite_init(struct imgwrite *w);
/* The stage is open. */
void imgwrite_open(struct imgwrite *w);
/* What is under way is waited for; what waits is given up and counted. */
void imgwrite_close(struct imgwrite *w);

#endif
