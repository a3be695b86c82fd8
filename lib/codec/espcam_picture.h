/* espcam_picture: the data frames of one picture in the order they came, and the question whether
 * they are the whole picture (espcam.md, section 4).
 *
 * Memory grows when espcam_picture_grow is called and never otherwise; the owner keeps the books.
 */
#ifndef TAPLINE_ESPCAM_PICTURE_H
#define TAPLINE_ESPCAM_PICTURE_H

#include "espcam_frame.h"
#include "espcam_text.h"

enum {
    ESPCAM_RANGES = 32,   /* of missing numbers that are told */
    ESPCAM_STARTS = 8,    /* places at which a picture may have begun anew that are tried */
    ESPCAM_CHUNK_MIN = 16 /* mean bytes of a chunk below which a picture is too large */
};

struct espcam_chunk {
    uint32_t seq;
    uint32_t at; /* in data */
    uint16_t len;
    bool bad; /* its checksum was wrong */
};

struct espcam_picture {
    uint8_t *data; /* owned: chunks as received, one behind the other */
    size_t len, cap;
    struct espcam_chunk *chunk; /* owned */
    size_t chunks, chunk_cap;
    size_t frames, duplicates, bad;     /* frames: data frames taken in, duplicates not counted */
    uint64_t bytes;                     /* of these frames */
    uint32_t first_seq, last_seq, most; /* most: the highest number */
    uint8_t tail[2];                    /* the last two bytes */
    bool overflow;                      /* too large: only counted from then on */
    uint64_t started_ns;
};

/* Numbers from..to are missing. */
struct espcam_range {
    uint32_t from, to;
};

enum espcam_verified { ESPCAM_UNVERIFIED, ESPCAM_BY_SHA256, ESPCAM_BY_SUM };

/* The picture; data lies in the picture or in the bench. */
struct espcam_proof {
    enum espcam_verified verified;
    const uint8_t *data;
    size_t len, chunks;
    uint32_t first_seq, last_seq;
};

/* Room to put chunks into another order; one serves all pictures. */
struct espcam_bench {
    uint32_t *index; /* owned */
    size_t index_cap;
    uint8_t *data; /* owned */
    size_t data_cap;
};

/* Bytes of memory that one more chunk of len bytes costs; 0 = there is room. limit: largest
 * picture. */
size_t espcam_picture_growth(const struct espcam_picture *p, size_t len, size_t limit);
void espcam_picture_grow(struct espcam_picture *p, size_t len, size_t limit);
size_t espcam_picture_memory(const struct espcam_picture *p);
void espcam_picture_free(struct espcam_picture *p);
/* Forget the content, keep the memory. */
void espcam_picture_clear(struct espcam_picture *p);
void espcam_bench_free(struct espcam_bench *b);

/* Take a data frame in; there is room. With overflow set it is only counted. */
void espcam_picture_add(struct espcam_picture *p, const struct espcam_frame *f);
/* Take the last chunk out again if it is rather the one behind next, which begins another picture.
 * data: room for ESPCAM_FRAME_MAX bytes, to which out points. */
bool espcam_picture_pop_stray(struct espcam_picture *p, const struct espcam_frame *next,
                              struct espcam_frame *out, uint8_t *data);
/* The frame before once more. */
bool espcam_picture_repeats(const struct espcam_picture *p, const struct espcam_frame *f);
/* All numbers so far are the same, as some senders have it. */
bool espcam_picture_is_constant(const struct espcam_picture *p);
bool espcam_picture_begins_with(const struct espcam_picture *p, const struct espcam_frame *f);
bool espcam_picture_has(const struct espcam_picture *p, uint32_t seq);
/* The number would continue the picture or fill a hole in it. */
bool espcam_picture_wants(const struct espcam_picture *p, uint32_t seq);
/* Begins as a JPEG, ends as one. */
bool espcam_picture_starts(const struct espcam_picture *p);
bool espcam_picture_is_ended(const struct espcam_picture *p);

/* What is known beside the chunks. */
struct espcam_trust {
    bool ended;     /* the end frame has come */
    bool clean;     /* nothing of the stream was damaged from the first chunk to the last */
    bool hash_lost; /* its camera sends tokens, and nothing shows what became of this one */
    uint32_t first; /* the number that follows the frame before the picture; 1 is right too */
};

/* Whether these chunks, or some of them in some order, are a whole picture. t may be unusable: then
 * the numbers and the ends decide, if the end frame has come. */
bool espcam_picture_prove(const struct espcam_picture *p, const struct espcam_token *t,
                          const struct espcam_trust *trust, struct espcam_bench *b,
                          struct espcam_proof *out);

/* Missing numbers, at most max ranges; their number. */
size_t espcam_picture_missing(const struct espcam_picture *p, struct espcam_bench *b,
                              struct espcam_range *out, size_t max);

#endif
