#include <sched.h>

#include "human.h"
#include "play.h"

enum { PRECISE_US = 2000 };

static bool refused;

/* The lowest of the real-time priorities. NNG's threads are to inherit it: we wait for locks that
 * they hold, and they for their turn (99 % at most 160 ms late instead of 1 on a busy machine). */
void play_pace_prefer(void) {
    struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_RR)};
    refused = sched_setscheduler(0, SCHED_RR, &lowest) < 0;
}

void play_pace_put(const struct hist *late, struct buf *b) {
    char p99[32], max[32];
    buf_printf(b, ", 99%% at most %s late, the latest %s",
               human_us(p99, sizeof p99, hist_quantile(late, 0.99)),
               human_us(max, sizeof max, late->max_us));
    if (refused && late->max_us > PRECISE_US)
        buf_puts(b, " (other programs went first; ulimit -r 1 permits us a real-time priority)");
}
