#include "pick.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc.h"

static const char *wanted;

const struct opt pick_options[] = {
    {"pipeline", 'p', OPT_TEXT, &wanted, "NAME", "this one, where several are running", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

void pick_name(const char *name) {
    wanted = name;
}

static int by_name(const void *a, const void *b) {
    const struct running *x = a, *y = b;
    return strcmp(x->info.name, y->info.name);
}

static bool add(struct running *out, size_t *n, size_t max, const char *dir) {
    if (*n == max || strlen(dir) >= RUNDIR_MAX || !runlock_held(dir, &out[*n].info))
        return false;
    for (size_t i = 0; i < *n; i++)
        if (strcmp(out[i].dir, dir) == 0)
            return false;
    snprintf(out[(*n)++].dir, RUNDIR_MAX, "%s", dir);
    return true;
}

static const char *given_dir(void) {
    const char *dir = getenv("TAPLINE_RUN");
    return dir && *dir ? dir : NULL;
}

static void add_below(struct running *out, size_t *n, size_t max, const char *base) {
    char path[RUNDIR_MAX + 256];
    DIR *d = opendir(base);
    for (struct dirent *f; d && (f = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s", base, f->d_name);
        if (f->d_name[0] != '.')
            add(out, n, max, path);
    }
    if (d)
        closedir(d);
}

bool pick_closed(const char *name, char *out, size_t size) {
    char path[RUNDIR_MAX + 256];
    bool found = false;
    DIR *d = opendir(rundir_system());
    for (struct dirent *f; d && !found && (f = readdir(d));) {
        snprintf(path, sizeof path, "%s/%.200s/lock", rundir_system(), f->d_name);
        found = f->d_name[0] != '.' && (!name || strcmp(name, f->d_name) == 0) &&
                access(path, R_OK) < 0 && errno == EACCES;
        if (found)
            snprintf(out, size, "%s", f->d_name);
    }
    if (d)
        closedir(d);
    return found;
}

size_t pick_all(struct running *out, size_t max) {
    size_t n = 0;
    if (given_dir())
        add(out, &n, max, given_dir());
    add_below(out, &n, max, rundir_base());
    if (strcmp(rundir_base(), rundir_system()) != 0)
        add_below(out, &n, max, rundir_system());
    qsort(out, n, sizeof *out, by_name);
    return n;
}

static void name_them(const struct running *all, size_t n, char *text, size_t size) {
    text[0] = 0;
    for (size_t i = 0; i < n && strlen(text) + 70 < size; i++)
        snprintf(text + strlen(text), size - strlen(text), "%s%s", i ? ", " : "", all[i].info.name);
}

static const struct running *find(const struct running *all, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++) {
        const char *base = strrchr(all[i].dir, '/');
        if (strcmp(all[i].info.name, name) == 0 || (base && strcmp(base + 1, name) == 0))
            return &all[i];
    }
    return NULL;
}

static const struct running *choose(const struct running *all, size_t n, const char *name,
                                    struct err *e) {
    char names[200];
    name_them(all, n, names, sizeof names);
    const struct running *r = name ? find(all, n, name) : n == 1 ? &all[0] : NULL;
    char closed[64];
    if (!r && (name || n == 0) && pick_closed(name, closed, sizeof closed))
        err_set(e, CAUSE_PERMISSION, PICK_CLOSED, closed, closed);
    else if (!r && n == 0)
        err_set(e, CAUSE_ABSENT,
                "no pipeline is running (start one: tapline up pipelines/demo.conf)");
    else if (!r && name)
        err_set(e, CAUSE_ABSENT, "no pipeline %s is running (there are: %s)", name, names);
    else if (!r)
        err_set(e, CAUSE_USAGE, "several pipelines are running: %s (choose one: -p NAME)", names);
    return r;
}

/* $TAPLINE_RUN says which, unless a name does. */
static size_t candidates(struct running *all, const char *name) {
    size_t n = 0;
    if (name || !given_dir())
        return pick_all(all, PICK_MAX);
    add(all, &n, PICK_MAX, given_dir());
    return n;
}

int pick_pipeline(const char *name, struct running *out, struct err *e) {
    struct running *all = mem_alloc(PICK_MAX * sizeof *all);
    if (!name)
        name = wanted;
    const struct running *r = choose(all, candidates(all, name), name, e);
    if (r) {
        *out = *r;
        setenv("TAPLINE_RUN", r->dir, 1);
    }
    free(all);
    return r ? 0 : -1;
}

void pick_quietly(void) {
    struct running r;
    struct err e;
    if (wanted || !given_dir())
        pick_pipeline(NULL, &r, &e);
}

int pick_fail(const struct err *e) {
    fprintf(stderr, "tapline: %s\n", e->text);
    return e->cause == CAUSE_USAGE ? 2 : 1;
}

int pick_ask(const struct buf *request, struct buf *reply) {
    struct err e;
    if (rpc_ask("supervisor", request, PICK_TIMEOUT_MS, reply, &e) == 0)
        return 0;
    pick_fail(&e);
    return -1;
}
