/* tapline up, check, graph: all hand a pipeline file to the supervisor. */
#include <stdio.h>

#include "commands.h"
#include "pipefile.h"
#include "pipeopts.h"
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
    .synopsis = "FILE [OPTION of it]... [NAME=VALUE]...",
    .details =
        "FILE may be the bare name of a pipeline in ./pipelines, in /etc/tapline or of those that"
        " came with\ntapline. It runs until Ctrl-C or tapline down.\n"
        "tapline up FILE --help tells its options and variables; tapline NAME ... is the same as"
        " tapline up NAME ...\n",
    .tables = {up_options, NULL},
};

static const struct opt_program check_program = {
    .name = "tapline check",
    .summary = "say what is wrong with a pipeline file",
    .synopsis = "FILE [OPTION of it]... [NAME=VALUE]...",
    .tables = {NULL},
};

static const struct opt_program graph_program = {
    .name = "tapline graph",
    .summary = "draw a pipeline file (Graphviz)",
    .synopsis = "FILE [OPTION of it]... [NAME=VALUE]...",
    .details = "As in: tapline graph panel | dot -Tsvg >panel.svg\n"
               "Pipes are bold, named pipes dashed, NNG is blue, requests are dotted.\n",
    .tables = {NULL},
};

struct words {
    const char *word[WORDS_MAX];
    size_t n;
};

static void add(void *ctx, const char *word) {
    struct words *w = ctx;
    if (w->n + 1 < WORDS_MAX)
        w->word[w->n++] = word;
}

/* FILE is argv[0]; what follows are the options it declares, the command's, and variables. Back
 * only when nothing was started, with the exit status. */
static int run_file(struct words *w, struct pipeopts *p, int argc, char **argv,
                    void (*add_options)(struct words *w)) {
    struct err e;
    int n, status = pipeopts_parse(p, argc, argv, &n);
    if (status >= 0)
        return status;
    add_options(w);
    add(w, "--");
    add(w, p->conf.path);
    if (pipeopts_each(p, add, w, &e) < 0)
        return opt_usage_error(&p->program, "%s", e.text);
    for (int i = 1; i <= n; i++)
        add(w, argv[i]);
    return run_program("supervisor", (char **)w->word);
}

/* Options in front of the file are the command's, those behind it the file's first: so tapline up
 * -d FILE detaches, whatever -d means to the pipeline. */
static int hand_over(const struct opt_program *command, int argc, char **argv, struct words *w,
                     void (*add_options)(struct words *w)) {
    struct pipeopts p;
    struct err e;
    int first = opt_first_operand(command, argc, argv), n;
    struct opt_program named = *command;
    named.words = pipefile_names();
    int status = opt_parse(&named, first, argv, &n);
    if (status >= 0)
        return status;
    if (first >= argc)
        return opt_usage_error(command, "which pipeline? (as in %s demo)", command->name);
    const char *file = pipefile_find(argv[first]);
    if (!file)
        return pipefile_say_unknown(argv[first]);
    status = pipeopts_open(&p, command->name, command->tables[0], file, &e);
    if (status < 0) {
        fprintf(stderr, "%s\n", e.text);
        status = 2;
    } else {
        status = run_file(w, &p, argc - first, argv + first, add_options);
    }
    pipeopts_free(&p);
    return status;
}

static void add_up_options(struct words *w) {
    if (detach)
        add(w, "--detach");
    if (quiet)
        add(w, "--quiet");
    for (int i = 0; i < verbose; i++)
        add(w, "--verbose");
    if (log_file) {
        add(w, "--log");
        add(w, log_file);
    }
}

static void add_nothing(struct words *w) {
    (void)w;
}

int up_main(int argc, char **argv) {
    struct words w = {{"supervisor"}, 1};
    return hand_over(&up_program, argc, argv, &w, add_up_options);
}

int check_main(int argc, char **argv) {
    struct words w = {{"supervisor", "--check"}, 2};
    return hand_over(&check_program, argc, argv, &w, add_nothing);
}

int graph_main(int argc, char **argv) {
    struct words w = {{"supervisor", "--graph"}, 2};
    return hand_over(&graph_program, argc, argv, &w, add_nothing);
}
