#include "panel_media.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "buf.h"
#include "log.h"

/* SETTLE: files are copied in groups; RETRY: a directory that is missing cannot be watched. */
enum { SETTLE_MS = 150, RETRY_MS = 2000, NAMES_LOGGED = 10 };

static const char *const extension[PANEL_KINDS_OF_FILE] = {"jpg", "mp3"};

static enum panel_file check_file(const char *dir, unsigned id, int kind) {
    char path[1024];
    struct stat st;
    snprintf(path, sizeof path, "%s/%03u.%s", dir, id, extension[kind]);
    if (stat(path, &st) < 0)
        return PANEL_FILE_ABSENT;
    return S_ISREG(st.st_mode) && st.st_size == 0 ? PANEL_FILE_EMPTY : PANEL_FILE_THERE;
}

static bool check_all(struct panel_media *m) {
    bool changed = false;
    m->missing = m->complete = 0;
    for (unsigned id = 1; id <= m->buttons; id++) {
        unsigned bad = 0;
        for (int kind = 0; kind < PANEL_KINDS_OF_FILE; kind++) {
            uint8_t *f = &m->file[(id - 1) * PANEL_KINDS_OF_FILE + (unsigned)kind];
            uint8_t now = (uint8_t)check_file(m->dir, id, kind);
            changed |= now != *f;
            *f = now;
            bad += now != PANEL_FILE_THERE;
        }
        m->missing += bad;
        m->complete += bad == 0;
    }
    return changed;
}

static void say(const struct panel_media *m) {
    char name[PANEL_FILE_NAME];
    char full[PATH_MAX];
    log_info("media: %u of %u complete in %s%s", m->complete, m->buttons,
             realpath(m->dir, full) ? full : m->dir,
             m->complete ? "" : " (--media, in the pipeline MEDIA=, names the directory)");
    for (unsigned i = 0; i < m->missing && i < NAMES_LOGGED; i++)
        if (panel_media_name(m, i, name))
            log_warn("media missing: %s/%s", m->dir, name);
    if (m->missing > NAMES_LOGGED)
        log_warn("media missing: and %u more files", m->missing - NAMES_LOGGED);
}

static void start_watch(struct panel_media *m);

static void on_recheck(uv_timer_t *t) {
    struct panel_media *m = t->data;
    if (!m->watching)
        start_watch(m);
    if (check_all(m)) {
        say(m);
        m->on_change();
    }
}

static void on_event(uv_fs_event_t *h, const char *name, int events, int status) {
    struct panel_media *m = h->data;
    struct stat st;
    (void)name;
    (void)events;
    if (status < 0 || stat(m->dir, &st) < 0) {
        uv_fs_event_stop(&m->watch);
        m->watching = false;
        uv_timer_start(&m->recheck, on_recheck, SETTLE_MS, RETRY_MS);
    } else if (!uv_is_active((uv_handle_t *)&m->recheck)) {
        uv_timer_start(&m->recheck, on_recheck, SETTLE_MS, 0);
    }
}

static void start_watch(struct panel_media *m) {
    m->watching = uv_fs_event_start(&m->watch, on_event, m->dir, 0) == 0;
    uv_timer_start(&m->recheck, on_recheck, m->watching ? SETTLE_MS : RETRY_MS,
                   m->watching ? 0 : RETRY_MS);
}

void panel_media_open(struct panel_media *m, uv_loop_t *loop, const char *dir, unsigned buttons,
                      void (*on_change)(void)) {
    m->dir = dir;
    m->buttons = buttons;
    m->on_change = on_change;
    m->file = mem_alloc((size_t)buttons * PANEL_KINDS_OF_FILE);
    uv_fs_event_init(loop, &m->watch);
    uv_timer_init(loop, &m->recheck);
    m->watch.data = m->recheck.data = m;
    check_all(m);
    say(m);
    start_watch(m);
}

void panel_media_close(struct panel_media *m) {
    uv_close((uv_handle_t *)&m->watch, NULL);
    uv_close((uv_handle_t *)&m->recheck, NULL);
}

void panel_media_free(struct panel_media *m) {
    free(m->file);
    m->file = NULL;
}

bool panel_media_name(const struct panel_media *m, unsigned i, char name[PANEL_FILE_NAME]) {
    for (unsigned f = 0; f < m->buttons * PANEL_KINDS_OF_FILE; f++) {
        if (m->file[f] == PANEL_FILE_THERE || i-- > 0)
            continue;
        snprintf(name, PANEL_FILE_NAME, "%03u.%s%s", f / PANEL_KINDS_OF_FILE + 1,
                 extension[f % PANEL_KINDS_OF_FILE],
                 m->file[f] == PANEL_FILE_EMPTY ? " (leer)" : "");
        return true;
    }
    return false;
}

bool panel_media_absent(const struct panel_media *m, unsigned id) {
    const uint8_t *f = &m->file[(id - 1) * PANEL_KINDS_OF_FILE];
    return f[0] == PANEL_FILE_ABSENT || f[1] == PANEL_FILE_ABSENT;
}
