/* watch: says when something changed where a wanted device would appear.
 *
 * inotify on the directory of each device, or on the nearest one above it that exists: udev makes
 * and removes /dev/serial/by-id with its only entry. Changes of mode and owner count too, because
 * udev sets them after the node is there.
 */
#ifndef SERIALCAT_WATCH_H
#define SERIALCAT_WATCH_H

#include <stdbool.h>
#include <uv.h>

#include "find.h"

struct watch_place {
    int wd;
    char name[FIND_PATH]; /* or pattern */
};

struct watch {
    int fd; /* -1: no inotify here, the caller has to look now and then */
    bool armed;
    uv_poll_t poll;
    const struct opt_list *wanted;
    struct watch_place place[OPT_LIST_MAX];
    void (*on_change)(void *ctx);
    void *ctx;
};

void watch_open(struct watch *w, uv_loop_t *loop, const struct opt_list *wanted);
/* Watch the places as they are now. To be called before each look, or a change could be missed. */
void watch_arm(struct watch *w);
/* Watch nothing. */
void watch_disarm(struct watch *w);
void watch_close(struct watch *w);

#endif
