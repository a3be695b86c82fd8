/* hub_cameras: what is known of every camera, whichever way it speaks. Plain memory without
 * pointers, kept in a state file. A camera is known by what it calls itself and its address, so
 * several behind one address need names of their own.
 */
#ifndef DISPATCH_HUB_CAMERAS_H
#define DISPATCH_HUB_CAMERAS_H

#include "hist.h"
#include "hub_delay.h"
#include "hub_peers.h"
#include "hub_video.h"

enum {
    HUB_CAMERAS = 128,      /* known at a time */
    HUB_ID = 48,            /* and NUL */
    HUB_TAG_MAX = 16 << 10, /* bytes of a detection as games get it */
    HUB_RATE = 10           /* arrivals that the rate of detections is made of */
};

/* Times are wall-clock nanoseconds, 0 = never. */
struct hub_camera {
    char id[HUB_ID]; /* for URLs: a-z 0-9 _ . only; "" = the place is free */
    char name[HUB_NAME], addr[HUB_ADDR];
    uint64_t heard_ns;
    uint32_t connections; /* WebSockets it has identified on */
    /* Detections. */
    uint64_t tags, refused, tag_ns,
        tag_us; /* how many; of the last: arrival, our part of its way */
    char via[8];
    double rate_at[HUB_RATE]; /* seconds; of the last ones, by number */
    struct hub_delay delay;
    struct hist hub;     /* from its arrival to where it left for the games */
    uint32_t latest_len; /* of its text in `latest` below */
    /* Pictures. */
    uint64_t frame_ns, frame_bytes, frames_refused;
    struct hub_video video;
};

struct hub_cameras {
    uint64_t evicted;
    struct hub_camera camera[HUB_CAMERAS];
    char latest[HUB_CAMERAS][HUB_TAG_MAX]; /* apart, so that a search stays within few pages */
};

/* The camera that calls itself name at addr, now heard; a new one when it is not known. Above
 * HUB_CAMERAS the one that is not connected and heard longest ago is forgotten (*made says that
 * something new stands there); NULL when all are connected. */
struct hub_camera *hub_cameras_get(struct hub_cameras *t, const char *name, const char *addr,
                                   uint64_t now_ns, bool *made);
/* The same, but NULL when it is not known. */
struct hub_camera *hub_cameras_known(struct hub_cameras *t, const char *name, const char *addr);
/* The one at addr heard last; NULL = none. */
struct hub_camera *hub_cameras_at(struct hub_cameras *t, const char *addr);
struct hub_camera *hub_cameras_find(struct hub_cameras *t, const char *id);
/* The one whose detection, or picture, is the newest; NULL = none has one. */
const struct hub_camera *hub_cameras_newest_tag(const struct hub_cameras *t);
const struct hub_camera *hub_cameras_newest_frame(const struct hub_cameras *t);
/* Its newest detection, latest_len bytes. */
char *hub_cameras_latest(struct hub_cameras *t, const struct hub_camera *c);
size_t hub_cameras_index(const struct hub_cameras *t, const struct hub_camera *c);
size_t hub_cameras_count(const struct hub_cameras *t);
/* Detections a second, over the last HUB_RATE and the silence since; 0 below two. */
double hub_camera_tag_rate(const struct hub_camera *c, double now);
void hub_cameras_check(struct hub_cameras *t);

#endif
