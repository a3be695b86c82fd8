/* ledger: what one stage has counted, over all its lives. The present life's numbers lie in memory
 * shared with it (tally.h); those of earlier ones are kept here.
 */
#ifndef SUPERVISOR_LEDGER_H
#define SUPERVISOR_LEDGER_H

#include <stdbool.h>

#include "err.h"
#include "tally.h"

struct ledger {
    struct tally *page; /* NULL = it is no program that counts */
    int fd;             /* -1 = none */
    bool known;         /* it has counted, in this life or an earlier one */
    uint64_t lives, deaths;
    struct tally_in in[TALLY_INPUTS]; /* earlier lives */
    struct tally_out out[TALLY_OUTPUTS];
};

int ledger_open(struct ledger *l, struct err *e);
void ledger_close(struct ledger *l);

/* A life begins, its process has ended. */
void ledger_start(struct ledger *l);
void ledger_end(struct ledger *l);

/* Whether it counts, and has an input or output of that number; the sum over all lives into out. */
bool ledger_in(struct ledger *l, int input, struct tally_in *sum);
bool ledger_out(struct ledger *l, int output, struct tally_out *sum);

#endif
