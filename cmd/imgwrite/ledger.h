/* ledger: how many pictures were taken in and how many are over, in memory that outlives a
 * supervised process, so that the next one can tell what a killed one took with it. */
#ifndef IMGWRITE_LEDGER_H
#define IMGWRITE_LEDGER_H

#include <stdatomic.h>
#include <stdint.h>

struct ledger {
    uint64_t magic;
    uint64_t taken;        /* since the process began */
    _Atomic uint64_t over; /* of these: saved, failed or dropped */
};

/* Never NULL. *lost: pictures that the process before had taken in and not dealt with when it was
 * killed; of those written at that very moment some may have been saved. */
struct ledger *ledger_open(const char *stage, uint64_t *lost);
void ledger_close(struct ledger *l);

#endif
