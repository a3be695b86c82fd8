#include "runlock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rundir.h"

enum { SUPERVISOR_BYTE = 0, LEFTOVERS_BYTE = 1, WAIT_STEP_MS = 10, LOCK_PATH = RUNDIR_MAX + 8 };

/* Locks of the open file description: they go when its last descriptor does, however that ends,
 * and can be asked about without being taken. */
static int lock_byte(int fd, int byte) {
    struct flock f = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &f);
}

static bool byte_held(int fd, int byte) {
    struct flock f = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(fd, F_OFD_GETLK, &f) == 0 && f.l_type != F_UNLCK;
}

static int open_lock(const char *path, struct err *e) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? err_errno(e, errno, "cannot open %s", path) : fd;
}

static void read_info(int fd, struct runlock_info *i) {
    char text[1024], *at = text;
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    *i = (struct runlock_info){0};
    text[n > 0 ? n : 0] = 0;
    i->pid = strtol(strsep(&at, "\n"), NULL, 10);
    snprintf(i->name, sizeof i->name, "%s", at ? strsep(&at, "\n") : "");
    snprintf(i->file, sizeof i->file, "%s", at ? strsep(&at, "\n") : "");
}

static int in_use(int fd, const char *name, struct err *e) {
    struct runlock_info i;
    read_info(fd, &i);
    return err_set(e, CAUSE_BUSY,
                   "pipeline %s is running already as process %ld (stop it: tapline down -p %s)",
                   i.name[0] ? i.name : name, i.pid, i.name[0] ? i.name : name);
}

static bool still_there(int fd, const char *path) {
    struct stat mine, theirs;
    return fstat(fd, &mine) == 0 && stat(path, &theirs) == 0 && mine.st_ino == theirs.st_ino &&
           mine.st_dev == theirs.st_dev;
}

static int take_own(const char *path, const char *name, struct err *e) {
    for (;;) {
        int fd = open_lock(path, e);
        if (fd < 0)
            return -1;
        if (lock_byte(fd, SUPERVISOR_BYTE) < 0) {
            in_use(fd, name, e);
            close(fd);
            return -1;
        }
        /* The holder before us may have removed the file between our open and our lock. */
        if (still_there(fd, path))
            return fd;
        close(fd);
    }
}

/* Without it we run as well: whoever cleans the directory at this moment holds it. */
static int hold_dir(const char *dir) {
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0)
        return fd;
    close(fd);
    return -1;
}

static int take_shared(const char *path, int wait_ms, struct err *e) {
    int fd = open_lock(path, e);
    if (fd < 0)
        return -1;
    for (int waited = 0; lock_byte(fd, LEFTOVERS_BYTE) < 0; waited += WAIT_STEP_MS) {
        if (waited >= wait_ms) {
            close(fd);
            return err_set(e, CAUSE_BUSY,
                           "%s: what a killed supervisor left behind does not end (see lsof %s)",
                           path, path);
        }
        poll(NULL, 0, WAIT_STEP_MS);
    }
    return fd;
}

int runlock_take(struct runlock *l, const char *dir, const char *name, const char *file,
                 int wait_ms, struct err *e) {
    char path[LOCK_PATH];
    snprintf(path, sizeof path, "%s/lock", dir);
    l->own = l->shared = l->dir = -1;
    if ((l->own = take_own(path, name, e)) < 0)
        return -1;
    if (ftruncate(l->own, 0) < 0 ||
        dprintf(l->own, "%ld\n%s\n%s\n", (long)getpid(), name, file) < 0)
        return err_errno(e, errno, "cannot write %s", path);
    l->dir = hold_dir(dir);
    l->shared = take_shared(path, wait_ms, e);
    return l->shared < 0 ? -1 : 0;
}

bool runlock_ours(const struct runlock *l, const char *dir) {
    char path[LOCK_PATH];
    snprintf(path, sizeof path, "%s/lock", dir);
    return l->own >= 0 && still_there(l->own, path);
}

void runlock_hide(const struct runlock *l, const char *dir) {
    char path[LOCK_PATH];
    snprintf(path, sizeof path, "%s/lock", dir);
    if (l->shared >= 0 && runlock_ours(l, dir))
        unlink(path);
}

void runlock_drop(struct runlock *l, const char *dir) {
    const int fds[] = {l->shared, l->own, l->dir};
    runlock_hide(l, dir);
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    l->own = l->shared = l->dir = -1;
}

int runlock_watch(const char *dir) {
    char path[LOCK_PATH];
    if ((size_t)snprintf(path, sizeof path, "%s/lock", dir) >= sizeof path)
        return -1;
    return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

bool runlock_watched(int fd) {
    return fd >= 0 && byte_held(fd, SUPERVISOR_BYTE);
}

bool runlock_held(const char *dir, struct runlock_info *info) {
    int fd = runlock_watch(dir);
    if (fd < 0)
        return false;
    bool held = byte_held(fd, SUPERVISOR_BYTE);
    if (held)
        read_info(fd, info);
    close(fd);
    return held;
}
