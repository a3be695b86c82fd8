/* tap: the parts of `tapline tap`. */
#ifndef TAPLINE_TAP_H
#define TAPLINE_TAP_H

#include "msg.h"
#include "topics.h"

/* ---- tap_pretty.c: a line for people, columns as wide as what has come so far ---- */

struct tap_pretty {
    bool hex; /* binary as a dump below the line */
    bool colour;
    uint64_t first_ns; /* what times are relative to */
    int from_width, topic_width;
};

/* Append the line, with its end. from: the endpoint. */
void tap_pretty(struct tap_pretty *p, struct buf *b, const char *from, const struct msg *m);
/* n bytes as hexdump -C shows them, indented. */
void tap_hexdump(struct buf *b, const uint8_t *p, size_t n, int indent);

/* ---- tap_rate.c: a table of what flows ---- */

struct tap_rate {
    struct topics topics;
    uint64_t shown_ns; /* monotonic, when the table was made last */
    bool in_place;     /* over the one before */
    int lines;         /* of the one before */
};

void tap_rate_count(struct tap_rate *r, const char *from, const struct msg *m);
/* Append the table of what has come since the last one. */
void tap_rate_show(struct tap_rate *r, struct buf *b);
void tap_rate_free(struct tap_rate *r);

#endif
