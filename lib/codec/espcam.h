/* espcam: pictures of many cameras behind one gateway, out of the byte stream of its serial port.
 *
 * Bytes become frames (espcam_frame.h), frames of one camera become a picture (espcam_picture.h),
 * and a picture is handed over only when something proves that it is whole. Sections named here are
 * those of espcam.md beside this file.
 *
 * Pure: no I/O and no clock. Memory is bounded by the options; none is allocated as long as
 * pictures are no larger than those before.
 */
#ifndef TAPLINE_ESPCAM_H
#define TAPLINE_ESPCAM_H

#include "espcam_picture.h"

enum { ESPCAM_CAMERAS_MAX = 1024, ESPCAM_IMAGE_MIN = 1024 };

/* What a frame with a wrong checksum is worth. */
enum espcam_policy {
    ESPCAM_STRICT, /* nothing: it is missing */
    ESPCAM_WARN,   /* its data is kept, but only a SHA-256 can make a picture with it good */
    ESPCAM_OFF     /* as much as any other */
};

struct espcam_options {
    enum espcam_policy policy;
    size_t max_frame;    /* longest data of a frame, ESPCAM_FRAME_MIN..ESPCAM_FRAME_MAX */
    uint64_t timeout_ns; /* silence of a camera that ends its picture */
    size_t max_image;    /* bytes of one picture, from ESPCAM_IMAGE_MIN */
    size_t max_memory;   /* bytes held for all cameras together */
    size_t max_cameras;  /* 1..ESPCAM_CAMERAS_MAX; the one longest silent makes room */
};
extern const struct espcam_options espcam_defaults;

/* What ended a picture. */
enum espcam_closed {
    ESPCAM_CLOSED_END,     /* its end frame */
    ESPCAM_CLOSED_HASH,    /* the hash behind it agreed */
    ESPCAM_CLOSED_NEXT,    /* another picture of the camera began */
    ESPCAM_CLOSED_TIMEOUT, /* silence */
    ESPCAM_CLOSED_EVICTED, /* its memory was needed */
    ESPCAM_CLOSED_STOP,    /* end of the input */
    ESPCAM_CLOSED_KINDS
};

/* What is wrong with a broken picture; the first that applies. */
enum espcam_reason {
    ESPCAM_WHOLE,
    ESPCAM_TOO_LARGE,
    ESPCAM_EVICTED,
    ESPCAM_GAP,      /* numbers are missing */
    ESPCAM_DAMAGED,  /* frames with a wrong checksum */
    ESPCAM_NO_END,   /* neither end frame nor end of a JPEG */
    ESPCAM_MISMATCH, /* the hash disagrees */
    ESPCAM_NO_JPEG,  /* without a hash, and not from FF D8 to FF D9 */
    ESPCAM_UNPROVEN, /* no hash, and numbers or end frame do not show that nothing is missing */
    ESPCAM_REASONS
};

/* A picture, good or broken. Pointers are valid during the call only. */
struct espcam_image {
    const uint8_t *mac;
    const uint8_t *data; /* broken: what came, in its order; NULL when too large */
    size_t len;
    uint64_t bytes; /* received for it, whatever became of them */
    enum espcam_verified verified;
    enum espcam_closed closed;
    enum espcam_reason reason;
    uint32_t first_seq, last_seq;
    size_t frames, duplicates, bad;
    const struct espcam_range *missing;
    size_t ranges;
    const struct espcam_sensors *sensors; /* of this cycle */
    uint64_t started_ns;                  /* read of the first byte of its first data frame */
    uint64_t ended_ns;                    /* read, or time-out, that closed it */
};

/* None may feed, time out or reset the decoder that calls it. */
struct espcam_handler {
    void (*image)(void *ctx, const struct espcam_image *i);
    void (*broken)(void *ctx, const struct espcam_image *i);
    void (*sensor)(void *ctx, const uint8_t *mac, const struct espcam_sensors *s, uint64_t time_ns);
    void (*frame)(void *ctx, const struct espcam_frame *f); /* every one; may be NULL */
    void *ctx;
};

