#include <stdlib.h>
#include <string.h>

#include "fanout.h"

uint64_t group_hash(const char *name, size_t n) {
    uint64_t h = 1469598103934665603u; /* FNV-1a */
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)name[i]) * 1099511628211u;
    return h;
}

static bool is_named(const struct group *g, uint64_t hash, const char *name, size_t n) {
    return g->hash == hash && strncmp(g->name, name, n) == 0 && g->name[n] == 0;
}

bool group_has(const struct client *c, uint64_t hash, const char *name, size_t n) {
    for (size_t i = 0; i < c->groups; i++)
        if (is_named(&c->group[i], hash, name, n))
            return true;
    return false;
}

bool group_join(struct client *c, const char *name, size_t n) {
    uint64_t hash = group_hash(name, n);
    if (group_has(c, hash, name, n))
        return true;
    if (c->groups == GROUPS || n == 0 || n > GROUP_NAME_MAX || memchr(name, 0, n))
        return false;
    struct group *g = &c->group[c->groups++];
    g->hash = hash;
    g->name = mem_alloc(n + 1);
    memcpy(g->name, name, n);
    return true;
}

void group_leave(struct client *c, const char *name, size_t n) {
    uint64_t hash = group_hash(name, n);
    for (size_t i = 0; i < c->groups; i++) {
        if (!is_named(&c->group[i], hash, name, n))
            continue;
        free(c->group[i].name);
        c->group[i] = c->group[--c->groups];
        return;
    }
}

void group_clear(struct client *c) {
    while (c->groups)
        free(c->group[--c->groups].name);
}
