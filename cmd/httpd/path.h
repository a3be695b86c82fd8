/* path: the path of a request, decoded and cut into segments.
 *
 * Everything that could name a file outside a directory is refused here, before a route is looked
 * for: "." and ".." however spelled, an encoded slash or NUL, doubled slashes.
 */
#ifndef HTTPD_PATH_H
#define HTTPD_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATH_BYTES = 1024, PATH_SEGMENTS = 32 };

struct path {
    char text[PATH_BYTES];          /* decoded, without the first slash and a trailing one */
    uint16_t at[PATH_SEGMENTS + 1]; /* where segment i begins in text; at[n] is the end */
    uint16_t len[PATH_SEGMENTS];
    size_t n;
    bool slash; /* there was a trailing slash ("/" alone has none) */
};

/* Parse raw (n bytes, no query). False when no route may ever see it. */
bool path_parse(struct path *p, const char *raw, size_t n);

/* Segments i and all that follow, as "a/b"; "" when there are none. */
const char *path_rest(const struct path *p, size_t i);

#endif
