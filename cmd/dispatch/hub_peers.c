#include "hub_peers.h"

#include <string.h>

#include "allowance.h"

/* Open addressing. Numbers count up, so they spread by themselves. */
static size_t home(uint64_t id) {
    return id & (HUB_SLOTS - 1);
}

static size_t next(size_t i) {
    return (i + 1) & (HUB_SLOTS - 1);
}

void hub_peer_addr(const char *peer, char out[HUB_ADDR]) {
    const char *colon = strrchr(peer, ':');
    size_t n = colon ? (size_t)(colon - peer) : strlen(peer);
    if (n > 2 && peer[0] == '[' && peer[n - 1] == ']') {
        peer++;
        n -= 2;
    }
    if (n >= HUB_ADDR)
        n = HUB_ADDR - 1;
    memcpy(out, peer, n);
    out[n] = 0;
}

struct hub_peer *hub_peers_find(struct hub_peers *t, uint64_t id) {
    for (size_t i = home(id); id && t->slot[i].id; i = next(i))
        if (t->slot[i].id == id)
            return &t->slot[i];
    return NULL;
}

struct hub_peer *hub_peers_add(struct hub_peers *t, uint64_t id, const char *peer) {
    struct hub_peer *p = hub_peers_find(t, id);
    if (p || id == 0 || t->n == HUB_PEERS)
        return p;
    size_t i = home(id);
    while (t->slot[i].id)
        i = next(i);
    t->n++;
    t->slot[i] = (struct hub_peer){.id = id};
    hub_peer_addr(peer, t->slot[i].addr);
    return &t->slot[i];
}

/* Whoever was pushed on past the hole by an occupied slot moves back, so that it is still found. */
void hub_peers_remove(struct hub_peers *t, struct hub_peer *p) {
    size_t hole = (size_t)(p - t->slot);
    t->n--;
    if (p->accepted)
        t->accepted[p->kind]--;
    for (size_t i = next(hole); t->slot[i].id; i = next(i)) {
        size_t from = (i - home(t->slot[i].id)) & (HUB_SLOTS - 1);
        if (from < ((i - hole) & (HUB_SLOTS - 1)))
            continue;
        t->slot[hole] = t->slot[i];
        hole = i;
    }
    t->slot[hole].id = 0;
}

void hub_peers_accept(struct hub_peers *t, struct hub_peer *p, enum hub_kind kind) {
    if (p->accepted)
        t->accepted[p->kind]--;
    p->kind = kind;
    p->accepted = true;
    t->accepted[kind]++;
}

enum hub_hearing hub_peer_asks(struct hub_peer *p, uint64_t now_ns) {
    bool page = p->kind == HUB_PAGE;
    struct allowance a = allowance_a_second(page ? HUB_HELLOS_S : HUB_ASKS_S);
    a.at_once = page ? HUB_HELLOS : HUB_ASKS;
    if (!allowance_take(a, &p->asks_ns, now_ns))
        return ++p->unheard < HUB_UNHEARD ? HUB_IGNORED : HUB_TOO_MUCH;
    p->unheard -= p->unheard > 0;
    return HUB_HEARD;
}

static bool is_sound(const struct hub_peer *p) {
    return p->kind < HUB_KINDS && !p->addr[HUB_ADDR - 1];
}

void hub_peers_check(struct hub_peers *t) {
    size_t n = 0;
    bool sound = true;
    memset(t->accepted, 0, sizeof t->accepted);
    for (const struct hub_peer *p = t->slot; p < t->slot + HUB_SLOTS; p++) {
        sound = sound && is_sound(p);
        if (!p->id || !sound)
            continue;
        n++;
        if (p->accepted)
            t->accepted[p->kind]++;
    }
    if (!sound || n > HUB_PEERS)
        memset(t, 0, sizeof *t);
    else
        t->n = n;
}
