#include "watch.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "log.h"

enum {
    WATCHED = IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF |
              IN_MOVE_SELF | IN_ONLYDIR
};

static bool concerns_us(const struct watch *w, const struct inotify_event *ev) {
    if (ev->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_Q_OVERFLOW))
        return true;
    for (size_t i = 0; i < w->wanted->n; i++)
        if (ev->len && w->place[i].wd == ev->wd && fnmatch(w->place[i].name, ev->name, 0) == 0)
            return true;
    return false;
}

static void on_poll(uv_poll_t *h, int status, int events) {
    struct watch *w = h->data;
    _Alignas(struct inotify_event) char buf[8192];
    bool changed = false;
    ssize_t n;
    (void)status;
    (void)events;
    while ((n = read(w->fd, buf, sizeof buf)) > 0)
        for (char *p = buf; p < buf + n;) {
            const struct inotify_event *ev = (const struct inotify_event *)(void *)p;
            changed |= concerns_us(w, ev);
            p += sizeof *ev + ev->len;
        }
    if (changed && w->armed)
        w->on_change(w->ctx);
}

void watch_open(struct watch *w, uv_loop_t *loop, const struct opt_list *wanted) {
    w->wanted = wanted;
    for (size_t i = 0; i < wanted->n; i++)
        w->place[i].wd = -1;
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->fd < 0) {
        log_warn("cannot watch for devices: %s (looking once a second instead)", strerror(errno));
        return;
    }
    uv_poll_init(loop, &w->poll, w->fd);
    w->poll.data = w;
    uv_poll_start(&w->poll, UV_READABLE, on_poll);
}

static bool is_watched(const struct watch *w, int wd) {
    for (size_t i = 0; i < w->wanted->n; i++)
        if (w->place[i].wd == wd)
            return true;
    return false;
}

static void set_place(struct watch *w, size_t i, int wd) {
    int old = w->place[i].wd;
    w->place[i].wd = wd;
    if (old >= 0 && !is_watched(w, old))
        inotify_rm_watch(w->fd, old);
}

void watch_arm(struct watch *w) {
    char dir[FIND_PATH];
    if (w->fd < 0)
        return;
    for (size_t i = 0; i < w->wanted->n; i++) {
        find_place(w->wanted->item[i], dir, w->place[i].name);
        set_place(w, i, inotify_add_watch(w->fd, dir, WATCHED));
    }
    w->armed = true;
}

void watch_disarm(struct watch *w) {
    for (size_t i = 0; w->fd >= 0 && i < w->wanted->n; i++)
        set_place(w, i, -1);
    w->armed = false;
}

void watch_close(struct watch *w) {
    if (w->fd < 0)
        return;
    uv_close((uv_handle_t *)&w->poll, NULL);
    close(w->fd);
    w->fd = -1;
}
