#include "plan.h"

#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_option.h"
#include "rundir.h"

enum { OVERRIDES_MAX = 200, BUILT_IN = 2 /* HERE and SHARE */ };

/* ---- problems ---- */

static void add_problem(struct plan *p, const char *text) {
    if (p->problems.n < PLAN_PROBLEMS)
        p->problems.text[p->problems.n++] = mem_strdup(text);
}

void plan_problem(struct plan *p, unsigned line, const char *fmt, ...) {
    char text[256];
    struct err e;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    conf_error(&p->conf, line, &e, "%s", text);
    add_problem(p, e.text);
}

/* ---- variables ---- */

struct variables {
    struct conf_var var[OVERRIDES_MAX + BUILT_IN];
    size_t n;
    char names[OVERRIDES_MAX][PLAN_NAME];
    char here[PROGRAM_PATH], share[PROGRAM_PATH];
};

static void add_built_in(struct variables *v, const char *file) {
    char *path = realpath(file, NULL);
    snprintf(v->here, sizeof v->here, "%s", path ? dirname(path) : ".");
    free(path);
    program_share(v->share, sizeof v->share, v->here);
    v->var[v->n++] = (struct conf_var){"HERE", v->here};
    v->var[v->n++] = (struct conf_var){"SHARE", v->share};
}

/* One NAME=VALUE. */
static bool add_word(struct plan *p, struct variables *v, const char *word) {
    size_t n = conf_name_len(word);
    char text[200];
    if (!n || word[n] != '=' || n >= PLAN_NAME) {
        snprintf(text, sizeof text,
                 "\"%.80s\" is no variable (write NAME=VALUE, as in DEVICE=/dev/ttyUSB0)", word);
        add_problem(p, text);
        return false;
    }
    char *name = v->names[v->n - BUILT_IN];
    snprintf(name, PLAN_NAME, "%.*s", (int)n, word);
    v->var[v->n++] = (struct conf_var){name, word + n + 1};
    return true;
}

static bool read_words(struct plan *p, struct variables *v, const char *file, char **words,
                       size_t n) {
    add_built_in(v, file);
    if (n > OVERRIDES_MAX) {
        add_problem(p, "more than 200 variables on the command line");
        return false;
    }
    for (size_t i = 0; i < n; i++)
        add_word(p, v, words[i]);
    return p->problems.n == 0;
}

static bool mentions(const struct conf_section *s, const char *name, size_t n) {
    for (size_t i = 0; i < s->n; i++) {
        if (strncmp(s->entry[i].key, name, n) == 0 && !s->entry[i].key[n])
            return true;
        for (const char *at = s->entry[i].raw; (at = strchr(at, '$')); at++) {
            const char *found = at + 1 + (at[1] == '{');
            if (conf_name_len(found) == n && strncmp(found, name, n) == 0)
                return true;
        }
    }
    return false;
}

static bool is_used(const struct plan *p, const char *name, size_t n) {
    bool used = mentions(&p->conf.vars, name, n);
    for (size_t i = 0; i < p->conf.n + p->conf.absent && !used; i++)
        used = mentions(&p->conf.section[i], name, n);
    return used;
}

const char *plan_unused(const struct plan *p, char **words, size_t n, size_t *at) {
    for (; *at < n; ++*at)
        if (!is_used(p, words[*at], conf_name_len(words[*at])))
            return words[(*at)++];
    return NULL;
}

/* ---- [pipeline] ---- */

