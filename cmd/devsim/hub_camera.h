/* hub_camera: one simulated camera of the tag hub: its path, its detections and pictures, and how
 * they get to the hub: by WebSocket, by HTTP or as datagrams.
 */
#ifndef DEVSIM_HUB_CAMERA_H
#define DEVSIM_HUB_CAMERA_H

#include "hist.h"
#include "hub_path.h"
#include "hub_post.h"
#include "hub_ws.h"
#include "stage.h"

enum {
    HUB_NAME = 64,
    HUB_UNACKED = 1024,         /* detections waiting for their acknowledgement; older ones are not
                                 * timed any more */
    HUB_UDP_ACK_MS = 500,       /* how long the firmware waits for an acknowledgement by UDP */
    HUB_WAITING = 256 << 10,    /* bytes not taken by the hub above which detections are skipped */
    HUB_WAITING_FRAME = 1 << 20 /* the same for pictures */
};

/* What all cameras of a process have in common. */
struct hub_plan {
    struct stage *st;
    struct hub_url url, picture_url;
    bool pictures_by_post;
    char token[HUB_TOKEN_MAX], self[64];
    double rate;         /* detections a second of each */
    uint64_t picture_ms; /* between pictures of each; 0 = none */
    uint64_t count;      /* detections of each, then the end; 0 = no end */
    uint64_t retry_ms;
    unsigned width, height, quality, noise, tags;
    bool plain;  /* only what the firmware sends */
    bool ending; /* no camera sends any more */
    /* A camera has sent all it should, and what could be acknowledged is; once for each. */
    void (*on_done)(void);
    /* Totals of all cameras. */
    uint64_t sent, acked, refused, unanswered, skipped, pictures, pictures_refused,
        pictures_skipped, picture_bytes, connected, accepted, lost;
    struct hist ack; /* from a detection's leaving to its acknowledgement */
};

struct hub_camera {
    struct hub_plan *plan;
    unsigned number; /* from 1 */
    char name[HUB_NAME];
    uint64_t run; /* tells this camera's life from any other */
    uint64_t seq, pictures;
    struct chance luck;
    bool accepted; /* detections may go out */
    bool done;
    uint64_t picture_ms;
    uint64_t due_ns; /* the next detection */
    uv_timer_t tag_timer, picture_timer, end_timer;
    struct hub_ws ws;
    struct hub_post tag_post, picture_post;
    uv_udp_t udp;
    /* When those that wait were sent, oldest at ack_at. */
    uint64_t sent_ns[HUB_UNACKED];
    size_t ack_at, ack_n;
};

void hub_camera_start(struct hub_camera *c, struct hub_plan *p, const char *name, unsigned number,
                      uint64_t seed);
/* The plan is ending: wait for the last acknowledgements, then on_done. Closing a socket earlier
 * would make the kernel throw away at the hub what it has not read yet. */
void hub_camera_end(struct hub_camera *c);
void hub_camera_stop(struct hub_camera *c);
/* When the loop has run. */
void hub_camera_free(struct hub_camera *c);

#endif
