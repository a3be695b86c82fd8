#include "index.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"

static int compare(const void *a, const void *b) {
    const struct index_entry *x = a, *y = b;
    if (x->time_us != y->time_us)
        return x->time_us < y->time_us ? -1 : 1;
    if (x->mac != y->mac)
        return x->mac < y->mac ? -1 : 1;
    if (!x->name || !y->name)
        return (x->name != NULL) - (y->name != NULL);
    return strcmp(x->name, y->name);
}

static void make_room(struct index *ix) {
    if (ix->first + ix->n < ix->cap)
        return;
    /* Half of it given up at the front is enough to move for. */
    if (ix->first > ix->n) {
        memmove(ix->at, ix->at + ix->first, ix->n * sizeof *ix->at);
        ix->first = 0;
        return;
    }
    ix->cap = ix->cap ? 2 * ix->cap : 64;
    ix->at = mem_resize(ix->at, ix->cap * sizeof *ix->at);
}

static char *own_name(const struct index *ix, const char *name, uint64_t mac, uint64_t time_us) {
    struct name_facts f = {.mac = mac, .time_us = time_us};
    char made[NAME_BYTES];
    bool same = name_make(ix->pattern, &f, made, sizeof made) > 0 && strcmp(made, name) == 0;
    return same ? NULL : mem_strdup(name);
}

void index_append(struct index *ix, const char *name, uint64_t mac, uint64_t time_us,
                  uint64_t bytes) {
    make_room(ix);
    ix->at[ix->first + ix->n++] = (struct index_entry){.time_us = time_us,
                                                       .mac = mac & 0xffffffffffffu,
                                                       .fresh = 1,
                                                       .bytes = bytes,
                                                       .name = own_name(ix, name, mac, time_us)};
    ix->bytes += bytes;
}

/* Writers finish out of order by a few pictures only. */
void index_add(struct index *ix, const char *name, uint64_t mac, uint64_t time_us, uint64_t bytes) {
    index_append(ix, name, mac, time_us, bytes);
    struct index_entry *e = ix->at + ix->first, moved;
    for (size_t i = ix->n - 1; i > 0 && compare(&e[i - 1], &e[i]) > 0; i--) {
        moved = e[i];
        e[i] = e[i - 1];
        e[i - 1] = moved;
    }
}

void index_sort(struct index *ix) {
    if (ix->n)
        qsort(ix->at + ix->first, ix->n, sizeof *ix->at, compare);
}

bool index_name(const struct index *ix, size_t i, char out[NAME_BYTES]) {
    const struct index_entry *e = index_at(ix, i);
    struct name_facts f = {.mac = e->mac, .time_us = e->time_us};
    if (!e->name)
        return name_make(ix->pattern, &f, out, NAME_BYTES) > 0;
    size_t n = strlen(e->name) + 1;
    if (n > NAME_BYTES)
        return false;
    memcpy(out, e->name, n);
    return true;
}

void index_drop_oldest(struct index *ix) {
    struct index_entry *e = &ix->at[ix->first];
    ix->bytes -= e->bytes;
    free(e->name);
    ix->first++;
    if (--ix->n == 0)
        ix->first = 0;
}

size_t index_older(const struct index *ix, uint64_t time_us) {
    size_t low = 0, high = ix->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (index_at(ix, mid)->time_us < time_us)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void index_mark(struct index *ix) {
    for (size_t i = 0; i < ix->n; i++)
        ix->at[ix->first + i].fresh = 0;
}

/* Both hold what was saved while the scan went on. */
static void drop_doubles(struct index *ix) {
    struct index_entry *e = ix->at + ix->first;
    size_t kept = 0;
    for (size_t i = 0; i < ix->n; i++) {
        if (kept && compare(&e[kept - 1], &e[i]) == 0) {
            ix->bytes -= e[i].bytes;
            free(e[i].name);
        } else {
            e[kept++] = e[i];
        }
    }
    ix->n = kept;
}

void index_replace(struct index *ix, struct index *found) {
    struct index old = *ix;
    *ix = *found;
    *found = (struct index){.pattern = ix->pattern};
    for (size_t i = 0; i < old.n; i++) {
        struct index_entry *e = &old.at[old.first + i];
        if (e->fresh) {
            make_room(ix);
            ix->at[ix->first + ix->n++] = *e;
            ix->bytes += e->bytes;
        } else {
            free(e->name);
        }
    }
    free(old.at);
    index_sort(ix);
    drop_doubles(ix);
}

void index_free(struct index *ix) {
    for (size_t i = 0; i < ix->n; i++)
        free(ix->at[ix->first + i].name);
    free(ix->at);
    *ix = (struct index){.pattern = ix->pattern};
}
