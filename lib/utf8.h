/* utf8: well-formedness of UTF-8 (RFC 3629 section 4). */
#ifndef TAPLINE_UTF8_H
#define TAPLINE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Length of the well-formed sequence at s (n bytes, at least 1); minus the length of the piece that
 * one U+FFFD stands for when it is not well-formed (Unicode 15, table 3-7). */
int utf8_step(const void *s, size_t n);

bool utf8_valid(const void *s, size_t n);

#endif
