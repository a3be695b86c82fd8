/* logline: one line of a pipeline's log as people read it. */
#ifndef TAPLINE_LOGLINE_H
#define TAPLINE_LOGLINE_H

#include <stdint.h>

#include "buf.h"

enum logline_style {
    LOGLINE_PLAIN,  /* 09:41:07.123 decode: text */
    LOGLINE_COLOUR, /* the same with a colour for each stage, faults in red and yellow */
    LOGLINE_DATED,  /* 2024-11-20 09:41:07.123 decode: text */
    LOGLINE_LEVELS  /* <4>decode: text, for the journal, which adds the time */
};

/* Colour when fd is a terminal that can and NO_COLOR is not set, else plain. */
enum logline_style logline_style_for(int fd);

/* Append the line with its line break. time_ns is wall clock, level syslog's. */
void logline_put(struct buf *b, enum logline_style style, uint64_t time_ns, const char *stage,
                 int level, const char *text);

#endif
