/* What only a program itself knows to be wrong with its command line: each of tapline's own stages
 * is run with --check, as it will be run (environment, directory, user), which parses its options
 * and ends. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environ.h"
#include "lines.h"
#include "spawn.h"

enum { CHECK_MS = 5000, EXIT_USAGE = 2 };

struct check {
    const struct plan_stage *stage;
    pid_t pid; /* 0 = nothing was started */
    int out, failure;
    char said[200]; /* its first line */
};

/* Behind the word that chooses what the program is to be (dispatch panel), or in front of all: at
 * the end it might be taken for the value of an option that lacks one. 0 = it cannot be asked. */
static size_t place_of_check(const struct plan_stage *s) {
    static const char *const stages[] = {"tap", "record", "play", "put"};
    const char *slash = strrchr(s->program, '/'), *word = s->cmd->argc > 1 ? s->cmd->argv[1] : "-";
    if (strcmp(slash + 1, "supervisor") == 0)
        return 0;
    if (strcmp(slash + 1, "tapline") != 0)
        return word[0] == '-' ? 1 : 2;
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        if (strcmp(word, stages[i]) == 0)
            return 2;
    return 0;
}

static char **with_check(const struct plan_stage *s, size_t place) {
    char **argv = mem_alloc((s->cmd->argc + 2) * sizeof *argv);
    for (size_t i = 0, o = 0; i <= s->cmd->argc; i++) {
        if (i == place)
            argv[o++] = "--check";
        if (i < s->cmd->argc)
            argv[o++] = s->cmd->argv[i];
    }
    return argv;
}

static void start(struct check *c, const struct plan_stage *s, int null_fd) {
    const struct plan_keys *k = &s->section->keys;
    size_t place = s->own ? place_of_check(s) : 0;
    int fd[2];
    *c = (struct check){.stage = s, .out = -1, .failure = -1};
    if (!place || pipe2(fd, O_CLOEXEC) < 0)
        return;
    char **argv = with_check(s, place), **env = environ_make(s, getenv("TAPLINE_RUN"), -1);
    struct spawn sp = {.program = s->program,
                       .argv = argv,
                       .env = env,
                       .dir = k->dir,
                       .in = null_fd,
                       .out = null_fd,
                       .err = fd[1],
                       .keep = -1};
    if (k->user)
        spawn_user(&sp, k->user, k->uid, k->gid);
    pid_t pid = spawn_start(&sp, &c->failure);
    c->pid = pid > 0 ? pid : 0;
    c->out = fd[0];
    close(fd[1]);
    environ_free(env);
    free(argv);
}

static void take_first(void *ctx, int level, const char *text) {
    struct check *c = ctx;
    (void)level;
    if (!c->said[0])
        snprintf(c->said, sizeof c->said, "%s", text);
}

static void listen_to(struct check *c, uint64_t until_ns) {
    struct lines lines = {0};
    char bytes[4096];
    for (;;) {
        uint64_t now = clock_mono_ns();
        struct pollfd p = {.fd = c->out, .events = POLLIN};
        if (now >= until_ns || poll(&p, 1, (int)((until_ns - now) / 1000000u) + 1) <= 0)
            break;
        ssize_t n = read(c->out, bytes, sizeof bytes);
        if (n <= 0)
            break;
        lines_feed(&lines, bytes, (size_t)n, take_first, c);
    }
    lines_end(&lines, take_first, c);
}

/* What a stage logs does not say which program it is. */
static void say(struct plan *p, const struct check *c) {
    const struct conf_section *s = c->stage->section->conf;
    const char *name = c->stage->cmd->argv[0];
    bool named = strncmp(c->said, name, strlen(name)) == 0;
    plan_problem(p, conf_section_line(s, "run"), "[%s] %s%s%s", s->name, named ? "" : name,
                 named ? "" : ": ", c->said);
}

/* Only what it calls bad usage is held against the file: the rest may be well when it is run. */
static void end(struct plan *p, struct check *c, uint64_t until_ns) {
    int status = 0;
    if (c->pid) {
        listen_to(c, until_ns);
        if (clock_mono_ns() >= until_ns)
            kill(-c->pid, SIGKILL);
        waitpid(c->pid, &status, 0);
        close(c->failure);
    }
    if (c->out >= 0)
        close(c->out);
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_USAGE)
        say(p, c);
}

int plan_programs_check(struct plan *p) {
    struct check *check = mem_alloc(p->stages * sizeof *check);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    uint64_t until_ns = clock_mono_ns() + CHECK_MS * 1000000ull;
    for (size_t i = 0; i < p->stages; i++)
        start(&check[i], &p->stage[i], null_fd);
    for (size_t i = 0; i < p->stages; i++)
        end(p, &check[i], until_ns);
    close(null_fd);
    free(check);
    return p->problems.n ? -1 : 0;
}
