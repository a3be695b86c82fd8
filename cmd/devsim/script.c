#include "script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "log.h"
#include "opt.h"
#include "simcmd.h"

enum { ROUND_MIN_MS = 10 /* a loop without any waiting in it must not take the whole processor */ };

/* ---- reading ---- */

/* "DURATION REST": the time goes to l, REST is returned. */
static const char *take_time(struct script_line *l, const char *text, struct err *e) {
    char word[32];
    int64_t ms;
    const char *rest = simcmd_split(text, word);
    if (opt_number(OPT_DURATION, word, &ms, e) < 0)
        return NULL;
    if (ms < 0) {
        err_set(e, CAUSE_USAGE, "%s: no time before now", word);
        return NULL;
    }
    l->ms = (uint64_t)ms;
    return rest;
}

static int parse_line(struct script *s, struct script_line *l, const char *text, struct err *e) {
    char word[32];
    const char *after = simcmd_split(text, word), *command = text;
    l->loop = strcmp(word, "loop") == 0;
    l->absolute = strcmp(word, "at") == 0;
    bool wait = strcmp(word, "wait") == 0;
    if (l->absolute || wait || strcmp(word, "after") == 0)
        command = take_time(l, after, e);
    if (!command)
        return -1;
    if (l->loop || (wait && !*command))
        return 0;
    if (wait)
        return err_set(e, CAUSE_USAGE, "wait takes a time and nothing else");
    if (s->run(s->ctx, command, true, e) < 0)
        return -1;
    l->command = mem_strdup(command);
    return 0;
}

static int add_line(struct script *s, char *text, struct err *e) {
    text = simcmd_trim(text);
    if (!*text || *text == '#')
        return 0;
    if (s->n == SCRIPT_LINES)
        return err_set(e, CAUSE_LIMIT, "more than %d commands", SCRIPT_LINES);
    return parse_line(s, &s->line[s->n++], text, e);
}

int script_load(struct script *s, const char *path, struct err *e) {
    char text[SIMCMD_MAX];
    struct err why;
    int number = 0, r = 0;
    FILE *f = fopen(path, "re");
    if (!f)
        return err_errno(e, errno, "cannot read the script %s", path);
    s->line = mem_alloc(SCRIPT_LINES * sizeof *s->line);
    while (r == 0 && fgets(text, sizeof text, f)) {
        number++;
        r = add_line(s, text, &why);
    }
    fclose(f);
    return r < 0 ? err_set(e, CAUSE_USAGE, "%s:%d: %s", path, number, why.text) : 0;
}

/* ---- running ---- */

static void on_timer(uv_timer_t *t);

static void plan(struct script *s, uint64_t now) {
    if (s->next == s->n)
        return;
    const struct script_line *l = &s->line[s->next];
    uint64_t due = (l->absolute ? s->start_ms : s->last_ms) + l->ms;
    uv_timer_start(&s->timer, on_timer, due > now ? due - now : 0, 0);
}

static void restart(struct script *s, uint64_t now) {
    s->next = 0;
    s->start_ms = now < s->start_ms + ROUND_MIN_MS ? s->start_ms + ROUND_MIN_MS : now;
    s->last_ms = s->start_ms;
}

static void on_timer(uv_timer_t *t) {
    struct script *s = t->data;
    struct err e;
    uint64_t now = uv_now(t->loop);
    const struct script_line *l = &s->line[s->next++];
    s->last_ms = (l->absolute ? s->start_ms : s->last_ms) + l->ms;
    if (l->loop)
        restart(s, now);
    else if (l->command && s->run(s->ctx, l->command, false, &e) < 0)
        log_warn("script: %s: %s", l->command, e.text);
    if (s->open)
        plan(s, now);
}

void script_start(struct script *s, uv_loop_t *loop) {
    s->open = true;
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    s->start_ms = s->last_ms = uv_now(loop);
    plan(s, s->start_ms);
}

void script_close(struct script *s) {
    if (s->open)
        uv_close((uv_handle_t *)&s->timer, NULL);
    s->open = false;
    for (size_t i = 0; i < s->n; i++)
        free(s->line[i].command);
    free(s->line);
}
