/* device: one serial device that may come and go: found, opened, read, written, lost, found again.
 *
 *     absent   nothing is there; waiting for the directory to change
 *     opening  it is there but not for us yet: udev may still be setting its owner
 *     up       open; data flows
 *     failed   it is there and cannot be opened: the cause says why; tried again every second
 *
 * What happens in which state is the table in device.c.
 */
#ifndef SERIALCAT_DEVICE_H
#define SERIALCAT_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "err.h"
#include "find.h"
#include "txqueue.h"
#include "watch.h"

enum device_state { DEVICE_ABSENT, DEVICE_OPENING, DEVICE_UP, DEVICE_FAILED, DEVICE_STATES };

struct device {
    /* Set by the owner. */
    struct opt_list wanted;
    int64_t baud;
    /* One read(). */
    void (*on_data)(void *ctx, const uint8_t *p, size_t n, uint64_t time_ns);
    /* State, path or error has changed. */
    void (*on_state)(void *ctx);
    /* A queued write with an owner has been handed to the kernel, or thrown away. */
    void (*on_gone)(void *ctx, void *owner, bool written);
    /* device_drain has nothing left to wait for. */
    void (*on_drained)(void *ctx);
    void *ctx;

    /* To be read by the owner. */
    enum device_state state;
    struct err error;            /* cause CAUSE_OK while up */
    char path[FIND_PATH];        /* the node in use, symbolic links resolved; "" when none */
    char wanted_text[FIND_PATH]; /* as given */
    struct txqueue tx;
    uint64_t rx_bytes, tx_bytes, reads, opens, losses, refused;
    uint64_t tx_dropped; /* messages and lines that never reached the device */

    /* Its own. */
    uv_loop_t *loop;
    struct link *link; /* the open port; NULL unless up */
    struct watch watch;
    uv_timer_t timer, drain;
    unsigned rung;   /* of the ladder of delays; fresh news starts it again */
    uint64_t up_ns;  /* when it was opened, monotonic */
    struct err lost; /* how it went away last; cause CAUSE_OK = never up */
    bool paused;     /* nobody takes what we read */
    int drain_ms;    /* left */
    char logged[sizeof((struct err *)0)->text];
};

/* Start looking; tx.limit is set. */
void device_open(struct device *d, uv_loop_t *loop, size_t tx_limit);
/* Stop reading (the kernel holds the device back) and go on. Loss is noticed all the same. */
void device_pause(struct device *d, bool paused);
/* 1 = the kernel has it all; 0 = queued, owner (if any) will be told; -1 = dropped, e says why. */
int device_write(struct device *d, const void *p, size_t n, void *owner, struct err *e);
/* Give what was written a moment to leave; then on_drained. */
void device_drain(struct device *d);
/* Memory must live until the loop has run its close callbacks; then device_free. */
void device_close(struct device *d);
void device_free(struct device *d);

const char *device_state_name(enum device_state s);

#endif
