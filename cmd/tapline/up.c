/* tapline up, check, graph: all hand a pipeline file to the supervisor. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "buf.h"
#include "commands.h"
#include "opt.h"
#include "program.h"
#include "run.h"

enum { WORDS_MAX = 300 };

static bool detach, quiet;
static int verbose;
static const char *log_file;

static const struct opt up_options[] = {
    {"detach", 'd', OPT_FLAG, &detach, NULL, "return once every stage is ready", 0, 0},
    {"log", 0, OPT_TEXT, &log_file, "FILE", "append the log to FILE, too", 0, 0},
    {"verbose", 'v', OPT_COUNT, &verbose, NULL, "say more", 0, 0},
    {"quiet", 'q', OPT_FLAG, &quiet, NULL, "say only warnings and errors", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static const struct opt_program up_program = {
    .name = "tapline up",
    .summary = "start a pipeline",
    .synopsis = "FILE [NAME=VALUE]...",
    .details =
        "FILE may be the bare name of a pipeline that came with tapline. It runs until Ctrl-C"
        " or tapline down.\n",
    .tables = {up_options, NULL},
};

static const struct opt_program check_program = {
    .name = "tapline check",
    .summary = "say what is wrong with a pipeline file",
    .synopsis = "FILE [NAME=VALUE]...",
    .tables = {NULL},
};

static const struct opt_program graph_program = {
    .name = "tapline graph",
    .summary = "draw a pipeline file (Graphviz)",
    .synopsis = "FILE [NAME=VALUE]...",
    .details = "As in: tapline graph panel | dot -Tsvg >panel.svg\n"
               "Pipes are bold, named pipes dashed, NNG is blue, requests are dotted.\n",
    .tables = {NULL},
};

static bool is_file(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* A bare name is looked for in ./pipelines and among those that came with tapline. What is found
 * nowhere stays as it is. */
static const char *find_file(const char *name) {
    static char path[PROGRAM_PATH];
    char share[PROGRAM_PATH - 256];
    if (is_file(name) || strlen(name) > 200)
        return name;
    snprintf(path, sizeof path, "pipelines/%s.conf", name);
    if (is_file(path))
        return path;
    program_share(share, sizeof share, NULL);
    snprintf(path, sizeof path, "%s/pipelines/%s.conf", share, name);
    return is_file(path) ? path : name;
}

static bool is_bare(const char *name) {
    return !strpbrk(name, "/.");
}

static int is_conf(const struct dirent *f) {
    size_t n = strlen(f->d_name);
    return n > 5 && strcmp(f->d_name + n - 5, ".conf") == 0;
}

static void add_known(struct buf *b, const char *dir) {
    struct dirent **f;
    int n = scandir(dir, &f, is_conf, alphasort);
    for (int i = 0; i < n; i++) {
        buf_printf(b, "%s%.*s", buf_len(b) ? ", " : "", (int)strlen(f[i]->d_name) - 5,
                   f[i]->d_name);
        free(f[i]);
    }
    if (n >= 0)
        free(f);
}

static bool is_same(const char *a, const char *b) {
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

/* Of a bare name: where it was looked for, and what there is. */
static int say_unknown(const char *name) {
    char share[PROGRAM_PATH - 256], dir[PROGRAM_PATH];
    struct buf known = {0};
    program_share(share, sizeof share, NULL);
    snprintf(dir, sizeof dir, "%s/pipelines", share);
    fprintf(stderr, "tapline: no pipeline %s (neither ./%s nor pipelines/%s.conf", name, name,
            name);
    add_known(&known, "pipelines");
    if (!is_same("pipelines", dir)) {
        fprintf(stderr, " nor %s/%s.conf", dir, name);
        add_known(&known, dir);
    }
    buf_putc(&known, 0);
    const char *names = (const char *)buf_data(&known);
    fprintf(stderr, "; there are: %s)\n", names[0] ? names : "none");
    buf_free(&known);
    return 2;
}

struct words {
    char *word[WORDS_MAX];
    size_t n;
};

static void add(struct words *w, const char *word) {
    if (w->n + 1 < WORDS_MAX)
        w->word[w->n++] = (char *)word;
}

static int become_supervisor(struct words *w, char **operands, int n) {
    const char *file = find_file(operands[0]);
    if (is_bare(operands[0]) && !is_file(file))
        return say_unknown(operands[0]);
    add(w, "--");
    add(w, file);
    for (int i = 1; i < n; i++)
        add(w, operands[i]);
    return run_program("supervisor", w->word);
}

int up_main(int argc, char **argv) {
    struct words w = {{"supervisor"}, 1};
    int n, status = opt_parse(&up_program, argc, argv, &n);
    if (status >= 0)
        return status;
    if (n < 1)
        return opt_usage_error(&up_program, "which pipeline? (as in tapline up demo)");
    if (detach)
        add(&w, "--detach");
    if (quiet)
        add(&w, "--quiet");
    for (int i = 0; i < verbose; i++)
        add(&w, "--verbose");
    if (log_file) {
        add(&w, "--log");
        add(&w, log_file);
    }
    return become_supervisor(&w, argv + 1, n);
}

static int only_say(const struct opt_program *program, char *option, int argc, char **argv) {
    struct words w = {{"supervisor", option}, 2};
    int n, status = opt_parse(program, argc, argv, &n);
    if (status >= 0)
        return status;
    if (n < 1)
        return opt_usage_error(program, "which pipeline file?");
    return become_supervisor(&w, argv + 1, n);
}

int check_main(int argc, char **argv) {
    return only_say(&check_program, "--check", argc, argv);
}

int graph_main(int argc, char **argv) {
    return only_say(&graph_program, "--graph", argc, argv);
}
