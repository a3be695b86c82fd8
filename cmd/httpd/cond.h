/* cond: what part of a file a request gets, if any: ETag, dates and ranges (RFC 9110 sections 8.8,
 * 13, 14). No I/O.
 */
#ifndef HTTPD_COND_H
#define HTTPD_COND_H

#include <stddef.h>
#include <stdint.h>

enum { COND_TEXT = 48 /* bytes that an ETag or a date takes at most */ };

struct cond_file {
    uint64_t mtime_ns, size;
};

/* Header values of the request; NULL where it has none. */
struct cond_ask {
    const char *if_none_match, *if_modified_since, *if_range, *range;
};

struct cond_part {
    unsigned status;  /* 200, 206, 304, 416 */
    uint64_t at, len; /* bytes of the body, 200 and 206 */
};

void cond_decide(const struct cond_file *f, const struct cond_ask *ask, struct cond_part *out);

/* "<mtime ns hex>-<size hex>" with its quotes. */
const char *cond_etag(const struct cond_file *f, char out[COND_TEXT]);
/* "Sun, 06 Nov 1994 08:49:37 GMT" */
const char *cond_date(const struct cond_file *f, char out[COND_TEXT]);

#endif
