/* json_scan: one JSON object (RFC 8259) taken apart without being rebuilt: every value is the very
 * text that came, so that 10.50 or a number of 60 bits can be passed on as it is. Nothing is
 * allocated. For text from strangers on the live path; what is wanted as a tree goes through
 * json.h.
 */
#ifndef TAPLINE_JSON_SCAN_H
#define TAPLINE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

enum { JSON_SCAN_KEYS = 128 /* of one object */, JSON_SCAN_DEPTH = 32 /* of nested values */ };

enum json_kind { RAW_NULL, RAW_TRUE, RAW_FALSE, RAW_NUMBER, RAW_STRING, RAW_ARRAY, RAW_OBJECT };

/* A value as it stands in the text: a string with its quotes, an object with its braces. */
struct json_raw {
    const char *p;
    size_t n;
    enum json_kind kind;
};

struct json_member {
    const char *key; /* with its quotes, escapes as they came */
    size_t key_len;
    struct json_raw value;
};

struct json_object {
    struct json_member item[JSON_SCAN_KEYS]; /* in the order they came; a key may come twice */
    size_t n;
};

/* Take text apart: it must be one object and nothing behind it, well-formed to its last byte and
 * UTF-8. 0; -1 with a text that says at which byte what is wrong. NaN, Infinity, single quotes,
 * comments and trailing commas are wrong. */
int json_scan(struct json_object *o, const char *text, size_t n, struct err *e);

/* Whether the key, its escapes decoded, is the ASCII word `name`. */
bool json_key_is(const struct json_member *m, const char *name);

/* The value of a key (the last one, as parsers have it); NULL = not there. */
const struct json_raw *json_get(const struct json_object *o, const char *name);

/* A string decoded, with a NUL; false when it is none, does not fit, holds a NUL or half a
 * surrogate pair. */
bool json_raw_text(const struct json_raw *v, char *out, size_t size);

/* A number; false when it is none, or too large for a double. */
bool json_raw_number(const struct json_raw *v, double *d);

#endif
