/* hub_video: what is known of the pictures of one camera, by the formulas of lib/codec/hub.md. Pure
 * and without pointers; times are seconds on any clock that does not step.
 */
#ifndef DISPATCH_HUB_VIDEO_H
#define DISPATCH_HUB_VIDEO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HUB_ARRIVALS = 10, /* that fps is made of */
    HUB_FRAMES = 20,   /* intervals, sizes and processing times that are kept */
    HUB_STEADY = 10    /* intervals from which on the target is a median */
};

/* The last values, oldest first. */
struct hub_window {
    unsigned n;
    double v[HUB_FRAMES];
};

struct hub_video {
    uint64_t frames;        /* all */
    uint64_t late, lost;    /* came much later than usual; are missing by the pause before one */
    unsigned unjudged;      /* so many frames are not judged late or lost: the rate was changed */
    unsigned width, height; /* of the last frame that told; 0 = not known */
    double last;            /* arrival */
    struct hub_window arrival, interval, size, processing;
};

struct hub_figures {
    double fps, target_fps, efficiency;
    double avg_interval, min_interval, max_interval, jitter, avg_fps;
    double avg_size, min_size, max_size, avg_processing, max_processing;
    bool waiting; /* fewer than two frames: all of these are 0 */
    bool steady;  /* the target is a median of enough intervals */
    const char *recommendation;
};

/* A frame of so many bytes came. */
void hub_video_frame(struct hub_video *v, double at, size_t bytes);
/* Handling it took so long. */
void hub_video_processed(struct hub_video *v, double ms);
/* The camera was told another interval. */
void hub_video_changed(struct hub_video *v);
void hub_video_figures(const struct hub_video *v, double now, struct hub_figures *f);
/* v to so many decimals. */
double hub_round(double v, int decimals);

#endif
