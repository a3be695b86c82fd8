/* espcam_frame: cuts the byte stream of a camera gateway into frames and finds the next good one
 * after any damage. Sections named here are those of espcam.md beside this file.
 *
 * Pure: no I/O, no clock, and no allocation after espcam_scan_init. A frame that lies whole in the
 * bytes fed is handed over where it lies; only one that a feed cut is kept here until it is whole.
 */
#ifndef TAPLINE_ESPCAM_FRAME_H
#define TAPLINE_ESPCAM_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ESPCAM_MAC = 6,
    ESPCAM_HEAD = 19,     /* marker 4, MAC 6, type 1, sequence 4, length 4 */
    ESPCAM_OVERHEAD = 27, /* the head, checksum 4, end marker 4 */
    ESPCAM_FRAME_DEFAULT = 512,
    ESPCAM_FRAME_MIN = 64, /* of the limit; a HASH frame of 69 bytes must fit a useful one */
    ESPCAM_FRAME_MAX = 4096,
    ESPCAM_MARKS = 64
};

/* Silence after which the bytes of an unfinished frame are searched for a whole one (section 3). */
#define ESPCAM_IDLE_NS 2000000000ull

enum espcam_type { ESPCAM_HASH = 1, ESPCAM_DATA = 2, ESPCAM_END = 3 };

/* One frame. Pointers are valid during the call only. */
struct espcam_frame {
    const uint8_t *mac;    /* ESPCAM_MAC bytes */
    const uint8_t *data;   /* len bytes */
    size_t len;            /* at most the limit */
    uint32_t seq;          /* of the inner frame when nested */
    uint8_t type;          /* the byte on the wire, which no checksum covers */
    enum espcam_type kind; /* what the content says, section 2.3 */
    bool big;              /* byte order */
    bool nested;           /* was the data of another frame */
    bool sum_ok;
    uint64_t time_ns; /* the now_ns of the feed that brought its first byte */
};

/* Must not feed or reset the scanner that calls it. */
typedef void espcam_frame_fn(void *ctx, const struct espcam_frame *f);

/* From which byte of those held on a feed's bytes begin. */
struct espcam_mark {
    size_t at;
    uint64_t ns;
};

/* Fields are private but for the counters. */
struct espcam_scan {
    size_t limit;       /* longest data */
    bool big;           /* order of the last frame; a frame without data does not show its own */
    bool lenient;       /* a wrong checksum does not stop the content from being believed */
    uint8_t *held;      /* owned: bytes from the marker of an unfinished frame on */
    size_t held_len;    /* 0 = none */
    size_t need;        /* bytes to hold before it is worth looking again */
    uint64_t idle_at;   /* see espcam_scan_deadline */
    uint64_t pass_ns;   /* now_ns of the feed in hand */
    const uint8_t *run; /* the bytes being scanned, when they are those fed; NULL = those held */
    struct espcam_mark mark[ESPCAM_MARKS];
    size_t marks;

    uint64_t frames, big_frames, little_frames, nested_frames;
    uint64_t bad_length, bad_end; /* markers that turned out to be none, or of damaged frames */
    uint64_t bad_sum;
    uint64_t skipped_bytes; /* in no frame */
};

/* limit: ESPCAM_FRAME_MIN..ESPCAM_FRAME_MAX. Ends with espcam_scan_free. */
void espcam_scan_init(struct espcam_scan *s, size_t limit);
void espcam_scan_free(struct espcam_scan *s);

/* Hand over the frames that these n bytes complete. */
void espcam_scan_feed(struct espcam_scan *s, const uint8_t *p, size_t n, uint64_t now_ns,
                      espcam_frame_fn *frame, void *ctx);

/* When the bytes held should be searched (espcam_scan_search); 0 = not at all. */
uint64_t espcam_scan_deadline(const struct espcam_scan *s);
/* Hand over whole frames that wait behind an unfinished one. What remains goes on waiting. */
void espcam_scan_search(struct espcam_scan *s, espcam_frame_fn *frame, void *ctx);
/* The same, and throw away what remains: nothing follows. */
void espcam_scan_end(struct espcam_scan *s, espcam_frame_fn *frame, void *ctx);

/* Section 2.2. */
uint32_t espcam_sum(const uint8_t *p, size_t n);

#endif
