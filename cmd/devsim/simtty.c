#include "simtty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "log.h"

enum { LOOK_MS = 250, READ_BYTES = 4096 };

/* On the heap, because its handle outlives it by one turn of the loop. */
struct simtty_master {
    uv_poll_t poll;
    int fd;
    struct simtty *tty;
};

/* ---- the pseudo-terminal ---- */

static int make_master(struct err *e) {
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0) {
        err_errno(e, errno, "cannot make a pseudo-terminal");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

/* A fresh pseudo-terminal is cooked and echoes: what we send before the host has set it up would
 * come back as commands. */
static void set_raw(int master) {
    struct termios t;
    if (tcgetattr(master, &t) < 0)
        return;
    cfmakeraw(&t);
    tcsetattr(master, TCSANOW, &t);
}

/* Open the host's end for a moment; -1 when a host that is gone has left it exclusive. */
static int touch_host_end(int master) {
    int fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    tcflush(fd, TCIFLUSH);
    close(fd);
    return 0;
}

static bool has_host(const struct simtty_master *m) {
    struct pollfd p = {.fd = m->fd};
    return poll(&p, 1, 0) >= 0 && !(p.revents & POLLHUP);
}

/* ---- the link ---- */

static int make_link(const struct simtty *t, struct err *e) {
    char temporary[4096];
    struct stat st;
    if (lstat(t->link, &st) == 0 && !S_ISLNK(st.st_mode))
        return err_set(e, CAUSE_FAILED,
                       "--link %s: there already, and no symbolic link (choose another name)",
                       t->link);
    snprintf(temporary, sizeof temporary, "%s.%d", t->link, (int)getpid());
    unlink(temporary);
    if (symlink(t->node, temporary) < 0 || rename(temporary, t->link) < 0)
        return err_errno(e, errno, "cannot make the link %s", t->link);
    return 0;
}

/* Only while it is ours: another devsim may have taken the name. */
static void remove_link(const struct simtty *t) {
    char to[sizeof t->node];
    ssize_t n = t->link ? readlink(t->link, to, sizeof to) : -1;
    if (n >= 0 && (size_t)n == strlen(t->node) && memcmp(to, t->node, (size_t)n) == 0)
        unlink(t->link);
}

/* ---- bytes ---- */

static void on_poll(uv_poll_t *h, int status, int events);

static void watch(struct simtty *t) {
    struct simtty_master *m = t->master;
    if (!t->host) {
        uv_poll_stop(&m->poll);
        return;
    }
    int events = t->holding ? UV_DISCONNECT : UV_READABLE;
    uv_poll_start(&m->poll, events | (buf_len(&t->out) ? UV_WRITABLE : 0), on_poll);
}

static void flush(struct simtty *t) {
    while (buf_len(&t->out)) {
        ssize_t w = write(t->master->fd, buf_data(&t->out), buf_len(&t->out));
        if (w <= 0)
            return;
        t->tx_bytes += (uint64_t)w;
        buf_consume(&t->out, (size_t)w);
    }
}

void simtty_send(struct simtty *t, const void *p, size_t n) {
    static struct log_limit full;
    if (!t->host || buf_len(&t->out) + n > SIMTTY_OUT) {
        t->out_dropped += n;
        if (t->host)
            log_limited(&full, LOG_WARN, "the host does not read: %zu bytes dropped", n);
        return;
    }
    buf_put(&t->out, p, n);
    flush(t);
    watch(t);
}

size_t simtty_room(const struct simtty *t) {
    return t->host ? SIMTTY_OUT - buf_len(&t->out) : 0;
}

void simtty_hold(struct simtty *t, bool hold) {
    t->holding = hold;
    if (t->master)
        watch(t);
}

/* ---- the host comes and goes ---- */

static void replace(struct simtty *t);

static void set_host(struct simtty *t, bool open) {
    if (t->host == open || !t->master)
        return;
    t->host = open;
    watch(t);
    log_debug("the host has %s %s", open ? "opened" : "closed", t->node);
    if (!open) {
        t->out_dropped += buf_len(&t->out);
        buf_clear(&t->out);
    }
    t->on_host(t->ctx, open);
    /* A killed host cannot take TIOCEXCL back, and only a real port forgets it. */
    if (!open && touch_host_end(t->master->fd) < 0)
        replace(t);
}

static void look(struct simtty *t) {
    if (t->master && !t->host && has_host(t->master))
        set_host(t, true);
}

static void on_look(uv_timer_t *h) {
    look(h->data);
}

static void on_notify(uv_poll_t *h, int status, int events) {
    struct simtty *t = h->data;
    char buf[1024];
    (void)status;
    (void)events;
    while (read(t->notify, buf, sizeof buf) > 0)
        ;
    look(t);
}

static void take(struct simtty *t) {
    uint8_t data[READ_BYTES];
    ssize_t n = read(t->master->fd, data, sizeof data);
    if (n > 0) {
        t->rx_bytes += (uint64_t)n;
        t->on_bytes(t->ctx, data, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        set_host(t, false);
    }
}

static void on_poll(uv_poll_t *h, int status, int events) {
    struct simtty_master *m = h->data;
    struct simtty *t = m->tty;
    if (status < 0 || events & UV_DISCONNECT) {
        set_host(t, false);
        return;
    }
    if (events & UV_READABLE)
        take(t);
    if (t->master == m && t->host && events & UV_WRITABLE) {
        flush(t);
        watch(t);
        if (t->on_room && buf_len(&t->out) == 0)
            t->on_room(t->ctx);
    }
}

/* ---- plug ---- */

static int connect_master(struct simtty *t, int fd, struct err *e) {
    if (ptsname_r(fd, t->node, sizeof t->node) != 0)
        return err_errno(e, errno, "cannot name a pseudo-terminal");
    set_raw(fd);
    touch_host_end(fd); /* from now on it hangs up while nobody has it open */
    if (t->notify >= 0)
        t->wd = inotify_add_watch(t->notify, t->node, IN_OPEN);
    if (t->link && make_link(t, e) < 0)
        return -1;
    t->master = mem_alloc(sizeof *t->master);
    t->master->fd = fd;
    t->master->tty = t;
    t->master->poll.data = t->master;
    uv_poll_init(t->loop, &t->master->poll, fd);
    return 0;
}

int simtty_plug(struct simtty *t, struct err *e) {
    uv_timer_stop(&t->replug);
    if (t->plugged)
        return 0;
    int fd = t->next >= 0 ? t->next : make_master(e);
    t->next = -1;
    if (fd < 0)
        return -1;
    if (connect_master(t, fd, e) < 0) {
        close(fd);
        return -1;
    }
    t->plugged = true;
    log_info("plugged in: %s%s%s", t->link ? t->link : "", t->link ? " -> " : "", t->node);
    t->on_power(t->ctx, true);
    look(t);
    return 0;
}

static void on_closed(uv_handle_t *h) {
    free(h->data);
}

static void drop_master(struct simtty *t) {
    remove_link(t);
    if (t->notify >= 0 && t->wd >= 0)
        inotify_rm_watch(t->notify, t->wd);
    uv_close((uv_handle_t *)&t->master->poll, on_closed);
    close(t->master->fd);
    t->master = NULL;
    t->host = false;
    t->node[0] = 0;
    buf_clear(&t->out);
}

static void on_replug(uv_timer_t *h) {
    struct simtty *t = h->data;
    struct err e;
    if (simtty_plug(t, &e) < 0)
        log_error("%s", e.text);
}

void simtty_unplug(struct simtty *t, uint64_t after_ms) {
    struct err e;
    if (t->plugged) {
        /* Made while the old one exists, so that it has another number. */
        t->next = make_master(&e);
        drop_master(t);
        t->plugged = false;
        log_info("unplugged");
        t->on_power(t->ctx, false);
    }
    if (after_ms)
        uv_timer_start(&t->replug, on_replug, after_ms, 0);
}

/* The same device at another node. */
static void replace(struct simtty *t) {
    struct err e;
    int fd = make_master(&e);
    if (fd < 0) {
        log_error("%s", e.text);
        return;
    }
    drop_master(t);
    if (connect_master(t, fd, &e) < 0) {
        log_error("%s", e.text);
        close(fd);
        t->plugged = false;
    }
}

/* ---- life ---- */

int simtty_open(struct simtty *t, uv_loop_t *loop, struct err *e) {
    t->loop = loop;
    t->next = t->wd = -1;
    uv_timer_init(loop, &t->look);
    uv_timer_init(loop, &t->replug);
    t->look.data = t->replug.data = t->notify_poll.data = t;
    t->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (t->notify >= 0) {
        uv_poll_init(loop, &t->notify_poll, t->notify);
        uv_poll_start(&t->notify_poll, UV_READABLE, on_notify);
    }
    uv_timer_start(&t->look, on_look, LOOK_MS, LOOK_MS);
    return simtty_plug(t, e);
}

void simtty_close(struct simtty *t) {
    if (t->master)
        drop_master(t);
    if (t->next >= 0)
        close(t->next);
    if (t->notify >= 0) {
        uv_close((uv_handle_t *)&t->notify_poll, NULL);
        close(t->notify);
    }
    uv_close((uv_handle_t *)&t->look, NULL);
    uv_close((uv_handle_t *)&t->replug, NULL);
    buf_free(&t->out);
}
