#include "test.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEST_SECONDS = 60 };

static struct test *first, **last = &first;

void test_register(struct test *t) {
    *last = t;
    last = &t->next;
}

void test_fail(const char *file, int line, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    printf("# %s:%d: ", file, line);
    vprintf(fmt, ap);
    printf("\n");
    va_end(ap);
    exit(1);
}

static bool run_one(const struct test *t) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(TEST_SECONDS);
        t->run();
        exit(0);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return false;
    if (WIFSIGNALED(status))
        printf("# %s: ended by signal %d\n", t->name, WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool wanted(const char *name, int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (strcmp(name, argv[i]) == 0)
            return true;
    return argc < 2;
}

int main(int argc, char **argv) {
    int n = 0, failed = 0;
    for (struct test *t = first; t; t = t->next) {
        if (!wanted(t->name, argc, argv))
            continue;
        bool ok = run_one(t);
        failed += !ok;
        printf("%s %d - %s\n", ok ? "ok" : "not ok", ++n, t->name);
    }
    printf("1..%d\n", n);
    return failed || n == 0;
}
