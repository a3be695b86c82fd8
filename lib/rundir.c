#include "rundir.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *rundir_base(void) {
    static char base[RUNDIR_MAX];
    const char *xdg = getenv("XDG_RUNTIME_DIR");
    if (xdg && *xdg)
        snprintf(base, sizeof base, "%s/tapline", xdg);
    else if (geteuid() == 0)
        snprintf(base, sizeof base, "/run/tapline");
    else
        snprintf(base, sizeof base, "/tmp/tapline-%u", (unsigned)geteuid());
    return base;
}

const char *rundir_system(void) {
    const char *given = getenv("TAPLINE_SYSTEM_RUN");
    return given && *given ? given : "/run/tapline";
}

/* The name of the only directory below base; "default" when there is none or more than one. */
static void only_pipeline(char *out, size_t size) {
    snprintf(out, size, "default");
    DIR *d = opendir(rundir_base());
    if (!d)
        return;
    int found = 0;
    for (struct dirent *f; (f = readdir(d));) {
        if (f->d_name[0] == '.')
            continue;
        if (++found == 1)
            snprintf(out, size, "%.60s", f->d_name);
        else
            snprintf(out, size, "default");
    }
    closedir(d);
}

int rundir_path(char *out, size_t size, const char *name, struct err *e) {
    const char *env = getenv("TAPLINE_RUN");
    char only[64];
    int n;
    if (!name && env && *env) {
        n = snprintf(out, size, "%s", env);
    } else {
        if (!name)
            only_pipeline(only, sizeof only);
        n = snprintf(out, size, "%s/%s", rundir_base(), name ? name : only);
    }
    if (n >= RUNDIR_MAX || (size_t)n >= size)
        return err_set(e, CAUSE_LIMIT,
                       "run directory %s is %d bytes long, at most %d work (set TAPLINE_RUN)", out,
                       n, RUNDIR_MAX - 1);
    return 0;
}

static int make_one(const char *dir, struct err *e) {
    struct stat st;
    if (mkdir(dir, 0700) < 0 && errno != EEXIST && (errno != EROFS || stat(dir, &st) < 0))
        return err_errno(e, errno, "cannot make directory %s (set TAPLINE_RUN)", dir);
    if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
        return err_set(e, CAUSE_FAILED, "%s is no directory (remove it or set TAPLINE_RUN)", dir);
    return 0;
}

/* In /tmp anybody may have made a directory or link of this name before us. */
static int check_owner(const char *dir, struct err *e) {
    struct stat st;
    if (lstat(dir, &st) < 0)
        return err_errno(e, errno, "cannot use directory %s", dir);
    if (st.st_uid == geteuid())
        return 0;
    return err_set(e, CAUSE_PERMISSION,
                   "%s belongs to user %u (set TAPLINE_RUN to a directory of your own)", dir,
                   (unsigned)st.st_uid);
}

int rundir_make(const char *dir, struct err *e) {
    char part[RUNDIR_MAX];
    if ((size_t)snprintf(part, sizeof part, "%s", dir) >= sizeof part)
        return err_set(e, CAUSE_LIMIT, "run directory %s is too long (set TAPLINE_RUN)", dir);
    for (char *p = part + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        bool base = strcmp(part, rundir_base()) == 0;
        if (make_one(part, e) < 0 || (base && check_owner(part, e) < 0))
            return -1;
        *p = '/';
    }
    return make_one(dir, e) < 0 ? -1 : check_owner(dir, e);
}

int rundir_file(char *out, size_t size, const char *name, const char *suffix, struct err *e) {
    char dir[RUNDIR_MAX];
    if (rundir_path(dir, sizeof dir, NULL, e) < 0)
        return -1;
    if ((size_t)snprintf(out, size, "%s/%s.%s", dir, name, suffix) >= size)
        return err_set(e, CAUSE_LIMIT, "path %s/%s.%s is too long (set TAPLINE_RUN)", dir, name,
                       suffix);
    return 0;
}
