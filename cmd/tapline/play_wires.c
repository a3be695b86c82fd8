#include <string.h>

#include "play.h"
#include "sources.h"

enum { STAGES = 200, NAME = 128 };

/* The stage that publishes on an endpoint. */
static bool owner(const struct buf *status, const char *endpoint, char stage[NAME]) {
    struct sources_items s = sources_list(buf_data(status), buf_len(status), "stages");
    char name[NAME];
    while (sources_next(&s)) {
        struct sources_items o = sources_list(s.p, s.n, "outputs");
        while (sources_next(&o))
            if (sources_text(&o, name, sizeof name)) {
                name[strcspn(name, "?")] = 0;
                if (strcmp(name, endpoint) == 0)
                    return mp_get_cstr(s.p, s.n, "name", stage, NAME);
            }
    }
    return false;
}

struct reach {
    char stage[STAGES][NAME]; /* those that get something, directly or by way of others */
    size_t n;
};

static void add(struct reach *r, const char *stage) {
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->stage[i], stage) == 0)
            return;
    if (r->n < STAGES)
        strcpy(r->stage[r->n++], stage);
}

/* Named pipes carry what goes back (commands, acknowledgements), so they are no way forward. */
static void add_next(struct reach *r, const struct buf *status, const char *stage) {
    struct sources_items w = sources_list(buf_data(status), buf_len(status), "wires");
    char from[NAME], to[NAME], via[NAME];
    while (sources_next(&w))
        if (mp_get_cstr(w.p, w.n, "from", from, NAME) && mp_get_cstr(w.p, w.n, "to", to, NAME) &&
            mp_get_cstr(w.p, w.n, "via", via, NAME) && strncmp(via, "fifo:", 5) != 0 &&
            strcmp(from, stage) == 0)
            add(r, to);
}

static bool reaches(const struct buf *status, const char *from, const char *to) {
    static struct reach r;
    r.n = 0;
    add_next(&r, status, from);
    for (size_t i = 0; i < r.n; i++) {
        if (strcmp(r.stage[i], to) == 0)
            return true;
        add_next(&r, status, r.stage[i]);
    }
    return false;
}

static bool is_wanted(const struct opt_list *wanted, const char *source) {
    for (size_t i = 0; i < wanted->n; i++)
        if (strcmp(wanted->item[i], source) == 0)
            return true;
    return wanted->n == 0;
}

bool play_is_derived(const struct buf *status, const char *endpoint, const struct recording *r,
                     const struct opt_list *wanted, char *by) {
    char stage[NAME], other[NAME];
    bool earlier = true; /* of two endpoints of one stage the first is played */
    if (!owner(status, endpoint, stage))
        return false;
    for (size_t i = 0; i < r->source_count; i++) {
        const char *source = r->sources[i];
        bool self = strcmp(source, endpoint) == 0;
        earlier = earlier && !self;
        if (self || !is_wanted(wanted, source) || !owner(status, source, other))
            continue;
        if (strcmp(stage, other) == 0 ? earlier : reaches(status, other, stage)) {
            strcpy(by, source);
            return true;
        }
    }
    return false;
}
