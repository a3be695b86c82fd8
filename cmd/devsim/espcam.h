/* espcam: the cameras and their gateway as one device: who takes a picture when, which frame goes
 * out next, and what the host is told to do. The line itself is the owner's. */
#ifndef DEVSIM_ESPCAM_H
#define DEVSIM_ESPCAM_H

#include "faults.h"
#include "pictures.h"
#include "stage.h"

enum { ESPCAM_CAMERAS = 256, ESPCAM_SLEEP_MAX = 86400 };

#define ESPCAM_FIRST_MAC 0x246f28a1b2c3u /* the others follow */

struct espcam_cam {
    struct camera camera;
    struct fault_lane lane;
    uint64_t due_ms;    /* when it takes its next picture, on the owner's clock */
    uint64_t asleep_ms; /* until then nothing can make it */
};

struct espcam_sim {
    /* Set by the owner. */
    struct stage *st;
    unsigned cameras;
    uint64_t every_ms;
    uint64_t left; /* pictures still to be taken */
    bool
        made_time; /* the cameras' clocks are made up, so that the same seed gives the same bytes */
    void (*send)(void *ctx, const void *p, size_t n);
    void *ctx;

    struct espcam_cam cam[ESPCAM_CAMERAS];
    struct pictures pictures;
    struct faults faults;
    struct chance luck;
    uint64_t taken, intact, frames, slept, unknown_commands;
};

/* Give the cameras their addresses. Before all else. */
void espcam_name(struct espcam_sim *s);

/* Power on at `now`. dialect, hash and radio_loss go to every camera. */
void espcam_start(struct espcam_sim *s, uint64_t now, char dialect, enum camera_hash hash,
                  double radio_loss);

/* The cameras begin anew, the first one now, and not all at once. */
void espcam_spread(struct espcam_sim *s, uint64_t now);

/* Cameras that are due take pictures. The time at which the next one is due; UINT64_MAX = none. */
uint64_t espcam_wake(struct espcam_sim *s, uint64_t now);

/* Send one frame of one of the cameras that are at it, by lot; false = none is. */
bool espcam_step(struct espcam_sim *s, uint64_t now);

/* Bytes of the frames under way, or sent just now, went nowhere. */
void espcam_spoil(struct espcam_sim *s);
/* The host has gone: the pictures under way end here. */
void espcam_abort(struct espcam_sim *s, uint64_t now);

/* The camera of that number (from 1) or address; NULL with the reason. */
struct espcam_cam *espcam_find(struct espcam_sim *s, const char *text, struct err *e);
/* Another picture now, even beyond the number asked for; not while it sends or sleeps. */
int espcam_shoot(struct espcam_sim *s, struct espcam_cam *cam, uint64_t now, struct err *e);
void espcam_sleep(struct espcam_sim *s, struct espcam_cam *cam, uint64_t ms, uint64_t now);

/* One read of what the host writes: the gateway takes it as one command. */
void espcam_command(struct espcam_sim *s, const uint8_t *p, size_t n, uint64_t now);

void espcam_free(struct espcam_sim *s);

#endif
