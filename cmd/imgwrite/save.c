#include "save.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0666, NAMES_TRIED = 100000, TEMPORARIES_TRIED = 100 };

/* ---- what went wrong ---- */

static const char *cure(int error) {
    switch (error) {
    case ENOSPC:
        return "free some, or set a limit with --keep";
    case EDQUOT:
        return "free some of the user's quota, or set a limit with --keep";
    case EROFS:
        return "mount it for writing, or choose another --dir";
    case EFBIG:
        return "raise the limit on file sizes, ulimit -f";
    case ENOTDIR:
        return "a file stands where a directory must be: move it away, or choose another --dir";
    case ENOENT:
        return "is it on a disk that is not mounted?";
    case EMFILE:
        return "raise ulimit -n";
    case EIO:
        return "the disk fails or was pulled out";
    default:
        return "choose another --dir";
    }
}

int save_error(const char *dir, int error, struct err *e) {
    char shown[100], who[40];
    size_t n = strlen(dir);
    snprintf(shown, sizeof shown, "%s%.80s", n > 80 ? "..." : "", n > 80 ? dir + n - 80 : dir);
    snprintf(who, sizeof who, "let user %u write there", (unsigned)geteuid());
    bool permission = error == EACCES || error == EPERM;
    err_errno(e, error, "cannot save in %s", shown);
    size_t len = strlen(e->text);
    snprintf(e->text + len, sizeof e->text - len, " (%s)", permission ? who : cure(error));
    if (error == EFBIG || error == ENAMETOOLONG)
        e->cause = CAUSE_LIMIT;
    return -1;
}

/* ---- directories ---- */

int save_make_dir(const char *path) {
    char part[SAVE_PATH];
    int made = 0;
    if (mkdir(path, 0777) == 0)
        return 1;
    if (errno != ENOENT)
        return errno == EEXIST ? 0 : -1;
    snprintf(part, sizeof part, "%s", path);
    for (char *s = part + 1; *s; s++) {
        if (*s != '/')
            continue;
        *s = 0;
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            return -1;
        *s = '/';
    }
    made = mkdir(path, 0777) == 0;
    return made || errno == EEXIST ? made : -1;
}

/* The directory of the file at path; the whole tree when dir itself has gone. */
static int make_parents(const struct save_place *place, const char *path, bool *remade) {
    char parent[SAVE_PATH];
    int root = save_make_dir(place->dir);
    if (root < 0)
        return -1;
    *remade |= root == 1;
    size_t n = (size_t)(strrchr(path, '/') - path);
    memcpy(parent, path, n);
    parent[n] = 0;
    return save_make_dir(parent) < 0 ? -1 : 0;
}

/* ---- the temporary file ---- */

struct temporary {
    int fd;
    char path[SAVE_PATH]; /* "" = it has no name */
    char dir[SAVE_PATH];
};

static bool unnamed_unknown(int error) {
    return error == EOPNOTSUPP || error == EISDIR || error == EINVAL;
}

/* A file that nobody holds locked was left behind: another imgwrite that starts here may remove it
 * between our open and our lock. */
static bool hold(const struct temporary *t) {
    struct stat st;
    return flock(t->fd, LOCK_EX | LOCK_NB) == 0 && fstat(t->fd, &st) == 0 && st.st_nlink > 0;
}

