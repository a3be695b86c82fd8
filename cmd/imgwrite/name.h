/* name: what a saved picture is called, by a pattern, and back from a name to what it says.
 *
 *     {mac}        twelve lower-case hex digits
 *     {time:FMT}   local time; FMT is made of %Y %m %d %H %M %S, %% and plain text;
 *                  {time} is %Y%m%d_%H%M%S
 *     {us}         microseconds, six digits
 *     {seq}        sequence number of the message
 *     {topic}      its topic
 *     /            a directory
 *
 * Only these fixed forms, so that a name can be read back for certain: what does not fit the
 * pattern is not ours. Nothing that comes from outside can add a / or a leading dot. Pure.
 */
#ifndef IMGWRITE_NAME_H
#define IMGWRITE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "msg.h"

enum {
    NAME_PARTS = 48,
    NAME_PATTERN = 256,
    NAME_BYTES = NAME_PATTERN + 2 * MSG_TOPIC_MAX /* a whole name with its NUL */
};

#define NAME_DEFAULT "{mac}_{time:%Y%m%d_%H%M%S}_{us}.jpg"

enum name_kind {
    NAME_TEXT,
    NAME_MAC,
    NAME_YEAR,
    NAME_MONTH,
    NAME_DAY,
    NAME_HOUR,
    NAME_MINUTE,
    NAME_SECOND,
    NAME_US,
    NAME_SEQ,
    NAME_TOPIC,
    NAME_KINDS
};

struct name_part {
    enum name_kind kind;
    char text[NAME_PATTERN]; /* NAME_TEXT */
    size_t len;
};

struct name_pattern {
    struct name_part part[NAME_PARTS];
    size_t parts;
    bool has[NAME_KINDS];
    bool dated;    /* year to second: the name alone tells when */
    bool certain;  /* dated, with the camera: nobody else calls a file like this by chance */
    unsigned dirs; /* directories in front of the file */
};

struct name_facts {
    uint64_t mac;
    uint64_t time_us; /* since the Unix epoch */
    uint64_t seq;
    char topic[MSG_TOPIC_MAX + 1];
    unsigned copy; /* 0 = the first of its name; else _2, _3 ... in front of the extension */
};

int name_parse(struct name_pattern *p, const char *text, struct err *e);

/* Bytes written to out; -1 when it does not fit. */
int name_make(const struct name_pattern *p, const struct name_facts *f, char *out, size_t size);

/* Another name for the same picture, because that one is taken: the next microsecond, or a number
 * where the pattern has no microseconds. */
void name_advance(const struct name_pattern *p, struct name_facts *f);

/* Whether the pattern could have made this name; facts that it does not tell are 0 or "". */
bool name_match(const struct name_pattern *p, const char *name, struct name_facts *f);

#endif
