/* mac: hardware addresses as numbers, the first byte highest. */
#ifndef IMGWRITE_MAC_H
#define IMGWRITE_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAC_TEXT = 18 /* "24:6f:28:a1:b2:c3" and NUL */ };

/* Twelve hex digits in either case, with : or - between the bytes or nothing at all. */
bool mac_parse(const char *s, size_t n, uint64_t *mac);
/* With colons, lower case; returns out. */
const char *mac_text(uint64_t mac, char out[MAC_TEXT]);

#endif
