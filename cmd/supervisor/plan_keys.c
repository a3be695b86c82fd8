#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "opt.h"
#include "plan.h"

enum { STOP_MS = 900, BACKOFF_MS = 250, WATCHDOG_MS = 10000 };

/* Upper bound of the durations: a value above it is a slip. */
enum { DAY_MS = 24 * 3600 * 1000 };

static void take_restart(struct plan *p, struct plan_keys *k, const struct conf_entry *v) {
    static const char *const words[] = {"always", "on-failure", "never"};
    for (int i = 0; i < 3; i++)
        if (strcmp(v->value, words[i]) == 0) {
            k->restart = (enum restart_policy)i;
            return;
        }
    plan_problem(p, v->line, "restart = %s (always, on-failure or never)", v->value);
}

static int64_t take_number(struct plan *p, const struct conf_entry *v, enum opt_kind kind,
                           int64_t min, int64_t max) {
    struct err e;
    int64_t n = 0;
    if (opt_number(kind, v->value, &n, &e) < 0)
        plan_problem(p, v->line, "%s = %s", v->key, e.text);
    else if (n < min || n > max)
        plan_problem(p, v->line, "%s = %s is out of range (%lld to %lld)", v->key, v->value,
                     (long long)min, (long long)max);
    else
        return n;
    return min;
}

static void take_backoff(struct plan *p, struct plan_keys *k, const struct conf_entry *v) {
    k->backoff_ms = take_number(p, v, OPT_DURATION, 1, DAY_MS);
}

static void take_stop(struct plan *p, struct plan_keys *k, const struct conf_entry *v) {
    k->stop_ms = take_number(p, v, OPT_DURATION, 1, DAY_MS);
}

static void take_watchdog(struct plan *p, struct plan_keys *k, const struct conf_entry *v) {
    k->watchdog_ms = take_number(p, v, OPT_DURATION, 0, DAY_MS);
    if (k->watchdog_ms && k->watchdog_ms < 2000)
        plan_problem(p, v->line,
                     "watchdog = %s is too short: stages report once a second (at least 2s, 0 is"
                     " off)",
                     v->value);
}

static void take_memory(struct plan *p, struct plan_keys *k, const struct conf_entry *v) {
    k->memory = take_number(p, v, OPT_SIZE, 1 << 20, (int64_t)1 << 50);
}

static void take_dir(struct plan *p, struct plan_keys *k, const struct conf_entry *v) {
    struct stat st;
    k->dir = v->value;
    if (stat(v->value, &st) < 0)
        plan_problem(p, v->line, "dir = %s: %s", v->value, strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        plan_problem(p, v->line, "dir = %s is no directory", v->value);
}

static void take_user(struct plan *p, struct plan_keys *k, const struct conf_entry *v) {
    const struct passwd *u = getpwnam(v->value);
    if (!u) {
        plan_problem(p, v->line, "user = %s: there is no such user", v->value);
        return;
    }
    if (geteuid() != 0 && u->pw_uid != geteuid())
        plan_problem(p, v->line, "user = %s: only root can run a stage as somebody else", v->value);
    k->user = v->value;
    k->uid = u->pw_uid;
    k->gid = u->pw_gid;
}

/* "3" or "2-5" at *at, which moves behind it; false when it is neither. */
static bool take_range(const char **at, cpu_set_t *set) {
    char *end;
    if (**at < '0' || **at > '9')
        return false;
    unsigned long first = strtoul(*at, &end, 10), last = first;
    if (*end == '-' && end[1] >= '0' && end[1] <= '9')
        last = strtoul(end + 1, &end, 10);
    if (first > last || last >= CPU_SETSIZE)
        return false;
    for (; first <= last; first++)
        CPU_SET(first, set);
    *at = end;
    return true;
}

static bool parse_cpus(const char *text, cpu_set_t *set) {
    CPU_ZERO(set);
    while (take_range(&text, set)) {
        if (!*text)
            return true;
        if (*text++ != ',')
            return false;
        text += strspn(text, " ");
    }
    return false;
}

/* An empty value leaves the choice to the kernel, so that a variable can. */
static void take_cpu(struct plan *p, struct plan_keys *k, const struct conf_entry *v) {
    cpu_set_t ours, both;
    if (!*v->value)
        return;
    k->cpu = v->value;
    if (!parse_cpus(v->value, &k->cpus)) {
        plan_problem(p, v->line, "cpu = %s: write numbers as in 0 or 0,2-3", v->value);
        return;
    }
    if (sched_getaffinity(0, sizeof ours, &ours) < 0)
        return;
    CPU_AND(&both, &ours, &k->cpus);
    if (!CPU_COUNT(&both))
        plan_problem(p, v->line,
                     "cpu = %s: none of these may be used here (see nproc, taskset -p $$)",
                     v->value);
}

static const struct key {
    const char *name;
    void (*take)(struct plan *p, struct plan_keys *k, const struct conf_entry *v);
} keys[] = {
    {"run", NULL},
    {"only_if", NULL},
    {"restart", take_restart},
    {"backoff", take_backoff},
    {"stop_timeout", take_stop},
    {"watchdog", take_watchdog},
    {"dir", take_dir},
    {"user", take_user},
    {"limit.memory", take_memory},
    {"cpu", take_cpu},
};

static void take(struct plan *p, struct plan_section *s, const struct conf_entry *v) {
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(v->key, keys[i].name) == 0) {
            if (keys[i].take)
                keys[i].take(p, &s->keys, v);
            return;
        }
    if (strncmp(v->key, "env.", 4) != 0) {
        plan_problem(
            p, v->line,
            "unknown key \"%s\" in [%s] (run, only_if, restart, backoff, stop_timeout, watchdog,"
            " env.NAME, dir, user, limit.memory, cpu)",
            v->key, s->conf->name);
    } else if (!v->key[4] || conf_name_len(v->key + 4) != strlen(v->key + 4)) {
        plan_problem(p, v->line, "%s: no name of a variable (letters, digits, _)", v->key);
    }
}

void plan_keys_read(struct plan *p, struct plan_section *s) {
    s->keys = (struct plan_keys){.restart = RESTART_ALWAYS,
                                 .backoff_ms = BACKOFF_MS,
                                 .stop_ms = STOP_MS,
                                 .watchdog_ms = WATCHDOG_MS};
    for (size_t i = 0; i < s->conf->n; i++)
        take(p, s, &s->conf->entry[i]);
}
