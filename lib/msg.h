/* msg: one event, the unit that flows between stages.
 *
 * On a pipe or in a file: msgpack array of four, [topic str, time uint, seq uint, body map], one
 * after another. On an NNG pub socket: the topic, one NUL byte, then the same array.
 *   topic  dotted lower-case name of at most MSG_TOPIC_MAX bytes: a-z 0-9 _ - and dots between
 *   time   nanoseconds since the Unix epoch, taken where the event entered tapline
 *   seq    counts 1, 2, 3 ... per publisher and topic
 *   body   map with string keys
 */
#ifndef TAPLINE_MSG_H
#define TAPLINE_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "mp.h"

enum { MSG_TOPIC_MAX = 96, MSG_MAX = 32 << 20 /* bytes of one message */ };

/* A view of one encoded message; every pointer points into the bytes that were parsed. */
struct msg {
    const char *topic; /* not NUL-terminated */
    size_t topic_len;
    uint64_t time;
    uint64_t seq;
    const uint8_t *body; /* the map, encoded */
    size_t body_len;
    const uint8_t *raw; /* the whole array, encoded */
    size_t raw_len;
};

/* Parse and validate the message at the start of p.
 * >0 bytes it takes; 0 = the input ends inside it; -1 = this is no message. */
long msg_parse(const uint8_t *p, size_t n, struct msg *m);

/* Distance from p to the next byte at which a message could begin, at least 1 and at most n. Used
 * to find the stream again after damage; msg_parse decides whether it really is one. */
size_t msg_resync(const uint8_t *p, size_t n);

/* Append array header, topic, time and seq; the caller appends the body map. */
void msg_put_head(struct buf *b, const char *topic, size_t topic_len, uint64_t time, uint64_t seq);

bool msg_topic_valid(const char *topic, size_t n);

/* Whether the message's topic equals s / begins with prefix. */
bool msg_is(const struct msg *m, const char *s);
bool msg_has_prefix(const struct msg *m, const char *prefix);

/* Nanoseconds since the Unix epoch, and on a clock that never steps. */
uint64_t clock_wall_ns(void);
uint64_t clock_mono_ns(void);

#endif
