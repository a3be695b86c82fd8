/* hev_play: a recording of payloads at its own pace: every line, when its time stamp or one of a
 * line before it says (recorded priorities overtook each other, so time goes back in places).
 * Times are microseconds on the owner's clock. */
#ifndef DEVSIM_HEV_PLAY_H
#define DEVSIM_HEV_PLAY_H

#include "buf.h"
#include "codec/hev_dump.h"
#include "err.h"

struct hev_play {
    /* Set by the owner. */
    double speed;     /* 2 is twice as fast; 0 as fast as there is room */
    bool loop;        /* again from the start, time stamps going on */
    int64_t every_us; /* between payloads without time stamps */
    bool (*room)(void *ctx, uint8_t address);
    void (*send)(void *ctx, uint8_t address, const uint8_t *p, size_t n);
    void (*on_pass)(void *ctx); /* it has come to its end */
    void *ctx;

    /* To be read. */
    uint64_t sent, damaged, passes;

    /* Its own. */
    struct buf file;
    struct hev_dump dump;
    struct hev_dump_payload next;
    bool waiting; /* next is still to be sent */
    bool ended, started;
    uint64_t start_us, paused_us;
    uint32_t first_ms, last_ms; /* of this pass as recorded; last: the greatest so far */
    uint64_t shift_ms;          /* of the time stamps, by the passes before */
    uint64_t untimed;           /* payloads without time stamps so far */
};

/* Read the whole file and look through it; errors name it. */
int hev_play_open(struct hev_play *p, const char *path, struct err *e);
/* Send what is due and has room. When to call again; UINT64_MAX = when there is room, or never. */
uint64_t hev_play_run(struct hev_play *p, uint64_t now_us);
/* Nobody listens: time stands still until the next hev_play_run. */
void hev_play_pause(struct hev_play *p, uint64_t now_us);
void hev_play_free(struct hev_play *p);

#endif
