#include "crowd.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "rundir.h"
#include "statefile.h"
#include "tries.h"

/* A quarter: four addresses are needed to take everything, and a thousand clients behind one
 * address still fit into the usual 4096 places. AT_A_TIME: places read from the file in one go. */
enum { SHARE = 4, AT_A_TIME = 16 };
static const uint64_t MAGIC = 0x0064776f72637401;

static size_t home(const struct crowd_head *h, uint64_t who) {
    return (who * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (h->places - 1);
}

static bool is_counted(const struct crowd_head *h, uint64_t who) {
    return !h->here || !tries_who_is_here(who);
}

static enum crowd_room room(const struct crowd_head *h, uint64_t who, uint64_t has) {
    if (h->n >= h->most)
        return CROWD_FULL;
    return is_counted(h, who) && has >= h->each ? CROWD_TOO_MANY : CROWD_ROOM;
}

/* ---- life ---- */

void crowd_open(struct crowd *c, const char *name, uint32_t most, uint32_t each) {
    struct crowd_head h = {.magic = MAGIC, .places = 2, .most = most, .here = each == 0};
    while (h.places < 2 * (uint64_t)most)
        h.places *= 2;
    h.each = each ? each : most < SHARE ? 1 : most / SHARE;
    c->shared = name != NULL;
    c->size = sizeof h + h.places * sizeof *c->place;
    c->head = name ? statefile_open(name, c->size) : mem_alloc(c->size);
    c->place = (struct crowd_place *)(void *)(c->head + 1);
    /* What another process left has gone with its connections. */
    memset(c->head, 0, c->size);
    *c->head = c->own = h;
}

void crowd_close(struct crowd *c) {
    if (!c->head)
        return;
    if (c->shared)
        statefile_close(c->head, c->size);
    else
        free(c->head);
    *c = (struct crowd){.size = 0};
}

/* ---- counting ---- */

/* Its place, or the free one where it would be. There are more places than connections; were they
 * all taken, somebody else has written them. */
static size_t find(const struct crowd *c, uint64_t who) {
    size_t mask = c->own.places - 1, i = home(&c->own, who);
    for (size_t n = 0; n < mask && c->place[i].who && c->place[i].who != who; n++)
        i = (i + 1) & mask;
    return i;
}

uint64_t crowd_of(const struct crowd *c, uint64_t who) {
    const struct crowd_place *p = &c->place[find(c, who)];
    return p->who == who ? p->n : 0;
}

uint32_t crowd_each(const struct crowd *c) {
    return c->own.each;
}

static void count(struct crowd *c, uint32_t n) {
    c->own.n = c->head->n = n;
}

enum crowd_room crowd_enter(struct crowd *c, uint64_t who) {
    struct crowd_place *p = &c->place[find(c, who)];
    enum crowd_room r = room(&c->own, who, p->who == who ? p->n : 0);
    if (r != CROWD_ROOM)
        return r;
    count(c, c->own.n + 1);
    if (is_counted(&c->own, who))
        *p = (struct crowd_place){who, p->who == who ? p->n + 1 : 1};
    return r;
}

/* Whoever was pushed on past the hole by an occupied place moves back, so that it is found. */
static void remove_at(struct crowd *c, size_t hole) {
    size_t mask = c->own.places - 1, i = (hole + 1) & mask;
    for (size_t n = 0; n < mask && c->place[i].who; n++, i = (i + 1) & mask) {
        if (((i - home(&c->own, c->place[i].who)) & mask) < ((i - hole) & mask))
            continue;
        c->place[hole] = c->place[i];
        hole = i;
    }
    c->place[hole] = (struct crowd_place){.who = 0};
}

void crowd_leave(struct crowd *c, uint64_t who) {
    count(c, c->own.n - 1);
    size_t i = find(c, who);
    if (c->place[i].who == who && c->place[i].n && --c->place[i].n == 0)
        remove_at(c, i);
}

/* ---- looking from another process ---- */

/* Read, not mapped: its owner may make it shorter at any time. Places that move meanwhile make the
 * answer an old one, no worse. */
static uint64_t has_in(int fd, const struct crowd_head *h, uint64_t who) {
    struct crowd_place p[AT_A_TIME];
    size_t n;
    for (size_t seen = 0; seen < h->places; seen += n) {
        size_t at = (home(h, who) + seen) & (h->places - 1);
        n = h->places - at < AT_A_TIME ? h->places - at : AT_A_TIME;
        off_t where = (off_t)(sizeof *h + at * sizeof *p);
        if (pread(fd, p, n * sizeof *p, where) != (ssize_t)(n * sizeof *p))
            return 0;
        for (size_t i = 0; i < n; i++)
            if (p[i].who == who || !p[i].who)
                return p[i].n;
    }
    return 0;
}

static enum crowd_room look(int fd, uint64_t who) {
    struct crowd_head h;
    if (pread(fd, &h, sizeof h, 0) != sizeof h || h.magic != MAGIC || h.places < 2 ||
        (h.places & (h.places - 1)))
        return CROWD_ROOM;
    return room(&h, who, is_counted(&h, who) ? has_in(fd, &h, who) : 0);
}

enum crowd_room crowd_look(const char *name, uint64_t who) {
    char path[PATH_MAX];
    struct err e;
    if (rundir_file(path, sizeof path, name, "state", &e) < 0)
        return CROWD_ROOM;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return CROWD_ROOM;
    enum crowd_room r = look(fd, who);
    close(fd);
    return r;
}
