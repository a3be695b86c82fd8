/* lines: cuts a byte stream into lines at LF, whatever pieces it arrives in.
 *
 * One CR right before the LF is not part of the line. A line has a bounded length; a longer one is
 * thrown away up to its LF, so endless garbage costs neither memory nor the lines after it.
 * Pure: no I/O, no clock, and no allocation after lines_init.
 */
#ifndef TAPLINE_LINES_H
#define TAPLINE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINES_LIMIT = 256 /* default of the longest line, bytes without CR LF */ };

struct lines {
    uint64_t lines;    /* handed over, empty ones included */
    uint64_t overlong; /* thrown away */
    uint64_t bytes;    /* fed */
    size_t limit;      /* longest line, bytes without CR LF */
    size_t len;        /* bytes of the unterminated tail */
    bool skipping;     /* inside an overlong line: drop everything up to its LF */
    char *tail;        /* owned, limit + 1 bytes: the CR of a line of full length fits too */
};

/* Receives one line. s is valid during the call only and not NUL-terminated; it is never NULL for
 * a line, even an empty one. s == NULL reports an overlong line, once, as soon as it is known to be
 * longer than n bytes. The function must not feed or reset the same struct lines. */
typedef void lines_fn(void *ctx, const char *s, size_t n);

/* limit 0 means LINES_LIMIT. Ends with lines_free. */
void lines_init(struct lines *l, size_t limit);
void lines_free(struct lines *l);

/* Hand over every line that p[0..n) completes and keep what follows the last LF. */
void lines_feed(struct lines *l, const uint8_t *p, size_t n, lines_fn *line, void *ctx);

/* Throw away the unterminated tail: the stream ended, or the tail was used. Counters stay. */
void lines_reset(struct lines *l);

#endif