static int open_named(struct save_place *place, struct temporary *t) {
    for (int i = 0; i < TEMPORARIES_TRIED; i++) {
        int n = snprintf(t->path, sizeof t->path, "%s/" SAVE_TEMPORARY "%d-%u.part", t->dir,
                         (int)getpid(), atomic_fetch_add(&place->number, 1));
        if (n < 0 || (size_t)n >= sizeof t->path)
            return ENAMETOOLONG;
        t->fd = open(t->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
        if (t->fd < 0 && errno != EEXIST)
            return errno;
        if (t->fd >= 0 && hold(t))
            return 0;
        if (t->fd >= 0)
            close(t->fd);
    }
    return EEXIST;
}

/* 0, or the errno. */
static int open_temporary(struct save_place *place, struct temporary *t, const char *path) {
    size_t n = (size_t)(strrchr(path, '/') - path);
    memcpy(t->dir, path, n);
    t->dir[n] = 0;
    t->path[0] = 0;
    if (!atomic_load(&place->named)) {
        t->fd = open(t->dir, O_WRONLY | O_TMPFILE | O_CLOEXEC, FILE_MODE);
        if (t->fd >= 0)
            return 0;
        if (!unnamed_unknown(errno))
            return errno;
        atomic_store(&place->named, true);
    }
    return open_named(place, t);
}

static void close_temporary(struct temporary *t) {
    if (t->path[0])
        unlink(t->path);
    close(t->fd);
}

static int fill(const struct temporary *t, const uint8_t *p, size_t n, enum save_sync sync) {
    while (n) {
        ssize_t w = write(t->fd, p, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return w < 0 ? errno : ENOSPC;
        p += w;
        n -= (size_t)w;
    }
    return sync != SAVE_SYNC_NONE && fdatasync(t->fd) < 0 ? errno : 0;
}

/* ---- its name ---- */

static int give_name(struct temporary *t, const char *path) {
    char self[64];
    if (!t->path[0]) {
        snprintf(self, sizeof self, "/proc/self/fd/%d", t->fd);
        return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0 ? errno : 0;
    }
    if (renameat2(AT_FDCWD, t->path, AT_FDCWD, path, RENAME_NOREPLACE) == 0) {
        t->path[0] = 0;
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    return link(t->path, path) < 0 ? errno : 0; /* NFS: the other name goes with the temporary */
}

static int make_path(const struct save_place *place, const struct name_facts *f, char *name,
                     char *path) {
    if (name_make(&place->pattern, f, name, NAME_BYTES) < 0)
        return ENAMETOOLONG;
    snprintf(path, SAVE_PATH, "%s/%s", place->dir, name);
    return 0;
}

/* Once more after the directory has been made: it may vanish at any time. */
static int name_it(struct save_place *place, struct temporary *t, struct name_facts *f, char *name,
                   bool *remade) {
    char path[SAVE_PATH];
    bool made = false;
    for (int i = 0; i < NAMES_TRIED; i++) {
        int r = make_path(place, f, name, path);
        if (r == 0)
            r = give_name(t, path);
        if (r == ENOENT && !made) {
            made = true;
            if (make_parents(place, path, remade) < 0)
                return errno;
        } else if (r == EEXIST) {
            name_advance(&place->pattern, f);
        } else {
            return r;
        }
    }
    return EEXIST;
}

static int sync_dir(const struct save_place *place, const char *name) {
    char path[SAVE_PATH];
    snprintf(path, sizeof path, "%s/%s", place->dir, name);
    *strrchr(path, '/') = 0;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int r = fsync(fd) < 0 && errno != EINVAL ? errno : 0;
    close(fd);
    return r;
}

/* ---- the whole ---- */

static int open_somewhere(struct save_place *place, struct temporary *t, const struct name_facts *f,
                          char *name, bool *remade) {
    char path[SAVE_PATH];
    int r = make_path(place, f, name, path);
    if (r)
        return r;
    r = open_temporary(place, t, path);
    if (r != ENOENT)
        return r;
    return make_parents(place, path, remade) < 0 ? errno : open_temporary(place, t, path);
}

static int save(struct save_place *place, struct name_facts *f, const void *data, size_t n,
                char *name, bool *remade) {
    struct temporary t;
    int r = open_somewhere(place, &t, f, name, remade);
    if (r)
        return r;
    r = fill(&t, data, n, place->sync);
    if (r == 0)
        r = name_it(place, &t, f, name, remade);
    close_temporary(&t);
    if (r == 0 && place->sync == SAVE_SYNC_FULL)
        r = sync_dir(place, name);
    return r;
}

int save_picture(struct save_place *place, struct name_facts *facts, const void *data, size_t n,
                 char name[NAME_BYTES], bool *remade, struct err *e) {
    *remade = false;
    int r = save(place, facts, data, n, name, remade);
    /* The directory went while the temporary file lay in it, or there is no /proc to name an
     * unnamed one by: the second try makes do without both. */
    if (r == ENOENT) {
        atomic_store(&place->named, true);
        r = save(place, facts, data, n, name, remade);
    }
    return r ? save_error(place->dir, r, e) : 0;
}
