#include <sched.h>

#include "human.h"
#include "log.h"
#include "play.h"

/* The lowest of the real-time priorities. NNG's threads are to inherit it: we wait for locks that
 * they hold, and they for their turn (99 % at most 160 ms late instead of 1 on a busy machine). */
void play_pace_prefer(void) {
    struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_RR)};
    if (sched_setscheduler(0, SCHED_RR, &lowest) < 0)
        log_debug("no real-time priority (ulimit -r 1 would permit it)");
}

void play_pace_put(const struct hist *late, struct buf *b) {
    char p99[32], max[32];
    buf_printf(b, ", 99%% at most %s late, the latest %s",
               human_us(p99, sizeof p99, hist_quantile(late, 0.99)),
               human_us(max, sizeof max, late->max_us));
}
