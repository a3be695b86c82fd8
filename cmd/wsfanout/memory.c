#include <stdio.h>

#include "fanout.h"
#include "log.h"

void memory_charge(struct fanout *f, size_t before, size_t after) {
    f->memory += (uint64_t)after - (uint64_t)before;
}

/* ---- above the bound ---- */

static void look_at(struct client *c, struct client **most, size_t *share) {
    size_t n = c->held + out_share(c);
    if (n <= *share)
        return;
    *share = n;
    *most = c;
}

/* NULL when nobody holds anything. */
static struct client *largest(const struct fanout *f, size_t *share) {
    struct client *most = NULL;
    *share = 0;
    for (size_t i = 0; i < f->open_count; i++)
        look_at(f->open[i], &most, share);
    for (size_t i = 0; i < f->leaving_count; i++)
        look_at(f->leaving[i], &most, share);
    return most;
}

/* One that takes nothing of its queue would not see a close frame behind it. */
static void cut(struct client *c, size_t share) {
    static struct log_limit limit;
    struct fanout *f = c->f;
    char reason[96];
    if (c->state == CLIENT_LEAVING) {
        client_finish(c);
        return;
    }
    f->n.cut_memory++;
    snprintf(reason, sizeof reason, "too much memory: %zu of %llu bytes", share,
             (unsigned long long)f->memory);
    log_limited(&limit, LOG_WARN, "client %llu (%s) closed: %s (--memory %lld)",
                (unsigned long long)c->id, c->peer, reason, (long long)f->opt.memory);
    if (c->held * 2 >= share)
        receive_refuse(c, WSFRAME_TRY_LATER, reason);
    else
        client_drop(c, reason, CAUSE_LIMIT);
}

void memory_check(struct fanout *f) {
    struct client *c;
    size_t share;
    while (f->memory > (uint64_t)f->opt.memory && (c = largest(f, &share)) != NULL)
        cut(c, share);
}
