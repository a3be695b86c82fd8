/* sink: log lines out of the process, without ever waiting for whoever reads them.
 *
 * What a terminal or pipe does not take at once waits in a bounded queue; what does not fit is
 * thrown away and counted in the next line that fits.
 */
#ifndef SUPERVISOR_SINK_H
#define SUPERVISOR_SINK_H

#include <stdint.h>
#include <uv.h>

#include "buf.h"

enum { SINK_QUEUE = 1 << 20 };

struct sink {
    int fd; /* -1 = none */
    struct buf queue;
    uint64_t lost;
    uv_timer_t retry;
};

void sink_open(struct sink *s, uv_loop_t *loop, int fd);
/* n bytes, a whole line with its line break. */
void sink_write(struct sink *s, const char *line, size_t n);
/* Write what is queued, waiting at most timeout_ms. */
void sink_close(struct sink *s, int timeout_ms);
void sink_free(struct sink *s);

#endif
