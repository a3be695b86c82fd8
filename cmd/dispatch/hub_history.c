#include "hub_history.h"

#include <stdio.h>
#include <string.h>

uint32_t hub_history_begin(struct hub_history *h, uint16_t camera, const char *name,
                           const char *addr, uint64_t now_ns) {
    for (size_t i = 0; i < HUB_OPEN; i++) {
        struct hub_session *s = &h->open[i];
        if (s->number)
            continue;
        *s = (struct hub_session){.camera = camera, .began_ns = now_ns};
        snprintf(s->name, sizeof s->name, "%s", name);
        snprintf(s->addr, sizeof s->addr, "%s", addr);
        if (++h->number == HUB_SESSION_NONE)
            h->number++;
        return s->number = h->number;
    }
    return HUB_SESSION_NONE;
}

void hub_history_add(struct hub_history *h, const struct hub_session *s) {
    if (h->ended_n == HUB_ENDED)
        memmove(h->ended, h->ended + 1, --h->ended_n * sizeof *h->ended);
    h->ended[h->ended_n++] = *s;
}

static void end(struct hub_history *h, struct hub_session *s, uint64_t now_ns) {
    s->ended_ns = now_ns > s->began_ns ? now_ns : s->began_ns;
    hub_history_add(h, s);
    s->number = HUB_SESSION_NONE;
}

void hub_history_end(struct hub_history *h, uint32_t number, uint64_t now_ns) {
    for (size_t i = 0; i < HUB_OPEN && number; i++)
        if (h->open[i].number == number)
            end(h, &h->open[i], now_ns);
}

void hub_history_end_all(struct hub_history *h, uint64_t now_ns) {
    for (size_t i = 0; i < HUB_OPEN; i++)
        if (h->open[i].number)
            end(h, &h->open[i], now_ns);
}

uint64_t hub_history_since(const struct hub_history *h, int camera) {
    uint64_t since = 0;
    for (size_t i = 0; i < HUB_OPEN; i++) {
        const struct hub_session *s = &h->open[i];
        if (s->number && (camera < 0 || s->camera == camera) && (since == 0 || s->began_ns < since))
            since = s->began_ns;
    }
    return since;
}

static void terminate(struct hub_session *s) {
    s->name[HUB_NAME - 1] = s->addr[HUB_ADDR - 1] = 0;
}

void hub_history_check(struct hub_history *h) {
    if (h->ended_n > HUB_ENDED)
        memset(h, 0, sizeof *h);
    for (size_t i = 0; i < HUB_ENDED; i++)
        terminate(&h->ended[i]);
    for (size_t i = 0; i < HUB_OPEN; i++)
        terminate(&h->open[i]);
}
