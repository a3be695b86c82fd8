#include "tally.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Sealed, so that a stage cannot take the pages away from under the supervisor. */
enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

static struct tally *map(int fd) {
    void *p = mmap(NULL, sizeof(struct tally), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

struct tally *tally_make(int *fd) {
    *fd = memfd_create("tapline-tally", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0)
        return NULL;
    struct tally *c = NULL;
    if (ftruncate(*fd, sizeof *c) == 0 && fcntl(*fd, F_ADD_SEALS, SEALS) == 0)
        c = map(*fd);
    if (c) {
        c->version = TALLY_VERSION;
        return c;
    }
    close(*fd);
    *fd = -1;
    return NULL;
}

void tally_unmap(struct tally *c) {
    if (c)
        munmap(c, sizeof *c);
}

/* The number may have come down to us from far above and mean something else by now. */
static bool is_tally(int fd) {
    struct stat st;
    return fcntl(fd, F_GET_SEALS) == SEALS && fstat(fd, &st) == 0 &&
           st.st_size == sizeof(struct tally);
}

struct tally *tally_open(void) {
    const char *text = getenv(TALLY_ENV);
    int fd = text ? atoi(text) : -1;
    if (fd <= STDERR_FILENO || !is_tally(fd))
        return NULL;
    struct tally *c = map(fd);
    close(fd);
    if (c && c->version == TALLY_VERSION && c->pid == 0) {
        c->pid = getpid();
        return c;
    }
    tally_unmap(c);
    return NULL;
}

struct tally_mark *tally_find(struct tally *c, uint64_t key) {
    key += key == 0;
    for (size_t i = 0; c && i < TALLY_MARKS; i++) {
        struct tally_mark *m = &c->mark[(key + i) % TALLY_MARKS];
        if (m->key == key)
            return m;
        if (m->key == 0) {
            m->key = key;
            return m;
        }
    }
    return NULL;
}
