#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "camctl.h"
#include "log.h"

enum { PATH_BYTES = 4096 };

/* ---- the file ---- */

static int write_all(int fd, const struct buf *b) {
    const uint8_t *p = buf_data(b);
    for (size_t n = buf_len(b); n;) {
        ssize_t w = write(fd, p, n);
        if (w < 0 && errno != EINTR)
            return -1;
        w = w < 0 ? 0 : w;
        p += w;
        n -= (size_t)w;
    }
    return fsync(fd);
}

/* So that the new name is there after a power cut. */
static int sync_dir(const char *path) {
    char copy[PATH_BYTES];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 ? -1 : fsync(fd);
    int no = errno;
    if (fd >= 0)
        close(fd);
    errno = no;
    return r < 0 && no != EINVAL ? -1 : 0; /* some file systems cannot */
}

/* errno of the step that failed. */
static int save(const char *path, const struct buf *text, const char **step) {
    char part[PATH_BYTES];
    *step = "write";
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
        return ENAMETOOLONG;
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return errno;
    int no = write_all(fd, text) < 0 ? errno : 0;
    close(fd);
    *step = "replace";
    if (no == 0 && (rename(part, path) < 0 || sync_dir(path) < 0))
        no = errno;
    if (no)
        unlink(part);
    return no;
}

static int read_file(const char *path, struct buf *b) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t n = 0;
    if (fd < 0)
        return errno;
    while (buf_len(b) <= SETTINGS_FILE_MAX && (n = read(fd, buf_reserve(b, 4096), 4096)) > 0)
        buf_added(b, (size_t)n);
    int no = n < 0 ? errno : 0;
    close(fd);
    return no;
}

static void keep_aside(struct store *s, const char *path, const char *why) {
    char bad[PATH_BYTES];
    snprintf(bad, sizeof bad, "%s.bad", path);
    bool kept = rename(path, bad) == 0;
    snprintf(s->problem, sizeof s->problem, "%.80s: %.80s", path, why);
    log_warn("the settings in %s are not used: %s (%s %s)", path, why,
             kept ? "they are kept in" : "they could not be kept in", bad);
}

static void load(struct store *s, const char *path) {
    struct buf b = {0};
    struct err e;
    int no = read_file(path, &b);
    if (no == 0 && settings_read((const char *)buf_data(&b), buf_len(&b), &s->now, &e) == 0) {
        s->source = "file";
    } else if (no == 0) {
        keep_aside(s, path, e.text);
    } else if (no != ENOENT) {
        snprintf(s->problem, sizeof s->problem, "%.80s: %s", path, strerror(no));
        log_warn("cannot read the settings in %s: %s; the standard ones are used", path,
                 strerror(no));
    }
    buf_free(&b);
}

/* ---- changes, one after another ---- */

static void begin(struct store *s);

static void finish(struct store *s, const struct err *why) {
    struct change *x = s->first;
    s->first = x->next;
    if (!s->first)
        s->last = NULL;
    s->waiting--;
    if (x->done)
        x->done(x->ctx, why);
    free(x);
}

static void apply(struct store *s) {
    s->now = s->next;
    s->source = "client";
    s->changed_ns = clock_wall_ns();
    s->problem[0] = 0;
    bus_settings(s->c);
    video_change(s->c);
    finish(s, NULL);
}

static void refuse_rest(struct store *s) {
    while (s->first)
        finish(s, &(struct err){CAUSE_FAILED, "the server stops"});
}

/* On a thread: a card that syncs slowly must not hold up the data stream. */
static void on_work(uv_work_t *w) {
    struct store *s = w->data;
    s->error = save(s->c->cfg.settings_file, &s->text, &s->step);
}

static void on_saved(uv_work_t *w, int status) {
    struct store *s = w->data;
    struct err e;
    s->busy = false;
    if (s->closed) { /* the next process reads it */
        finish(s, NULL);
        refuse_rest(s);
        return;
    }
    if (status == 0 && s->error == 0) {
        apply(s);
    } else {
        err_errno(&e, status ? ECANCELED : s->error, "cannot %s the settings in %s", s->step,
                  s->c->cfg.settings_file);
        log_error("%s; they stay as they were", e.text);
        finish(s, &e);
    }
    begin(s);
}

static bool start_work(struct store *s) {
    buf_clear(&s->text);
    settings_text(&s->text, &s->next);
    s->work.data = s;
    s->busy = uv_queue_work(&s->c->st.loop, &s->work, on_work, on_saved) == 0;
    return s->busy;
}

static void begin(struct store *s) {
    while (s->first && !s->busy) {
        s->next = s->now;
        if (!settings_merge(&s->next, &s->first->want, s->first->mask))
            finish(s, NULL);
        else if (!s->c->cfg.settings_file || !start_work(s))
            apply(s);
    }
}

/* Not from inside store_change, whose caller does not know the change yet. */
static void on_turn(uv_timer_t *t) {
    begin(t->data);
}

struct change *store_change(struct store *s, const struct camsettings *want, unsigned mask,
                            void (*done)(void *ctx, const struct err *why), void *ctx) {
    if (s->waiting == CHANGES || s->c->stopping)
        return NULL;
    struct change *x = mem_alloc(sizeof *x);
    *x = (struct change){.want = *want, .mask = mask, .done = done, .ctx = ctx};
    *(s->last ? &s->last->next : &s->first) = x;
    s->last = x;
    s->waiting++;
    uv_timer_start(&s->turn, on_turn, 0, 0);
    return x;
}

void store_forget(struct change *c) {
    c->done = NULL;
}

/* ---- life ---- */

void store_open(struct store *s, struct camctl *c) {
    s->c = c;
    s->source = "default";
    s->changed_ns = clock_wall_ns();
    settings_standard(&s->now);
    if (c->cfg.settings_file)
        load(s, c->cfg.settings_file);
    uv_timer_init(&c->st.loop, &s->turn);
    s->turn.data = s;
}

void store_close(struct store *s) {
    uv_close((uv_handle_t *)&s->turn, NULL);
    s->closed = true;
    if (!s->busy)
        refuse_rest(s);
}

void store_free(struct store *s) {
    buf_free(&s->text);
}
