/* A run directory for one test, removed with what is in it at the end of its process. */
#ifndef TAPLINE_RUNDIR_TEST_H
#define TAPLINE_RUNDIR_TEST_H

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

static char test_dir[] = "/tmp/tlu.XXXXXX";

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void remove_test_dir(void) {
    nftw(test_dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static inline const char *make_test_dir(void) {
    if (!mkdtemp(test_dir))
        abort();
    atexit(remove_test_dir);
    setenv("TAPLINE_RUN", test_dir, 1);
    unsetenv("TAPLINE_STAGE");
    return test_dir;
}

#endif