static bool is_variable(const char *key) {
    return key[strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == 0;
}

/* Expanded from what is written, so that no environment variable called `name` or `open` counts. */
static char *own_text(struct plan *p, const struct conf_entry *v) {
    struct buf b = {0};
    struct err e;
    char *text = NULL;
    if (conf_expand(&p->conf, v->line, v->raw, &b, &e) < 0) {
        add_problem(p, e.text);
    } else {
        buf_putc(&b, 0);
        text = mem_strdup((char *)buf_data(&b));
    }
    buf_free(&b);
    return text;
}

/* Addresses to listen on as a browser takes them: 0.0.0.0 is every interface, and a port alone is
 * this machine's. Consumes text, which may be NULL. */
static char *browsable(char *text) {
    static const char HTTP[] = "http://", ANY[] = "0.0.0.0";
    struct buf b = {0};
    const char *at = text, *url;
    while (at && (url = strstr(at, HTTP))) {
        const char *host = url + strlen(HTTP);
        size_t port = strspn(host, "0123456789");
        bool any = strncmp(host, ANY, strlen(ANY)) == 0 && strchr(":/", host[strlen(ANY)]);
        bool alone = port && (!host[port] || strchr("/ ,", host[port]));
        buf_put(&b, at, (size_t)(host - at));
        buf_printf(&b, "%s", any ? "localhost" : alone ? "localhost:" : "");
        at = any ? host + strlen(ANY) : host;
    }
    if (!buf_len(&b))
        return text;
    buf_printf(&b, "%s", at);
    buf_putc(&b, 0);
    free(text);
    text = mem_strdup((char *)buf_data(&b));
    buf_free(&b);
    return text;
}

static void take_name(struct plan *p) {
    for (size_t i = 0; i < p->conf.vars.n; i++) {
        const struct conf_entry *v = &p->conf.vars.entry[i];
        char *text = strcmp(v->key, "name") == 0 ? own_text(p, v) : NULL;
        if (text && (!endpoint_name_valid(text) || strlen(text) >= PLAN_NAME))
            plan_problem(p, v->line, "name \"%s\": use letters, digits, _ and -, at most 48", text);
        else if (text)
            snprintf(p->name, sizeof p->name, "%s", text);
        free(text);
    }
}

static bool collides(const struct conf_option *a, const struct conf_option *b) {
    return strcmp(a->name, b->name) == 0 || (a->letter && a->letter == b->letter);
}

static void check_option(struct plan *p, const struct conf_entry *v) {
    struct conf_option o, other;
    struct err e;
    if (conf_option_read(&p->conf, v, &o, &e) < 0) {
        add_problem(p, e.text);
        return;
    }
    if (!is_used(p, o.variable, strlen(o.variable)))
        plan_problem(p, v->line, "%s sets $%s, which nothing in the file uses", v->key, o.variable);
    for (const struct conf_entry *w = p->conf.vars.entry; w < v; w++)
        if (conf_option_name(w->key) && conf_option_read(&p->conf, w, &other, &e) == 0 &&
            collides(&o, &other))
            plan_problem(p, v->line, "%s: -%c is %s already, line %u", v->key, o.letter, w->key,
                         w->line);
}

static void read_pipeline(struct plan *p) {
    for (size_t i = 0; i < p->conf.vars.n; i++) {
        const struct conf_entry *v = &p->conf.vars.entry[i];
        if (strcmp(v->key, "open") == 0)
            p->open = browsable(own_text(p, v));
        else if (strcmp(v->key, "description") == 0)
            p->description = own_text(p, v);
        else if (conf_option_name(v->key))
            check_option(p, v);
        else if (strcmp(v->key, "name") != 0 && !is_variable(v->key))
            plan_problem(p, v->line,
                         "unknown key \"%s\" in [pipeline] (name, open, description, option.NAME; a"
                         " variable is written in capitals)",
                         v->key);
    }
}

static void name_after_file(struct plan *p, const char *file) {
    const char *base = strrchr(file, '/');
    snprintf(p->name, sizeof p->name, "%.40s", base ? base + 1 : file);
    char *dot = strrchr(p->name, '.');
    if (dot && dot > p->name)
        *dot = 0;
    for (char *c = p->name; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.", *c))
            *c = '_';
    if (!endpoint_name_valid(p->name))
        snprintf(p->name, sizeof p->name, "pipeline");
}

/* ---- stages ---- */

const char *plan_option(const struct conf_cmd *c, size_t *at, char letter, const char *name) {
    size_t n = strlen(name);
    while (*at < c->argc) {
        const char *a = c->argv[(*at)++];
        if (strcmp(a, "--") == 0)
            *at = c->argc;
        else if (a[0] == '-' && a[1] == letter && a[2])
            return a + 2;
        else if (strncmp(a, "--", 2) == 0 && strncmp(a + 2, name, n) == 0 && a[2 + n] == '=')
            return a + 3 + n;
        else if (((a[0] == '-' && a[1] == letter) ||
                  (strncmp(a, "--", 2) == 0 && strcmp(a + 2, name) == 0)) &&
                 *at < c->argc)
            return c->argv[(*at)++];
    }
    return NULL;
}

/* What one of tapline's own programs publishes as: its first -o NAME, or else its first
 * -o NAME?PREFIX; NULL = none. Valid until the next call. */
static const char *published_name(const struct plan_stage *s) {
    static char name[64];
    size_t at = 1;
    name[0] = 0;
    for (const char *o; s->own && (o = plan_option(s->cmd, &at, 'o', "output"));) {
        if (endpoint_name_valid(o))
            return o;
        if (!name[0])
            snprintf(name, sizeof name, "%.*s", (int)strcspn(o, "?"), o);
        if (!endpoint_name_valid(name))
            name[0] = 0;
    }
    return name[0] ? name : NULL;
}

/* SECTION.PROGRAM, numbered when it would be the name of an earlier stage of the pipe. */
static void name_after_program(struct plan_stage *s) {
    const char *base = strrchr(s->cmd->argv[0], '/');
    size_t same = 1;
    for (const struct plan_stage *o = s - s->place; o < s; o++)
        same += strcmp(o->cmd->argv[0], s->cmd->argv[0]) == 0 && !published_name(o);
    int n = snprintf(s->name, sizeof s->name, "%.40s.%.20s", s->section->conf->name,
                     base ? base + 1 : s->cmd->argv[0]);
    if (same > 1)
        snprintf(s->name + n, sizeof s->name - (size_t)n, "-%zu", same);
}

static void name_stage(struct plan_stage *s) {
    const char *section = s->section->conf->name;
    const char *published = published_name(s);
    if (s->section->run.n == 1)
        snprintf(s->name, sizeof s->name, "%s", section);
    else if (published)
        snprintf(s->name, sizeof s->name, "%s", published);
    else
        name_after_program(s);
}

static void check_name(struct plan *p, const struct plan_stage *s) {
    unsigned line = conf_section_line(s->section->conf, "run");
    char topic[PLAN_NAME + 8];
    int n = snprintf(topic, sizeof topic, "sys.%s", s->name);
    if (!endpoint_name_valid(s->name) || !msg_topic_valid(topic, (size_t)n))
        plan_problem(p, line, "stage name \"%s\": use a-z 0-9 _ and -, at most 48", s->name);
    if (strcmp(s->name, "supervisor") == 0)
        plan_problem(p, line, "stage name \"supervisor\" is the supervisor's own (rename it)");
    for (const struct plan_stage *o = p->stage; o < s; o++)
        if (strcmp(o->name, s->name) == 0)
            plan_problem(p, line,
                         "two stages are called %s (give one an output of its own: -o NAME)",
                         s->name);
}

static void add_stage(struct plan *p, const struct plan_section *sec, size_t place) {
    struct err e;
    struct plan_stage *s = &p->stage[p->stages++];
    s->section = sec;
    s->cmd = &sec->run.cmd[place];
    s->place = place;
    if (program_find(s->program, sizeof s->program, s->cmd->argv[0], &s->own, &e) < 0)
        plan_problem(p, conf_section_line(sec->conf, "run"), "[%s] %s", sec->conf->name, e.text);
    name_stage(s);
    check_name(p, s);
}

static void read_section(struct plan *p, const struct conf_section *c) {
    struct plan_section *s = &p->section[p->sections++];
    struct err e;
    s->conf = c;
    plan_keys_read(p, s);
    if (conf_run(&p->conf, c, &s->run, &e) < 0) {
        add_problem(p, e.text);
        return;
    }
    if (p->stages + s->run.n > PLAN_STAGES) {
        plan_problem(p, c->line, "more than %d stages", PLAN_STAGES);
        return;
    }
    for (size_t i = 0; i < s->run.n; i++)
        add_stage(p, s, i);
}

/* The run directory is a variable of the file ($TAPLINE_RUN), and named after the pipeline unless
 * the environment says otherwise. */
static int set_run_dir(const char *name, struct err *e) {
    char dir[RUNDIR_MAX];
    unsetenv("TAPLINE_RUN");
    return rundir_path(dir, sizeof dir, name, e) < 0 ? -1 : setenv("TAPLINE_RUN", dir, 1);
}

/* A `name` in the file changes the run directory, so what may have mentioned it is read anew. */
static int load_file(struct plan *p, const char *file, const struct variables *v, struct err *e) {
    const char *given = getenv("TAPLINE_RUN");
    bool fixed = given && *given;
    if (!fixed && set_run_dir(p->name, e) < 0)
        return -1;
    if (conf_load(&p->conf, file, v->var, v->n, e) < 0)
        return -1;
    char before[PLAN_NAME];
    memcpy(before, p->name, sizeof before);
    take_name(p);
    if (fixed || strcmp(before, p->name) == 0)
        return 0;
    conf_free(&p->conf);
    return set_run_dir(p->name, e) < 0 ? -1 : conf_load(&p->conf, file, v->var, v->n, e);
}

static int load(struct plan *p, const char *file, char **words, size_t n) {
    struct variables *v = mem_alloc(sizeof *v);
    struct err e;
    int r = -1;
    name_after_file(p, file);
    if (read_words(p, v, file, words, n) && (r = load_file(p, file, v, &e)) < 0)
        add_problem(p, e.text);
    free(v);
    return r;
}

int plan_load(struct plan *p, const char *file, char **words, size_t n) {
    *p = (struct plan){0};
    if (load(p, file, words, n) < 0)
        return -1;
    read_pipeline(p);
    p->section = mem_alloc((p->conf.n + 1) * sizeof *p->section);
    p->stage = mem_alloc(PLAN_STAGES * sizeof *p->stage);
    for (size_t i = 0; i < p->conf.n; i++)
        read_section(p, &p->conf.section[i]);
    if (p->conf.n == 0)
        plan_problem(p, 1,
                     p->conf.absent ? "no stage: the only_if of every section says no"
                                    : "no stage (add a section: [NAME] and run = PROGRAM ...)");
    plan_wires_check(p);
    return p->problems.n ? -1 : 0;
}

void plan_free(struct plan *p) {
    for (size_t i = 0; i < p->sections; i++)
        conf_argv_free(&p->section[i].run);
    for (size_t i = 0; i < p->problems.n; i++)
        free(p->problems.text[i]);
    free(p->section);
    free(p->stage);
    free(p->link);
    free(p->open);
    free(p->description);
    conf_free(&p->conf);
}
