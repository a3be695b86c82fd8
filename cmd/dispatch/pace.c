#include "pace.h"

#include <stddef.h>

static bool is_wanted(const struct pace *p) {
    return !p->wanted || p->wanted();
}

static void on_timer(uv_timer_t *t) {
    struct pace *p = t->data;
    p->changed = false;
    if (!is_wanted(p))
        return;
    p->told_ms = uv_now(t->loop);
    p->tell();
    uv_timer_start(t, on_timer, p->heartbeat_ms, 0);
}

void pace_changed(struct pace *p) {
    uint64_t now = uv_now(p->timer.loop), next = p->told_ms + p->apart_ms;
    if (p->changed || !is_wanted(p))
        return;
    p->changed = true;
    uv_timer_start(&p->timer, on_timer, next > now + p->change_ms ? next - now : p->change_ms, 0);
}

void pace_open(struct pace *p, uv_loop_t *loop) {
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
}

void pace_close(struct pace *p) {
    uv_close((uv_handle_t *)&p->timer, NULL);
}
