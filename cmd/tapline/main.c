/* tapline: the command people type.
 *
 * In:   the name of a subcommand (the table below), of any of tapline's programs, or of a pipeline.
 * Out:  the subcommand's.
 * Ends: 0 done, 1 failed, 2 bad usage; or as the program it becomes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "commands.h"
#include "opt.h"
#include "pick.h"
#include "pipefile.h"
#include "program.h"
#include "run.h"

#define SUMMARY "devices on one side, people and programs on the other"

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    bool on_bus; /* dials endpoints of the running pipeline */
    const char *description;
};

static int help_main(int argc, char **argv);

static const struct command commands[] = {
    {"up", up_main, false, "start a pipeline (-d: and return once it is ready)"},
    {"down", down_main, false, "stop it"},
    {"status", status_main, false, "its stages: state, rates, losses, latency"},
    {"logs", logs_main, false, "its log (-f: as it grows)"},
    {"restart", restart_main, false, "start a stage, or all, again"},
    {"list", list_main, false, "the pipelines that are running"},
    {"check", check_main, false, "say what is wrong with a pipeline file"},
    {"graph", graph_main, false, "draw a pipeline file (Graphviz)"},
    {"tap", tap_main, true, "show the messages of an endpoint"},
    {"record", record_main, true, "keep messages in a file"},
    {"play", play_main, true, "publish a recording as it was, at its pace"},
    {"info", info_main, false, "what is in a recording"},
    {"put", put_main, true, "publish lines of JSON as messages"},
    {"req", req_main, true, "one request to a stage"},
    {"hev", hev_main, false, "values, alarms and commands of a ventilator, over TCP"},
    {"camera", camera_main, false, "settings, password and data stream of a camera, over TCP"},
    {"sim", sim_main, false, "pretend to be a device (devsim)"},
    {"help", help_main, false, "this, or the help of a subcommand"},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static int print_help(FILE *to) {
    fprintf(to, "tapline: " SUMMARY "\n\n"
                "usage: tapline [-p PIPELINE] COMMAND ...\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].description);
    fprintf(to, "\nAny other COMMAND is one of tapline's programs: tapline framedecode --help\n"
                "or a pipeline, which is started: tapline espcam --help\n"
                "-p names the pipeline where several are running.\n");
    return to == stderr ? 2 : opt_printed("tapline", 0);
}

/* The page and the words of completion; --help is a screen of its own. */
static int print_as(void (*print)(const struct opt_program *p)) {
    static const char *pipeline;
    static const struct opt options[] = {
        {"", 'p', OPT_TEXT, &pipeline, "PIPELINE", "this one, where several are running", 0, 0},
        {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};
    struct buf page = {0}, words = {0};
    for (size_t i = 0; i < COMMANDS; i++) {
        buf_printf(&page, "%-9s %s\n", commands[i].name, commands[i].description);
        buf_printf(&words, "%s ", commands[i].name);
    }
    buf_puts(&page,
             "\nAny other COMMAND is one of tapline's programs, or a pipeline, which is started."
             "\nCommands and programs have pages: tapline-up(1), tapline-serialcat(1)\n");
    buf_putc(&page, 0);
    buf_printf(&words, "%s%s", run_programs(), pipefile_names());
    buf_putc(&words, 0);
    print(&(struct opt_program){.name = "tapline",
                                .summary = SUMMARY,
                                .synopsis = "COMMAND ...",
                                .details = (char *)buf_data(&page),
                                .words = (char *)buf_data(&words),
                                .tables = {options, NULL}});
    buf_free(&page);
    buf_free(&words);
    return opt_printed("tapline", 0);
}

static const struct command *find(const char *name) {
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* tapline NAME ...: tapline up NAME ... */
static int run_pipeline(int argc, char **argv) {
    char **up = mem_alloc(((size_t)argc + 2) * sizeof *up);
    up[0] = "up";
    memcpy(up + 1, argv, (size_t)argc * sizeof *argv);
    int status = up_main(argc + 1, up);
    free(up);
    return status;
}

static int run_command(int argc, char **argv) {
    const struct command *c = find(argv[0]);
    if (!c && !run_is_program(argv[0]) && pipefile_known(argv[0]))
        return run_pipeline(argc, argv);
    if (!c)
        return run_program(argv[0], argv);
    if (c->on_bus)
        pick_quietly();
    return opt_printed("tapline", c->run(argc, argv));
}

static int help_main(int argc, char **argv) {
    char *help[] = {argc > 1 ? argv[1] : NULL, "--help", NULL};
    return argc > 1 ? run_command(2, help) : print_help(stdout);
}

/* Options before the subcommand: -p PIPELINE. The number of words taken, or -1. */
static int take_pipeline(int argc, char **argv) {
    if (argc < 2 || strncmp(argv[1], "-p", 2) != 0)
        return 0;
    bool joined = argv[1][2] != 0;
    if (!joined && argc < 3)
        return -1;
    pick_name(joined ? argv[1] + 2 : argv[2]);
    return joined ? 1 : 2;
}

static bool is(const char *word, const char *a, const char *b) {
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

int main(int argc, char **argv) {
    program_hold_standard();
    int taken = take_pipeline(argc, argv);
    if (taken < 0 || argc < 2 + taken)
        return print_help(stderr);
    char *first = argv[1 + taken];
    if (is(first, "--help", "-h"))
        return print_help(stdout);
    if (strcmp(first, "--help=man") == 0)
        return print_as(opt_man);
    if (strcmp(first, "--help=words") == 0)
        return print_as(opt_words);
    if (is(first, "--version", "-V")) {
        printf("tapline %s\n", TAPLINE_VERSION);
        return opt_printed("tapline", 0);
    }
    if (first[0] == '-') {
        fprintf(stderr, "tapline: unknown option %s (see tapline --help)\n", first);
        return 2;
    }
    return run_command(argc - 1 - taken, argv + 1 + taken);
}
