#include "recorder_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIPE_WAIT_MS = 100, NUMBER_MAX = 999999 };

bool recorder_to_stdout(const struct recorder *r) {
    return strcmp(r->path, "-") == 0;
}

/* rec.tap, 12 -> rec-0012.tap; a name without an extension gets none. */
static void numbered_path(const struct recorder *r, unsigned number, char *out) {
    const char *slash = strrchr(r->path, '/'), *dot = strrchr(r->path, '.');
    size_t stem =
        dot && dot > (slash ? slash + 1 : r->path) ? (size_t)(dot - r->path) : strlen(r->path);
    snprintf(out, RECORDER_PATH, "%.*s-%04u%s", (int)stem, r->path, number, r->path + stem);
}

static int open_numbered(struct recorder *r) {
    int fd;
    do {
        if (r->number == NUMBER_MAX)
            return -1;
        numbered_path(r, ++r->number, r->file);
        fd = open(r->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (fd < 0 && errno == EEXIST);
    if (fd < 0)
        r->number--; /* to be tried again */
    return fd;
}

/* A description of our own where it can be had: the reader of a pipe may stop for ever, and then
 * the thread must not. */
static int open_stdout(struct recorder *r) {
    struct stat st;
    snprintf(r->file, sizeof r->file, "standard output");
    if (fstat(STDOUT_FILENO, &st) == 0 && S_ISFIFO(st.st_mode)) {
        int fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0)
            return fd;
    }
    return dup(STDOUT_FILENO);
}

/* What is there and not empty is somebody's recording, unless it is no file at all. */
static int open_plain(struct recorder *r) {
    struct stat st;
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY;
    snprintf(r->file, sizeof r->file, "%s", r->path);
    bool there = stat(r->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
    if (there && r->exists == RECORDER_REFUSE) {
        errno = EEXIST;
        return -1;
    }
    if (r->exists == RECORDER_REPLACE)
        flags |= O_TRUNC;
    return open(r->path, r->exists == RECORDER_APPEND ? flags | O_APPEND : flags, 0666);
}

int recorder_open_file(struct recorder *r) {
    struct stat st;
    r->fd = recorder_to_stdout(r) ? open_stdout(r) : r->numbered ? open_numbered(r) : open_plain(r);
    if (r->fd < 0)
        return -1;
    r->regular = fstat(r->fd, &st) == 0 && S_ISREG(st.st_mode);
    return 0;
}

static void sync_file(struct recorder *r) {
    if (r->dirty && r->regular)
        fdatasync(r->fd);
    r->dirty = false;
    r->synced_ns = clock_mono_ns();
}

void recorder_close_file(struct recorder *r) {
    sync_file(r);
    close(r->fd);
    r->fd = -1;
}

static int write_some(struct recorder *r, struct buf *b) {
    ssize_t n = write(r->fd, buf_data(b), buf_len(b));
    if (n > 0) {
        r->dirty = true;
        b->start += (size_t)n; /* not buf_consume: the loop looks at lengths meanwhile */
        return 0;
    }
    if (n < 0 && errno == EAGAIN)
        poll(&(struct pollfd){.fd = r->fd, .events = POLLOUT}, 1, PIPE_WAIT_MS);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 1;
    r->error = n < 0 ? errno : EIO;
    return -1;
}

static void write_chunk(struct recorder *r, struct recorder_chunk *c) {
    if (r->fd < 0 && recorder_open_file(r) < 0) {
        r->error = errno;
        return;
    }
    while (c->data.start < c->data.end)
        if (write_some(r, &c->data) != 0)
            return;
    if (c->ends)
        recorder_close_file(r);
}

void recorder_work(struct recorder *r) {
    uint64_t began = clock_mono_ns();
    if (r->head)
        write_chunk(r, r->head);
    if (r->fd >= 0 && began - r->synced_ns > RECORDER_SYNC_MS * 1000000ull)
        sync_file(r);
    uint64_t us = (clock_mono_ns() - began) / 1000u;
    if (us > r->slowest_us)
        r->slowest_us = us;
}