/* A HASH frame's content. */
struct espcam_hash {
    struct espcam_token token;
    struct espcam_sensors sensors;
};

struct espcam_camera {
    uint8_t mac[ESPCAM_MAC];
    uint64_t used;    /* grows with every frame of any camera: who was silent longest */
    uint64_t last_ns; /* when its last frame came */
    struct espcam_picture picture;
    struct espcam_hash own;  /* of the picture */
    struct espcam_hash next; /* came behind data it does not agree with: whose it is, what follows
                                tells */
    bool ended;              /* the end frame came, something is missing that may follow it */
    uint64_t ended_ns;
    unsigned late;     /* frames that have come since */
    bool hashed;       /* has ever sent a token: one that does not come was lost */
    bool hash_last;    /* sends it behind the data, as its last proven picture shows */
    bool bare;         /* its last picture went out without a token, nothing came since */
    bool odd;          /* a hash without token came with this picture: none was lost */
    bool own_first;    /* own came before the data */
    bool own_doubtful; /* and may be that of the picture before, late */
    uint32_t base;     /* the number behind that of its last frame without picture data */
    uint32_t first;    /* the same, when the picture began */
    /* Damage of the stream so far, when the first and the last chunk of the picture came, and its
     * end frame. */
    uint64_t damage_first, damage_last, damage_end;
};

/* Fields are private but for the counters. */
struct espcam {
    struct espcam_scan scan;
    struct espcam_options opt;
    struct espcam_handler on;
    uint64_t *key; /* owned: MAC of each camera as a number */
    struct espcam_camera *camera;
    size_t cameras, latest;
    uint64_t used, now_ns;
    size_t memory;
    struct espcam_bench bench;
    struct espcam_range missing[ESPCAM_RANGES];

    uint64_t data_frames, hash_frames, end_frames;
    uint64_t other_types; /* of these: the type byte and the content disagreed */
    uint64_t refused;     /* frames not used: a wrong checksum, no data */
    uint64_t duplicates;  /* data frames that came twice */
    uint64_t gaps;        /* ranges of missing numbers in broken pictures */
    uint64_t odd_hashes;  /* without a token */
    uint64_t lone_ends;   /* nothing to end: sensors only, or twice */
    uint64_t verified[3]; /* good pictures, by enum espcam_verified */
    uint64_t broken;
    uint64_t timed_out; /* pictures that silence ended, good or broken */
    uint64_t evicted;   /* broken for want of memory or cameras */
    uint64_t sensor_texts;
    uint64_t image_bytes; /* of good pictures */
};

/* Ends with espcam_free. */
void espcam_init(struct espcam *e, const struct espcam_options *o, const struct espcam_handler *h);
void espcam_free(struct espcam *e);

/* now_ns is when the bytes were read, on the clock that espcam_timeout gets too. A time-out that is
 * due by then is carried out first, so the result depends on the times given, not on the moment
 * the caller's timer fires. */
void espcam_feed(struct espcam *e, const uint8_t *p, size_t n, uint64_t now_ns);

/* When espcam_timeout wants to be called; 0 = not at all. At any other time it does nothing. */
uint64_t espcam_deadline(const struct espcam *e);
void espcam_timeout(struct espcam *e, uint64_t now_ns);

/* The port was closed: an unfinished frame is lost, unfinished pictures may go on. */
void espcam_reset(struct espcam *e);
/* Nothing follows: every picture is closed. */
void espcam_finish(struct espcam *e);

/* Words for topics and logs. Never NULL. */
const char *espcam_reason_name(enum espcam_reason r);
const char *espcam_closed_name(enum espcam_closed c);
const char *espcam_verified_name(enum espcam_verified v);

#endif
