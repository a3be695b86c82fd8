#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARENTS = 4 };

const char *program_dir(void) {
    static char dir[PROGRAM_PATH];
    if (dir[0])
        return dir;
    ssize_t n = readlink("/proc/self/exe", dir, sizeof dir - 1);
    char *slash = n > 0 ? strrchr(dir, '/') : NULL;
    snprintf(slash ? slash : dir, 2, "%s", slash ? (slash == dir ? "/" : "") : ".");
    return dir;
}

/* 0 = an executable file; else the errno that says why not. */
static int runnable(const char *path) {
    struct stat st;
    if (stat(path, &st) < 0)
        return errno;
    if (!S_ISREG(st.st_mode))
        return EACCES;
    return access(path, X_OK) < 0 ? errno : 0;
}

/* Directory (n bytes) and name joined in out; the result of runnable. */
static int try_in(char *out, size_t size, const char *dir, int n, const char *name) {
    int len = snprintf(out, size, "%.*s/%s", n, dir, name);
    return len < 0 || (size_t)len >= size ? ENAMETOOLONG : runnable(out);
}

static int find_own(char *out, size_t size, const char *name) {
    const char *dir = program_dir();
    int why = try_in(out, size, dir, (int)strlen(dir), name);
    if (why != ENOENT)
        return why;
    char libexec[PROGRAM_PATH];
    int n = snprintf(libexec, sizeof libexec, "%.*s/../libexec/tapline", PROGRAM_PATH - 32, dir);
    return try_in(out, size, libexec, n, name);
}

static int find_in_path(char *out, size_t size, const char *name) {
    const char *at = getenv("PATH");
    int result = ENOENT;
    for (at = at && *at ? at : "/usr/local/bin:/usr/bin:/bin"; at;) {
        size_t n = strcspn(at, ":");
        int why = n && *at == '/' ? try_in(out, size, at, (int)n, name) : ENOENT;
        if (why == 0)
            return 0;
        if (why == EACCES && access(out, F_OK) == 0) /* else its directory is closed to us */
            result = why;
        at = at[n] ? at + n + 1 : NULL;
    }
    return result;
}

static int find_path(char *out, size_t size, const char *path) {
    char *real = realpath(path, NULL);
    if (!real)
        return errno;
    int n = snprintf(out, size, "%s", real);
    free(real);
    return (size_t)n >= size ? ENAMETOOLONG : runnable(out);
}

int program_find(char *out, size_t size, const char *name, bool *own, struct err *e) {
    bool is_own = false;
    int why;
    if (strchr(name, '/')) {
        why = find_path(out, size, name);
    } else {
        why = find_own(out, size, name);
        is_own = why == 0;
        if (why == ENOENT)
            why = find_in_path(out, size, name);
    }
    if (own)
        *own = is_own;
    if (why == ENOENT && !strchr(name, '/'))
        return err_set(e, CAUSE_ABSENT, "no program %s (neither in %.100s nor in PATH)", name,
                       program_dir());
    if (why == EACCES)
        return err_set(e, CAUSE_PERMISSION, "%s is not an executable file (chmod +x)", name);
    return why ? err_errno(e, why, "cannot run %s", name) : 0;
}

/* ---- data ---- */

static bool has_dir(const char *dir, const char *name) {
    char path[PROGRAM_PATH];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    return n > 0 && (size_t)n < sizeof path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool cut_last(char *path) {
    char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return false;
    *slash = 0;
    return true;
}

static bool share_above(char *out, size_t size, const char *here) {
    const char *base = here ? strrchr(here, '/') : NULL;
    if (!base || strcmp(base, "/pipelines") != 0)
        return false;
    snprintf(out, size, "%s", here);
    return cut_last(out) && has_dir(out, "www");
}

static bool share_around_binary(char *out, size_t size) {
    char at[PROGRAM_PATH];
    snprintf(at, sizeof at, "%s", program_dir());
    for (int i = 0; i < PARENTS; i++) {
        int n = snprintf(out, size, "%s/share/tapline", at);
        if (n > 0 && (size_t)n < size && has_dir(out, "pipelines"))
            return true;
        snprintf(out, size, "%s", at);
        if (has_dir(out, "pipelines") && has_dir(out, "www"))
            return true;
        if (!cut_last(at))
            return false;
    }
    return false;
}

void program_share(char *out, size_t size, const char *here) {
    const char *given = getenv("TAPLINE_SHARE");
    if (given && *given)
        snprintf(out, size, "%s", given);
    else if (!share_above(out, size, here) && !share_around_binary(out, size))
        snprintf(out, size, "%s", here ? here : ".");
}

void program_hold_standard(void) {
    static const int modes[3] = {O_RDONLY, O_RDONLY, O_WRONLY};
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", modes[fd]);
}
