#include "later.h"

#include <stdlib.h>

#include "buf.h"

struct later {
    uv_timer_t handle;
    int rounds;
    void (*release)(void *p);
    void *p;
};

static void close_once(uv_loop_t *loop, struct later *l);

static void closed(uv_handle_t *h) {
    struct later *l = h->data;
    if (--l->rounds > 0) {
        close_once(h->loop, l);
        return;
    }
    l->release(l->p);
    free(l);
}

static void close_once(uv_loop_t *loop, struct later *l) {
    uv_timer_init(loop, &l->handle);
    l->handle.data = l;
    uv_close((uv_handle_t *)&l->handle, closed);
}

/* libuv does not say in which order it calls those of one turn, so the second round counts. */
void later(uv_loop_t *loop, void (*release)(void *p), void *p) {
    struct later *l = mem_alloc(sizeof *l);
    l->rounds = 2;
    l->release = release;
    l->p = p;
    close_once(loop, l);
}
