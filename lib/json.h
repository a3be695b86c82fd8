/* json: msgpack to JSON text and back.
 *
 * Writing goes straight from msgpack bytes to text, without a tree, because it is done for every
 * message and viewer. Reading goes through jansson, because it is rare and the text comes from
 * outside. Text is UTF-8; bytes that are not become U+FFFD.
 */
#ifndef TAPLINE_JSON_H
#define TAPLINE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "mp.h"
#include "msg.h"

/* Bytes of text that json_to_mp accepts. A tree takes up to 20 times the text: a caller that serves
 * strangers sets a lower bound of its own. */
enum { JSON_TEXT_MAX = 16 << 20 };

/* How binary is written: "base64", "hex" in lower case, or {"$bin": "base64"}, the one form that
 * json_to_mp turns into binary again. */
enum json_bin { JSON_BIN_BASE64, JSON_BIN_HEX, JSON_BIN_TAGGED };

/* {0}, and NULL where a style is asked for, is compact with base64. */
struct json_style {
    bool spaced; /* ", " and ": " instead of "," and ":" */
    enum json_bin bin;
};

/* ---- pieces ---- */

/* The shortest text that reads back as v, laid out as Python's repr: 0.1, 5.0, -0.0, 1e+22. What
 * JSON cannot say (NaN, infinities) is null. */
void json_put_double(struct buf *b, double v);
void json_put_uint(struct buf *b, uint64_t v);
void json_put_int(struct buf *b, int64_t v);

/* n bytes as a JSON string with its quotes. */
void json_put_str(struct buf *b, const char *s, size_t n);

/* Base64 of RFC 4648 with padding, without quotes. Decoding appends to b and is strict: false for
 * any other character, missing padding or stray bits; b is then unchanged. */
void json_put_base64(struct buf *b, const void *p, size_t n);
bool json_get_base64(struct buf *b, const char *s, size_t n);

/* ---- msgpack to JSON ---- */

/* Append one msgpack value as JSON. Extension types become null, and map keys that are no strings
 * are written as the string of their JSON. Unsigned numbers above 2^53 are written exactly.
 * 1 = written; 0 = the input ends inside it; -1 = not msgpack or nested deeper than MP_DEPTH_MAX.
 * The cursor moves and out grows only on 1. */
int json_from_mp(struct buf *out, struct mp_cursor *c, const struct json_style *style);

/* Append {"topic":..,"time":..,"seq":..,"body":{..}}. Results as json_from_mp. */
int json_put_msg(struct buf *out, const struct msg *m, const struct json_style *style);

/* ---- JSON to msgpack ---- */

/* Append the one JSON value in text (of any type) as msgpack; 0, or -1 with a text that names line
 * and column where the text is wrong, out unchanged. Whole numbers stay whole (from -2^63 to
 * 2^63-1; others are an error), 5.0 is a double; of a key given twice the last counts; an object
 * whose only key is "$bin" is binary. */
int json_to_mp(struct buf *out, const char *text, size_t n, struct err *e);

#endif
