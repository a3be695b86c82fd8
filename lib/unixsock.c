#include "unixsock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int address(struct sockaddr_un *a, const char *path) {
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(a->sun_path, path);
    return 0;
}

int unix_dial(const char *path, int type) {
    struct sockaddr_un a;
    if (address(&a, path) < 0)
        return -1;
    int s = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0 || connect(s, (const struct sockaddr *)&a, sizeof a) == 0)
        return s;
    int no = errno;
    close(s);
    errno = no;
    return -1;
}

/* The file at the address is somebody's who lives, or is removed. */
static int clear_stale(const char *path, int type, struct err *e) {
    struct stat st;
    if (lstat(path, &st) < 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return err_set(e, CAUSE_FAILED, "%s is no socket (remove it)", path);
    int s = unix_dial(path, type);
    bool stale = s < 0 && errno == ECONNREFUSED;
    if (s >= 0)
        close(s);
    if (!stale)
        return err_set(e, CAUSE_BUSY, "another process already takes connections at %s", path);
    if (unlink(path) < 0 && errno != ENOENT)
        return err_errno(e, errno, "cannot replace %s", path);
    return 0;
}

static int bind_private(int s, const struct sockaddr_un *a, int backlog) {
    /* The mode of the unbound socket becomes that of the file: no moment in which others may
     * connect. */
    if (fchmod(s, 0600) < 0 || bind(s, (const struct sockaddr *)a, sizeof *a) < 0)
        return -1;
    return listen(s, backlog);
}

int unix_listen(const char *path, int type, int backlog, struct err *e) {
    struct sockaddr_un a;
    if (address(&a, path) < 0)
        return err_errno(e, errno, "cannot listen at %s", path);
    if (clear_stale(path, type, e) < 0)
        return -1;
    int s = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s >= 0 && bind_private(s, &a, backlog) == 0)
        return s;
    int no = errno;
    if (s >= 0)
        close(s);
    return err_errno(e, no, "cannot listen at %s", path);
}
