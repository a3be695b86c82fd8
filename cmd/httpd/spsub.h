/* spsub: follows a publisher of this pipeline for a while, for viewers, who come and go.
 *
 * It speaks NNG's protocol itself (SP over a Unix socket: 8 bytes from either side, then messages
 * with their length in front), because NNG 1.5.2 may hang for good when a socket is closed at the
 * moment a message arrives (its issue 1543), and then every later close in the process hangs and
 * leaves its descriptors and a thread behind. Stages that subscribe for life use lib/sub.
 *
 * A message seen before (state that is repeated) is left out; holes in the sequence are told. The
 * connection is made again whenever it ends. A viewer costs one descriptor.
 */
#ifndef HTTPD_SPSUB_H
#define HTTPD_SPSUB_H

#include <uv.h>

#include "endpoint.h"

enum {
    SPSUB_TOPICS = 128, /* whose sequences are followed; of more, neither holes nor repeats show */
    SPSUB_RETRY_MS = 200
};

struct spsub;

struct spsub_events {
    void (*on_msg)(void *ctx, const char *from, const struct msg *m);
    void (*on_gap)(void *ctx, uint64_t missing); /* may be NULL */
    void *ctx;
};

/* Follow endpoint NAME, which need not be there yet; topics that begin with prefix ("" = all). NULL
 * with the reason when that is no name or prefix. */
struct spsub *spsub_open(uv_loop_t *loop, const char *name, const char *prefix,
                         const struct spsub_events *ev, struct err *e);
/* Whether the publisher's socket is there now. */
bool spsub_is_there(const struct spsub *s);
const char *spsub_name(const struct spsub *s);
/* No callback from now on. s frees itself. */
void spsub_close(struct spsub *s);

#endif
