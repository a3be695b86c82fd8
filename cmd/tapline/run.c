#include "run.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "commands.h"
#include "program.h"

static bool is_name(const char *name) {
    return name[0] && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(name);
}

static bool find(char *path, size_t size, const char *name) {
    bool own = false;
    return is_name(name) && program_find(path, size, name, &own, NULL) == 0 && own;
}

bool run_is_program(const char *name) {
    char path[PROGRAM_PATH];
    return find(path, sizeof path, name);
}

static int is_other(const struct dirent *f) {
    return run_is_program(f->d_name) && strcmp(f->d_name, "tapline") != 0;
}

const char *run_programs(void) {
    static struct buf names;
    struct dirent **f;
    int n = scandir(program_dir(), &f, is_other, alphasort);
    buf_clear(&names);
    for (int i = 0; i < n; i++) {
        buf_printf(&names, "%s ", f[i]->d_name);
        free(f[i]);
    }
    if (n >= 0)
        free(f);
    buf_putc(&names, 0);
    return (const char *)buf_data(&names);
}

int run_program(const char *name, char **argv) {
    char path[PROGRAM_PATH];
    if (!find(path, sizeof path, name)) {
        fprintf(stderr,
                "tapline: \"%s\" is neither a command nor a program nor a pipeline of tapline"
                " (see tapline help)\n",
                name);
        return 2;
    }
    execv(path, argv);
    fprintf(stderr, "tapline: cannot run %s: %s\n", path, strerror(errno));
    return 1;
}

int sim_main(int argc, char **argv) {
    (void)argc;
    argv[0] = "devsim";
    return run_program("devsim", argv);
}
