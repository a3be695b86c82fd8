/* hub: what is behind `devsim hub`, and what its two halves have in common.
 */
#ifndef DEVSIM_HUB_H
#define DEVSIM_HUB_H

#include "hist.h"
#include "stage.h"

/* As mains of their own; argv[0] is the word. */
int hub_cameras_main(int argc, char **argv);
int hub_engines_main(int argc, char **argv);

/* The life of either, once its options are read (status: what stage_options and its own check
 * said). */
int hub_run(struct stage *st, int status, int (*open)(struct stage *st, struct err *e),
            void (*close)(void));

/* Numbers of a report; those that stage_counters is told as well stand in one table. */
void hub_put_counters(struct buf *b, const struct stage_counter *all, size_t n);
/* key_p50_us, key_p99_us and key_max_us of a report: three pairs. */
void hub_put_hist(struct buf *b, const char *key, const struct hist *h);

#endif
