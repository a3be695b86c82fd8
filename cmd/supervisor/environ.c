#include "environ.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "program.h"
#include "secret_env.h"
#include "tally.h"

/* Meant for the supervisor alone. */
static bool is_ours(const char *entry) {
    static const char *const names[] = {"TAPLINE_STAGE=",  "TAPLINE_RUN=",   TALLY_ENV "=",
                                        "TAPLINE_STDIN=",  "NOTIFY_SOCKET=", "WATCHDOG_PID=",
                                        "WATCHDOG_USEC=",  "LISTEN_PID=",    "LISTEN_FDS=",
                                        "LISTEN_FDNAMES=", "JOURNAL_STREAM="};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(entry, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* A later NAME=VALUE replaces an earlier one. */
static void put(char **env, size_t *n, const char *name, const char *value) {
    char *entry = mem_alloc(strlen(name) + strlen(value) + 2);
    size_t len = (size_t)sprintf(entry, "%s=", name);
    strcpy(entry + len, value);
    for (size_t i = 0; i < *n; i++)
        if (strncmp(env[i], entry, len) == 0) {
            free(env[i]);
            env[i] = entry;
            return;
        }
    env[(*n)++] = entry;
}

/* What a stage starts itself (sh -c "...") finds tapline's programs, too. */
static void put_path(char **env, size_t *n) {
    const char *old = getenv("PATH");
    struct buf b = {0};
    buf_printf(&b, "%s:%s", program_dir(), old && *old ? old : "/usr/local/bin:/usr/bin:/bin");
    buf_putc(&b, 0);
    put(env, n, "PATH", (char *)buf_data(&b));
    buf_free(&b);
}

static void put_user(char **env, size_t *n, const char *user) {
    const struct passwd *u = user ? getpwnam(user) : NULL;
    if (!u)
        return;
    put(env, n, "HOME", u->pw_dir);
    put(env, n, "USER", u->pw_name);
    put(env, n, "LOGNAME", u->pw_name);
}

static void put_tally(char **env, size_t *n, int fd) {
    char number[16];
    snprintf(number, sizeof number, "%d", fd);
    if (fd >= 0)
        put(env, n, TALLY_ENV, number);
}

char **environ_make(const struct plan_stage *stage, const char *run_dir, int tally) {
    const struct conf_section *c = stage->section->conf;
    size_t n = 0, room = c->n + 9;
    for (char **e = environ; *e; e++)
        room++;
    char **env = mem_alloc(room * sizeof *env);
    for (char **e = environ; *e; e++)
        if (!is_ours(*e) && secret_env_is_for(*e, stage->cmd->argv))
            env[n++] = mem_strdup(*e);
    put_path(env, &n);
    put_user(env, &n, stage->section->keys.user);
    put(env, &n, "TAPLINE_RUN", run_dir);
    put(env, &n, "TAPLINE_STAGE", stage->name);
    put_tally(env, &n, tally);
    /* The stages of a section follow one another in the plan. */
    if (stage->place > 0 && !stage[-1].own)
        put(env, &n, "TAPLINE_STDIN", "any");
    for (size_t i = 0; i < c->n; i++)
        if (strncmp(c->entry[i].key, "env.", 4) == 0)
            put(env, &n, c->entry[i].key + 4, c->entry[i].value);
    return env;
}

void environ_free(char **env) {
    for (size_t i = 0; env && env[i]; i++)
        free(env[i]);
    free(env);
}
