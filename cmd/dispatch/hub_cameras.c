#include "hub_cameras.h"

#include <stdio.h>
#include <string.h>

/* Lower case and no dashes: httpd's keys of pictures are told apart by nothing else. */
static char plain(char c) {
    if (c >= 'A' && c <= 'Z')
        return (char)(c | 0x20);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ? c : '_';
}

struct hub_camera *hub_cameras_find(struct hub_cameras *t, const char *id) {
    for (size_t i = 0; i < HUB_CAMERAS && *id; i++)
        if (strcmp(t->camera[i].id, id) == 0)
            return &t->camera[i];
    return NULL;
}

/* The name as it may stand in a URL; the second one of the same name gets "_2". A name of dots
 * would be a directory there. */
static void choose_id(struct hub_cameras *t, const char *name, char id[HUB_ID]) {
    enum { ROOM = HUB_ID - 8 };
    char base[ROOM];
    size_t n = 0;
    for (; name[n] && n + 1 < ROOM; n++)
        base[n] = plain(name[n]);
    base[n] = 0;
    if (n == 0 || strspn(base, ".") == n)
        snprintf(base, sizeof base, "camera");
    snprintf(id, HUB_ID, "%s", base);
    for (unsigned i = 2; hub_cameras_find(t, id); i++)
        snprintf(id, HUB_ID, "%s_%u", base, i);
}

struct hub_camera *hub_cameras_known(struct hub_cameras *t, const char *name, const char *addr) {
    for (size_t i = 0; i < HUB_CAMERAS; i++) {
        struct hub_camera *c = &t->camera[i];
        if (c->id[0] && strcmp(c->addr, addr) == 0 && strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

/* A free place, or that of the one that is missed least; NULL when all are connected. */
static struct hub_camera *place(struct hub_cameras *t) {
    struct hub_camera *oldest = NULL;
    for (size_t i = 0; i < HUB_CAMERAS; i++) {
        struct hub_camera *c = &t->camera[i];
        if (!c->id[0])
            return c;
        if (c->connections == 0 && (!oldest || c->heard_ns < oldest->heard_ns))
            oldest = c;
    }
    t->evicted += oldest != NULL;
    return oldest;
}

struct hub_camera *hub_cameras_get(struct hub_cameras *t, const char *name, const char *addr,
                                   uint64_t now_ns, bool *made) {
    struct hub_camera *c = hub_cameras_known(t, name, addr);
    *made = false;
    if (!c && (c = place(t)) != NULL) {
        *made = true;
        char id[HUB_ID] = ""; /* to its end: hub_cameras_check looks there */
        memset(c, 0, sizeof *c);
        choose_id(t, name, id);
        memcpy(c->id, id, sizeof id);
        snprintf(c->name, sizeof c->name, "%s", name);
        snprintf(c->addr, sizeof c->addr, "%s", addr);
    }
    if (c)
        c->heard_ns = now_ns;
    return c;
}

struct hub_camera *hub_cameras_at(struct hub_cameras *t, const char *addr) {
    struct hub_camera *last = NULL;
    for (size_t i = 0; i < HUB_CAMERAS; i++) {
        struct hub_camera *c = &t->camera[i];
        if (c->id[0] && strcmp(c->addr, addr) == 0 && (!last || c->heard_ns > last->heard_ns))
            last = c;
    }
    return last;
}

const struct hub_camera *hub_cameras_newest_tag(const struct hub_cameras *t) {
    const struct hub_camera *newest = NULL;
    for (const struct hub_camera *c = t->camera; c < t->camera + HUB_CAMERAS; c++)
        if (c->id[0] && c->latest_len && (!newest || c->tag_ns > newest->tag_ns))
            newest = c;
    return newest;
}

const struct hub_camera *hub_cameras_newest_frame(const struct hub_cameras *t) {
    const struct hub_camera *newest = NULL;
    for (const struct hub_camera *c = t->camera; c < t->camera + HUB_CAMERAS; c++)
        if (c->id[0] && c->frame_ns && (!newest || c->frame_ns > newest->frame_ns))
            newest = c;
    return newest;
}

char *hub_cameras_latest(struct hub_cameras *t, const struct hub_camera *c) {
    return t->latest[hub_cameras_index(t, c)];
}

size_t hub_cameras_index(const struct hub_cameras *t, const struct hub_camera *c) {
    return (size_t)(c - t->camera);
}

size_t hub_cameras_count(const struct hub_cameras *t) {
    size_t n = 0;
    for (size_t i = 0; i < HUB_CAMERAS; i++)
        n += t->camera[i].id[0] != 0;
    return n;
}

double hub_camera_tag_rate(const struct hub_camera *c, double now) {
    size_t n = c->tags < HUB_RATE ? (size_t)c->tags : HUB_RATE;
    if (n < 2)
        return 0;
    double last = c->rate_at[(c->tags - 1) % HUB_RATE],
           first = c->rate_at[(c->tags - n) % HUB_RATE];
    double usual = (last - first) / (double)(n - 1);
    double until = now - last > 3 && now - last > 2 * usual ? now : last;
    return until > first ? (double)(n - 1) / (until - first) : 0;
}

void hub_cameras_check(struct hub_cameras *t) {
    for (size_t i = 0; i < HUB_CAMERAS; i++) {
        struct hub_camera *c = &t->camera[i];
        bool sound = !c->id[HUB_ID - 1] && !c->name[HUB_NAME - 1] && !c->addr[HUB_ADDR - 1] &&
                     !c->via[sizeof c->via - 1] && c->latest_len <= HUB_TAG_MAX &&
                     c->video.arrival.n <= HUB_ARRIVALS && c->video.interval.n <= HUB_FRAMES &&
                     c->video.size.n <= HUB_FRAMES && c->video.processing.n <= HUB_FRAMES;
        if (!sound)
            memset(c, 0, sizeof *c);
    }
}
