#include "panel_clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

void panel_clients_free(struct panel_clients *c) {
    free(c->client);
    *c = (struct panel_clients){0};
}

static struct panel_client *find(const struct panel_clients *c, uint64_t number) {
    for (size_t i = 0; i < c->n; i++)
        if (c->client[i].number == number)
            return &c->client[i];
    return NULL;
}

void panel_clients_open(struct panel_clients *c, const struct panel_state *s, uint64_t number,
                        const char *peer) {
    if (c->n == PANEL_CLIENTS)
        return;
    if (c->n == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 16;
        c->client = mem_resize(c->client, c->cap * sizeof *c->client);
    }
    struct panel_client *k = &c->client[c->n++];
    *k = (struct panel_client){number, s->run, s->last_confirm, ""};
    const char *colon = strrchr(peer, ':');
    snprintf(k->address, sizeof k->address, "%.*s", colon ? (int)(colon - peer) : 0, peer);
}

static void remember_left(struct panel_clients *c, const struct panel_state *s,
                          const char *address) {
    if (c->left_run != s->run)
        c->left_n = 0;
    c->left_run = s->run;
    if (c->left_n < PANEL_LEFT && address[0])
        snprintf(c->left[c->left_n++], sizeof c->left[0], "%s", address);
}

void panel_clients_closed(struct panel_clients *c, const struct panel_state *s, uint64_t number) {
    struct panel_client *k = find(c, number);
    if (!k)
        return;
    if (s->current && k->joined_run < s->run)
        remember_left(c, s, k->address);
    *k = c->client[--c->n];
}

static bool had_it_before(const struct panel_clients *c, const struct panel_state *s,
                          const struct panel_client *k) {
    if (!k || c->left_run != s->run)
        return false;
    for (size_t i = 0; i < c->left_n; i++)
        if (strcmp(c->left[i], k->address) == 0)
            return true;
    return false;
}

enum panel_end panel_clients_ended(const struct panel_clients *c, const struct panel_state *s,
                                   uint64_t number, uint64_t id, uint64_t sent, uint64_t seen) {
    const struct panel_client *k = find(c, number);
    if (id != s->current)
        return PANEL_END_OTHER;
    if (sent != s->run && !had_it_before(c, s, k))
        return PANEL_END_LATE;
    if (k && k->joined_confirm > seen)
        seen = k->joined_confirm;
    return seen >= s->last_confirm ? PANEL_END_NOW : PANEL_END_LATE;
}
