/* sources: which endpoints a tap or a recorder listens to. */
#ifndef TAPLINE_SOURCES_H
#define TAPLINE_SOURCES_H

#include "stage.h"

/* Add the operands argv[1..n] to the stage's inputs. With none, and no -i: standard input when it
 * is a pipe or a file; else (or with all) every endpoint of the running pipeline. 0; or -1 with a
 * text.
 */
int sources_choose(struct stage *st, char **argv, int n, bool all, struct err *e);

/* The supervisor's `status` of the running pipeline, appended to reply. -1 when there is none. */
int sources_status(struct buf *reply, struct err *e);

/* The endpoints of the running pipeline that others may attach to, "a, b, c"; -1 when there is
 * none running. */
int sources_names(char *out, size_t size, struct err *e);

/* The items of array `key` in a map, one after another: sources_list, then sources_next until it is
 * false. No such array is an empty one. */
struct sources_items {
    struct mp_cursor at;
    uint32_t left;
    const uint8_t *p; /* the item */
    size_t n;
};
struct sources_items sources_list(const uint8_t *p, size_t n, const char *key);
bool sources_next(struct sources_items *i);
/* The item when it is a text that fits; else false. */
bool sources_text(const struct sources_items *i, char *out, size_t size);

#endif
