#include "statefile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "rundir.h"

static int open_file(const char *name, size_t size) {
    char path[128];
    struct err e;
    if (rundir_file(path, sizeof path, name, "state", &e) < 0)
        return -1;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    /* Taken now: on a full disk a page that is missing later would be a SIGBUS. */
    if (fd >= 0 && ftruncate(fd, (off_t)size) == 0 && posix_fallocate(fd, 0, (off_t)size) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void *map(int fd, size_t size) {
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

void *statefile_open(const char *name, size_t size) {
    int fd = open_file(name, size);
    void *p = map(fd, size);
    if (!p)
        p = map(-1, size);
    if (fd >= 0)
        close(fd);
    else
        log_debug("no run directory: what is known now is forgotten when this process ends");
    if (!p)
        abort();
    return p;
}

void statefile_close(void *p, size_t size) {
    munmap(p, size);
}
