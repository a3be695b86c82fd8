/* mp: msgpack in and out of plain memory.
 *
 * Writing goes through msgpack-c. Reading is a cursor of our own, because messages come from
 * outside: it allocates nothing whatever a header claims, bounds the nesting, and leaves strings
 * and binaries where they lie. Format: the msgpack specification.
 */
#ifndef TAPLINE_MP_H
#define TAPLINE_MP_H

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

enum { MP_DEPTH_MAX = 16 };

/* ---- writing: append one value to a buffer ---- */

void mp_put_map(struct buf *b, uint32_t pairs);
void mp_put_array(struct buf *b, uint32_t items);
void mp_put_str(struct buf *b, const char *s);
void mp_put_strn(struct buf *b, const char *s, size_t n);
void mp_put_bin(struct buf *b, const void *p, size_t n);
void mp_put_uint(struct buf *b, uint64_t v);
void mp_put_int(struct buf *b, int64_t v);
void mp_put_bool(struct buf *b, bool v);
void mp_put_double(struct buf *b, double v);
void mp_put_nil(struct buf *b);

/* The header alone of a binary of n bytes, for data that follows from elsewhere. */
void mp_put_bin_header(struct buf *b, size_t n);

/* Key and value of one map entry. A NULL string is written as nil. */
void mp_kv_str(struct buf *b, const char *key, const char *v);
void mp_kv_strn(struct buf *b, const char *key, const char *v, size_t n);
void mp_kv_bin(struct buf *b, const char *key, const void *p, size_t n);
void mp_kv_uint(struct buf *b, const char *key, uint64_t v);
void mp_kv_int(struct buf *b, const char *key, int64_t v);
void mp_kv_bool(struct buf *b, const char *key, bool v);
void mp_kv_double(struct buf *b, const char *key, double v);
void mp_kv_nil(struct buf *b, const char *key);

/* ---- reading ---- */

enum mp_type {
    MP_NIL,
    MP_BOOL,
    MP_UINT,
    MP_INT,
    MP_DOUBLE,
    MP_STR,
    MP_BIN,
    MP_EXT,
    MP_ARRAY,
    MP_MAP
};

/* One value. Whole numbers are MP_UINT when not negative and MP_INT when negative. MP_STR, MP_BIN
 * and MP_EXT point into the input (not NUL-terminated); MP_ARRAY and MP_MAP give the number of
 * items or pairs, which follow in the input. */
struct mp_value {
    enum mp_type type;
    uint32_t len; /* bytes of MP_STR, MP_BIN, MP_EXT; items of MP_ARRAY; pairs of MP_MAP */
    int8_t ext;   /* type number of MP_EXT */
    union {
        bool b;
        uint64_t u;
        int64_t i;
        double d;
        const uint8_t *p;
    };
};

/* A read position; at == end is the end of the input. */
struct mp_cursor {
    const uint8_t *at;
    const uint8_t *end;
};

/* The head of the next value (of a string or binary: all of it).
 * 1 = read; 0 = the input ends inside it; -1 = not msgpack. The cursor moves only on 1. */
int mp_read(struct mp_cursor *c, struct mp_value *v);

/* Step over one whole value with everything in it. Results as mp_read. */
int mp_skip(struct mp_cursor *c);

/* The value of a string key in the map that starts at p. A container value is returned as its head
 * and, when at is not NULL, *at is set to the first byte of the value. False when the key is
 * missing or p is no well-formed map. */
bool mp_find(const uint8_t *p, size_t n, const char *key, struct mp_value *v, struct mp_cursor *at);

/* Typed look-ups in a map; false when the key is missing or of another type. No value is converted,
 * but a double accepts whole numbers. mp_get_cstr copies with a NUL and fails when it does not fit
 * in size or holds a NUL. */
bool mp_get_uint(const uint8_t *p, size_t n, const char *key, uint64_t *v);
bool mp_get_int(const uint8_t *p, size_t n, const char *key, int64_t *v);
bool mp_get_bool(const uint8_t *p, size_t n, const char *key, bool *v);
bool mp_get_double(const uint8_t *p, size_t n, const char *key, double *v);
bool mp_get_str(const uint8_t *p, size_t n, const char *key, const char **s, size_t *len);
bool mp_get_bin(const uint8_t *p, size_t n, const char *key, const uint8_t **s, size_t *len);
bool mp_get_cstr(const uint8_t *p, size_t n, const char *key, char *out, size_t size);

/* Whether value v is the string s. */
bool mp_is(const struct mp_value *v, const char *s);

#endif
