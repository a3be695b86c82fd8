#include "scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static void note_error(struct scan *s, int error) {
    if (!s->error)
        s->error = error;
}

/* Whose writer lives is locked. */
static void remove_leftover(struct scan *s, int dir, const char *name) {
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && unlinkat(dir, name, 0) == 0)
        s->leftovers++;
    close(fd);
}

static bool is_temporary(const char *name) {
    size_t n = strlen(name);
    return strncmp(name, SAVE_TEMPORARY, sizeof SAVE_TEMPORARY - 1) == 0 && n > 5 &&
           strcmp(name + n - 5, ".part") == 0;
}

static void take_file(struct scan *s, int dir, const char *base, const char *name) {
    struct name_facts f;
    struct stat st;
    if (is_temporary(base)) {
        remove_leftover(s, dir, base);
        return;
    }
    if (!name_match(&s->place->pattern, name, &f)) {
        s->foreign++;
        return;
    }
    if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return;
    if (!s->place->pattern.dated)
        f.time_us = (uint64_t)st.st_mtim.tv_sec * 1000000u + (uint64_t)st.st_mtim.tv_nsec / 1000u;
    index_append(&s->found, name, f.mac, f.time_us, (uint64_t)st.st_size);
}

static void walk(struct scan *s, int dir, const char *prefix, unsigned level);

static void enter(struct scan *s, int dir, const char *base, const char *name, unsigned level) {
    int fd = openat(dir, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0)
        walk(s, fd, name, level - 1);
    else if (errno != ENOTDIR && errno != ELOOP && errno != ENOENT)
        note_error(s, errno);
}

/* Only as deep as the pattern has directories: what else lies there is not ours to look at. */
static void walk(struct scan *s, int dir, const char *prefix, unsigned level) {
    char name[NAME_BYTES];
    struct dirent *d;
    DIR *open_dir = fdopendir(dir);
    if (!open_dir) {
        note_error(s, errno);
        close(dir);
        return;
    }
    while (!atomic_load(&s->cancel) && (d = readdir(open_dir))) {
        int n = snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "/" : "", d->d_name);
        if ((size_t)n >= sizeof name || strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        if (level)
            enter(s, dir, d->d_name, name, level);
        else
            take_file(s, dir, d->d_name, name);
    }
    closedir(open_dir);
}

void scan_run(struct scan *s) {
    s->found = (struct index){.pattern = &s->place->pattern};
    s->leftovers = s->foreign = 0;
    s->error = 0;
    int fd = save_make_dir(s->place->dir) < 0
                 ? -1
                 : open(s->place->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        note_error(s, errno);
        return;
    }
    walk(s, fd, "", s->place->pattern.dirs);
    index_sort(&s->found);
}

/* rmdir refuses what is not empty, and that is the whole check. */
static void remove_empty(const struct save_place *place, char *path) {
    for (unsigned i = 0; i < place->pattern.dirs; i++) {
        *strrchr(path, '/') = 0;
        if (rmdir(path) < 0)
            return;
    }
}

int scan_remove(const struct save_place *place, char (*names)[NAME_BYTES], size_t n,
                uint64_t *removed) {
    char path[SAVE_PATH];
    int error = 0;
    for (size_t i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", place->dir, names[i]);
        if (unlink(path) == 0) {
            ++*removed;
            remove_empty(place, path);
        } else if (errno != ENOENT && !error) {
            error = errno;
        }
    }
    return error;
}
