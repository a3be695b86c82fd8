/* index: the pictures that are there, oldest first, in memory.
 *
 * 32 bytes a picture: a name that the pattern makes out of camera and time is not kept.
 */
#ifndef IMGWRITE_INDEX_H
#define IMGWRITE_INDEX_H

#include "name.h"

struct index_entry {
    uint64_t time_us;
    uint64_t mac : 48;
    uint64_t fresh : 1; /* added since the last index_mark */
    uint64_t bytes;
    char *name; /* owned; NULL = as the pattern says */
};

struct index {
    const struct name_pattern *pattern;
    struct index_entry *at; /* at[first .. first + n - 1] */
    size_t first, n, cap;
    uint64_t bytes; /* of all */
};

static inline const struct index_entry *index_at(const struct index *ix, size_t i) {
    return &ix->at[ix->first + i];
}

void index_add(struct index *ix, const char *name, uint64_t mac, uint64_t time_us, uint64_t bytes);
/* For a caller that adds in any order and sorts when it is done. */
void index_append(struct index *ix, const char *name, uint64_t mac, uint64_t time_us,
                  uint64_t bytes);
void index_sort(struct index *ix);

/* The name of entry i, written to out; false when it does not fit. */
bool index_name(const struct index *ix, size_t i, char out[NAME_BYTES]);
/* Forget the oldest. */
void index_drop_oldest(struct index *ix);
/* How many entries are older than time_us. */
size_t index_older(const struct index *ix, uint64_t time_us);

/* What is added from now on is newer than a scan that begins now ... */
void index_mark(struct index *ix);
/* ... whose result replaces all the rest. found is sorted, and empty afterwards. */
void index_replace(struct index *ix, struct index *found);

void index_free(struct index *ix);

#endif
