/* supervisor: runs one pipeline: starts its stages, joins them by pipes, starts them again when
 * they end, watches that they report, collects their logs.
 *
 * In:   a pipeline file (see conf.h) with NAME=VALUE for its variables; reports of the stages at
 *       $TAPLINE_RUN/report.sock; requests status, restart, stop, logs at the endpoint
 * `supervisor`. Out:  log lines on standard error; sys.NAME and log.line at the endpoint
 * `supervisor`. Ends: 0 on SIGTERM, SIGINT or request, when every stage is down (killed, if need
 * be, after its stop_timeout), or when all have ended well by themselves; 1 when it cannot start; 2
 * when the command line or the pipeline file is wrong. When it is killed, its guard ends the
 * stages.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph.h"
#include "opt.h"
#include "program.h"
#include "secret_env.h"
#include "supervisor.h"

static bool detach, check_only, graph_only, quiet;
static int verbose;
static const char *log_file;

static const struct opt options[] = {
    {"check", 0, OPT_FLAG, &check_only, NULL, "say what is wrong with the file and end", 0, 0},
    {"graph", 0, OPT_FLAG, &graph_only, NULL, "print the pipeline as Graphviz text and end", 0, 0},
    {"detach", 'd', OPT_FLAG, &detach, NULL, "return once every stage is ready", 0, 0},
    {"log", 0, OPT_TEXT, &log_file, "FILE", "append the log to FILE, too", 0, 0},
    {"verbose", 'v', OPT_COUNT, &verbose, NULL, "say more", 0, 0},
    {"quiet", 'q', OPT_FLAG, &quiet, NULL, "say only warnings and errors", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static const struct opt_program program = {
    .name = "supervisor",
    .summary = "run the stages of a pipeline",
    .synopsis = "FILE [NAME=VALUE]...",
    .details =
        "People usually say tapline up FILE instead. NAME=VALUE sets a variable of the file.\n",
    .tables = {options, NULL},
};

static struct supervisor sup;

static int print_problems(const struct plan_problems *p) {
    for (size_t i = 0; i < p->n; i++)
        fprintf(stderr, "%s\n", p->text[i]);
    return 2;
}

static int print_checked(const struct plan *p) {
    printf("%s: pipeline %s, %zu stages, no problem found\n", p->conf.path, p->name, p->stages);
    return 0;
}

static void warn_unused(const char *file, char **words, size_t n) {
    size_t at = 0;
    for (const char *w; (w = plan_unused(&sup.plan, words, n, &at));)
        log_warn("%s does not use the variable %.*s", file, (int)strcspn(w, "="), w);
}

static int run(struct err *e) {
    int status = 1;
    bool opened = (!detach || detach_begin(e) == 0) && supervisor_open(&sup, e) == 0;
    if (opened)
        status = supervisor_run(&sup);
    else
        log_error("%s", e->text);
    return supervisor_close(&sup, status);
}

int main(int argc, char **argv) {
    struct err e;
    /* The words lie one behind the other; opt_parse will change their order. */
    sup.guard.title = argv[0];
    sup.guard.title_bytes = (size_t)(argv[argc - 1] - argv[0]) + strlen(argv[argc - 1]);
    secret_env_hide_all();
    int n, status = opt_parse(&program, argc, argv, &n);
    if (status >= 0)
        return status;
    if (n < 1)
        return opt_usage_error(&program, "which pipeline file?");
    program_hold_standard();
    sup.file = realpath(argv[1], NULL);
    sup.detached = detach;
    sup.log_file = log_file;
    sup.level = verbose ? LOG_DEBUG : quiet ? LOG_WARN : LOG_INFO;
    log_init("supervisor", sup.level);
    if (plan_load(&sup.plan, argv[1], argv + 2, (size_t)n - 1) < 0)
        status = print_problems(&sup.plan.problems);
    else if (graph_only)
        status = graph_print(&sup.plan);
    else if (plan_programs_check(&sup.plan) < 0)
        status = print_problems(&sup.plan.problems);
    else if (check_only)
        status = print_checked(&sup.plan);
    else {
        warn_unused(argv[1], argv + 2, (size_t)n - 1);
        return run(&e);
    }
    plan_free(&sup.plan);
    free(sup.file);
    return opt_printed("supervisor", status);
}
