/* scan: what lies in the directory: pictures of ours, and temporary files that a killed imgwrite
 * left. Blocks: for worker threads. */
#ifndef IMGWRITE_SCAN_H
#define IMGWRITE_SCAN_H

#include <stdatomic.h>

#include "index.h"
#include "save.h"

struct scan {
    const struct save_place *place;
    atomic_bool cancel;
    struct index found;
    uint64_t leftovers; /* removed */
    uint64_t foreign;   /* files whose names the pattern does not make */
    int error;          /* errno; what could be read is in found all the same */
};

void scan_run(struct scan *s);

/* Remove files (names, relative to the directory) and the directories that this leaves empty.
 * errno of the first that could not be removed; *removed counts. One that is not there is fine. */
int scan_remove(const struct save_place *place, char (*names)[NAME_BYTES], size_t n,
                uint64_t *removed);

#endif
