#include "mp_walk.h"

void mp_walk_start(struct mp_walk *w) {
    *w = (struct mp_walk){.left = {1}};
}

/* One head, with the bytes of a string or binary. */
static int step(struct mp_walk *w, const uint8_t *p, size_t n) {
    struct mp_cursor c = {p + w->at, p + n};
    struct mp_value v;
    int r = mp_read(&c, &v);
    if (r != 1)
        return r;
    w->at = (size_t)(c.at - p);
    w->left[w->depth]--;
    if (v.type != MP_ARRAY && v.type != MP_MAP)
        return 1;
    if (w->depth == MP_DEPTH_MAX)
        return -1;
    w->left[++w->depth] = v.type == MP_MAP ? 2 * (uint64_t)v.len : v.len;
    return 1;
}

int mp_walk_on(struct mp_walk *w, const uint8_t *p, size_t n) {
    for (;;) {
        while (w->depth && !w->left[w->depth])
            w->depth--;
        if (!w->left[w->depth])
            return 1;
        int r = step(w, p, n);
        if (r != 1)
            return r;
    }
}
