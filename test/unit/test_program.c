// Finding programs, and one supervisor to a run directory.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"
#include "runlock.h"
#include "test.h"

static char dir[64];

static void make_dir(void) {
    strcpy(dir, "/tmp/tl.unit.XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
}

static void remove_dir(void) {
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    CHECK_INT(system(command), 0);
}

static char path[PROGRAM_PATH];

TEST(own_programs_come_first) {
    char name[PROGRAM_PATH];
    bool own = false;
    struct err e;
    ssize_t n = readlink("/proc/self/exe", name, sizeof name - 1);
    name[n] = 0;
    CHECK_INT(program_find(path, sizeof path, strrchr(name, '/') + 1, &own, &e), 0);
    CHECK_STR(path, name);
    CHECK(own);
}

TEST(others_come_from_path) {
    bool own = true;
    struct err e;
    CHECK_INT(program_find(path, sizeof path, "sh", &own, &e), 0);
    CHECK_INT(path[0], '/');
    CHECK(!own);
    setenv("PATH", "/nowhere::.:/bin", 1);
    CHECK_INT(program_find(path, sizeof path, "sh", &own, &e), 0);
    CHECK_STR(path, "/bin/sh");
}

TEST(what_is_not_there) {
    struct err e;
    CHECK_INT(program_find(path, sizeof path, "no-such-program", NULL, &e), -1);
    CHECK_INT(e.cause, CAUSE_ABSENT);
    CHECK(strstr(e.text, "no program no-such-program (neither in ") != NULL);
    CHECK_INT(program_find(path, sizeof path, "/nowhere/x", NULL, &e), -1);
    CHECK_INT(e.cause, CAUSE_ABSENT);
    CHECK_INT(program_find(path, sizeof path, "/etc/passwd", NULL, &e), -1);
    CHECK_INT(e.cause, CAUSE_PERMISSION);
    CHECK_INT(program_find(path, sizeof path, "/tmp", NULL, &e), -1);
    CHECK_INT(e.cause, CAUSE_PERMISSION);
    CHECK_INT(program_find(path, 4, "sh", NULL, &e), -1);
}

TEST(where_the_data_is) {
    char here[200], share[PROGRAM_PATH];
    make_dir();
    snprintf(here, sizeof here, "%s/pipelines", dir);
    mkdir(here, 0700);
    snprintf(path, sizeof path, "%s/www", dir);
    mkdir(path, 0700);
    program_share(share, sizeof share, here);
    CHECK_STR(share, dir);
    setenv("TAPLINE_SHARE", "/srv/tapline", 1);
    program_share(share, sizeof share, here);
    CHECK_STR(share, "/srv/tapline");
    remove_dir();
}

TEST(one_holder) {
    struct runlock a, b;
    struct runlock_info i;
    struct err e;
    make_dir();
    CHECK(!runlock_held(dir, &i));
    CHECK_INT(runlock_take(&a, dir, "panel", "/x/panel.conf", 0, &e), 0);
    CHECK(runlock_held(dir, &i));
    CHECK_INT(i.pid, getpid());
    CHECK_STR(i.name, "panel");
    CHECK_STR(i.file, "/x/panel.conf");
    CHECK_INT(runlock_take(&b, dir, "panel", "/x/panel.conf", 0, &e), -1);
    CHECK_INT(e.cause, CAUSE_BUSY);
    char want[100];
    snprintf(want, sizeof want, "pipeline panel is running already as process %d ", getpid());
    CHECK_INT(strncmp(e.text, want, strlen(want)), 0);
    runlock_drop(&a, dir);
    CHECK(!runlock_held(dir, &i));
    CHECK_INT(runlock_take(&b, dir, "panel", "/x/panel.conf", 0, &e), 0);
    runlock_drop(&b, dir);
    remove_dir();
}

/* The guard keeps the second lock a while after the supervisor: no longer running, not yet free. */
TEST(leftovers_are_waited_for) {
    struct runlock a, b;
    struct runlock_info i;
    struct err e;
    make_dir();
    CHECK_INT(runlock_take(&a, dir, "panel", "f", 0, &e), 0);
    pid_t guard = fork();
    if (guard == 0) {
        close(a.own);
        usleep(500000);
        _exit(0);
    }
    close(a.own);
    close(a.shared);
    for (int n = 0; n < 1000 && runlock_held(dir, &i); n++)
        usleep(100); /* until the child has closed its copy */
    CHECK_INT(runlock_take(&b, dir, "panel", "f", 50, &e), -1);
    CHECK(strstr(e.text, "does not end") != NULL);
    CHECK_INT(e.cause, CAUSE_BUSY);
    close(b.own);
    CHECK_INT(runlock_take(&b, dir, "panel", "f", 5000, &e), 0);
    runlock_drop(&b, dir);
    waitpid(guard, NULL, 0);
    remove_dir();
}
