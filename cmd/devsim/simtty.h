/* simtty: a serial line that can be plugged in and out: a pseudo-terminal behind a symbolic link.
 *
 * The device's end is the master. Whether a host has the line open is seen from the master alone
 * (it hangs up when nobody has), so no descriptor of the host's end is held, and the host's last
 * close is a real last close. inotify on the node tells when that may have changed.
 *
 * What is sent while no host has the line open is lost, as with a USB device; what an open host
 * does not read is kept up to a limit, then the newest is dropped and counted.
 */
#ifndef DEVSIM_SIMTTY_H
#define DEVSIM_SIMTTY_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "buf.h"
#include "err.h"

enum { SIMTTY_OUT = 64 << 10 /* bytes waiting for a host that does not read */ };

struct simtty {
    /* Set by the owner. */
    const char *link; /* NULL: none */
    void (*on_bytes)(void *ctx, const uint8_t *p, size_t n);
    /* Plugged in or out (the device gets or loses power). */
    void (*on_power)(void *ctx, bool on);
    /* A host has opened the line; the last one has closed it. */
    void (*on_host)(void *ctx, bool open);
    /* All that waited for the host has been taken; NULL: nobody asks. */
    void (*on_room)(void *ctx);
    void *ctx;

    /* To be read by the owner. */
    bool plugged, host, holding /* not reading */;
    char node[64]; /* the host's end; "" while unplugged */
    uint64_t rx_bytes, tx_bytes;
    uint64_t out_dropped; /* bytes sent to nobody, or to a host that does not read */

    /* Its own. */
    uv_loop_t *loop;
    struct simtty_master *master; /* NULL while unplugged */
    int next;                     /* master of the next pseudo-terminal, made while unplugged */
    int notify, wd;
    uv_poll_t notify_poll;
    uv_timer_t look, replug;
    struct buf out;
};

/* Plugged in. The link, if it is there, is replaced when it is a symbolic link. */
int simtty_open(struct simtty *t, uv_loop_t *loop, struct err *e);
int simtty_plug(struct simtty *t, struct err *e);
/* Hang up and remove the link. after_ms > 0: plugged in again by itself. Another node comes then.
 */
void simtty_unplug(struct simtty *t, uint64_t after_ms);
void simtty_send(struct simtty *t, const void *p, size_t n);
/* How much more would be kept for the host now. */
size_t simtty_room(const struct simtty *t);
/* Stop or go on taking what the host writes. */
void simtty_hold(struct simtty *t, bool hold);
/* Memory must live until the loop has run its close callbacks. */
void simtty_close(struct simtty *t);

#endif
