#include "store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

enum { RESCAN_MS = 3600 * 1000 };

static void update(struct store *s) {
    s->pictures = s->index.n;
    s->bytes = s->index.bytes;
}

/* ---- limits ---- */

static void enforce(struct store *s);

static void remove_names(uv_work_t *w) {
    struct store *s = w->data;
    s->remove_error = scan_remove(s->place, s->name, s->names, &s->just_removed);
}

static void removed(uv_work_t *w, int status) {
    static struct log_limit failing;
    struct store *s = w->data;
    struct err e;
    (void)status;
    s->removing = false;
    s->removed += s->just_removed;
    if (s->remove_error) {
        s->remove_errors++;
        save_error(s->place->dir, s->remove_error, &e);
        log_limited(&failing, LOG_ERROR, "pictures beyond --keep stay: %s", e.text);
    }
    enforce(s);
    if (store_idle(s))
        s->on_idle(s->ctx);
}

static bool exceeded(const struct store *s, uint64_t now_us) {
    const struct index *ix = &s->index;
    return ix->n && keep_exceeded(&s->keep, ix->n, ix->bytes, index_at(ix, 0)->time_us, now_us);
}

/* Oldest first, a few at a time. A scan must not be told of files that are on their way out. */
static void enforce(struct store *s) {
    uint64_t now_us = clock_wall_ns() / 1000;
    if (s->removing || s->scanning || !s->scanned || !keep_any(&s->keep))
        return;
    for (s->names = 0; s->names < STORE_REMOVE && exceeded(s, now_us);) {
        s->removed_bytes += index_at(&s->index, 0)->bytes;
        s->names += index_name(&s->index, 0, s->name[s->names]);
        index_drop_oldest(&s->index);
    }
    update(s);
    if (!s->names)
        return;
    s->removing = true;
    s->just_removed = 0;
    s->remove_work.data = s;
    uv_queue_work(&s->st->loop, &s->remove_work, remove_names, removed);
}

/* ---- scans ---- */

static void scan(uv_work_t *w) {
    struct store *s = w->data;
    scan_run(&s->scan);
}

static void say_found(const struct store *s) {
    if (s->scan.leftovers)
        log_info("%llu unfinished files of an earlier run removed",
                 (unsigned long long)s->scan.leftovers);
    if (!s->scanned)
        log_info("%zu pictures, %llu bytes in %s", s->index.n, (unsigned long long)s->index.bytes,
                 s->place->dir);
}

static void scanned(uv_work_t *w, int status) {
    struct store *s = w->data;
    struct err e;
    (void)status;
    s->scanning = false;
    s->leftovers += s->scan.leftovers;
    if (atomic_load(&s->scan.cancel)) {
        index_free(&s->scan.found);
        s->on_idle(s->ctx);
        return;
    }
    index_replace(&s->index, &s->scan.found);
    update(s);
    if (s->scan.error && save_error(s->place->dir, s->scan.error, &e) < 0) {
        log_error("%s", e.text);
        stage_cause(s->st, e.cause, e.text);
    } else {
        say_found(s);
    }
    s->scanned = true;
    store_list_waiting(s, NULL);
    if (s->again)
        store_scan(s);
    enforce(s);
    if (store_idle(s))
        s->on_idle(s->ctx);
}

void store_scan(struct store *s) {
    s->again = s->scanning;
    if (s->scanning)
        return;
    s->scanning = true;
    s->scan_at_ms = uv_now(&s->st->loop) + RESCAN_MS;
    s->scan.place = s->place;
    s->scan_work.data = s;
    index_mark(&s->index);
    uv_queue_work(&s->st->loop, &s->scan_work, scan, scanned);
}

/* ---- the rest ---- */

void store_open(struct store *s) {
    s->index.pattern = &s->place->pattern;
    s->name = mem_alloc(STORE_REMOVE * sizeof *s->name);
    stage_counter(s->st, "pictures", &s->pictures);
    stage_counter(s->st, "pictures_bytes", &s->bytes);
    stage_counter(s->st, "removed", &s->removed);
    stage_counter(s->st, "removed_bytes", &s->removed_bytes);
    stage_counter(s->st, "remove_errors", &s->remove_errors);
    stage_counter(s->st, "leftovers_removed", &s->leftovers);
    store_scan(s);
}

void store_saved(struct store *s, const char *name, const struct name_facts *f, uint64_t bytes) {
    index_add(&s->index, name, f->mac, f->time_us, bytes);
    update(s);
    enforce(s);
}

void store_tick(struct store *s) {
    if (uv_now(&s->st->loop) >= s->scan_at_ms)
        store_scan(s);
    enforce(s);
}

bool store_idle(const struct store *s) {
    return !s->scanning && !s->removing;
}

void store_cancel(struct store *s) {
    atomic_store(&s->scan.cancel, true);
}

void store_free(struct store *s) {
    store_list_waiting(s, "imgwrite is being stopped");
    index_free(&s->index);
    index_free(&s->scan.found);
    free(s->name);
}
