#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

/* One -i or -o. */
struct wire {
    const struct plan_stage *stage;
    bool output;
    int index; /* among those of its stage */
    struct endpoint ep;
    unsigned line;
};

struct wires {
    struct wire *wire;
    size_t n;
};

static bool is_plain(const struct wire *w) {
    return w->ep.kind == ENDPOINT_NNG && !strstr(w->ep.name, "://");
}

static void add(struct plan *p, struct wires *ws, const struct plan_stage *s, bool output,
                int index, const char *text) {
    struct wire w = {.stage = s,
                     .output = output,
                     .index = index,
                     .line = conf_section_line(s->section->conf, "run")};
    struct err e;
    if (endpoint_parse(&w.ep, text, &e) < 0) {
        plan_problem(p, w.line, "[%s] -%c %s", s->section->conf->name, output ? 'o' : 'i', e.text);
        return;
    }
    ws->wire = mem_resize(ws->wire, (ws->n + 1) * sizeof w);
    ws->wire[ws->n++] = w;
}

/* Only tapline's own programs are known to mean endpoints by -i and -o. */
static void collect(struct plan *p, struct wires *ws) {
    for (const struct plan_stage *s = p->stage; s < p->stage + p->stages; s++) {
        size_t in = 1, out = 1;
        int ins = 0, outs = 0;
        if (!s->own)
            continue;
        for (const char *t; (t = plan_option(s->cmd, &in, 'i', "input"));)
            add(p, ws, s, false, ins++, t);
        for (const char *t; (t = plan_option(s->cmd, &out, 'o', "output"));)
            add(p, ws, s, true, outs++, t);
    }
}

static const struct wire *other_end(const struct wires *ws, const struct wire *w) {
    for (const struct wire *o = ws->wire; o < ws->wire + ws->n; o++)
        if (o->output != w->output && o->ep.kind == w->ep.kind &&
            strcmp(o->ep.name, w->ep.name) == 0)
            return o;
    return NULL;
}

static const struct wire *earlier(const struct wires *ws, const struct wire *w) {
    for (const struct wire *o = ws->wire; o < w; o++)
        if (o->output == w->output && strcmp(o->ep.name, w->ep.name) == 0)
            return o;
    return NULL;
}

/* "; not there, by their only_if: [a] [b]" */
static void name_absent(const struct plan *p, char *out, size_t size) {
    snprintf(out, size, "%s", p->conf.absent ? "; not there, by their only_if:" : "");
    for (size_t i = 0; i < p->conf.absent; i++)
        snprintf(out + strlen(out), size - strlen(out), " [%s]",
                 p->conf.section[p->conf.n + i].name);
}

static void check_input(struct plan *p, const struct wires *ws, const struct wire *w) {
    char known[120] = "", absent[80];
    if (w->output || !is_plain(w) || strcmp(w->ep.name, "supervisor") == 0 || other_end(ws, w))
        return;
    for (const struct wire *o = ws->wire; o < ws->wire + ws->n; o++)
        if (o->output && is_plain(o) && !earlier(ws, o) &&
            strlen(known) + strlen(o->ep.name) + 3 < sizeof known)
            snprintf(known + strlen(known), sizeof known - strlen(known), "%s, ", o->ep.name);
    name_absent(p, absent, sizeof absent);
    plan_problem(p, w->line, "[%s] -i %s: nothing publishes it (there are: %ssupervisor%s)",
                 w->stage->section->conf->name, w->ep.name, known, absent);
}

static void check_fifo(struct plan *p, const struct wires *ws, const struct wire *w) {
    if (w->ep.kind != ENDPOINT_FIFO || other_end(ws, w))
        return;
    plan_problem(p, w->line,
                 "[%s] -%c %s: nothing %s it (a named pipe needs both: -o %s and -i %s)",
                 w->stage->section->conf->name, w->output ? 'o' : 'i', w->ep.name,
                 w->output ? "reads" : "writes", w->ep.name, w->ep.name);
}

/* A name has one publisher, a named pipe also one reader. */
static void check_twice(struct plan *p, const struct wires *ws, const struct wire *w) {
    bool fifo = w->ep.kind == ENDPOINT_FIFO;
    bool single = w->output ? w->ep.kind != ENDPOINT_STDIO : fifo;
    const struct wire *o = single ? earlier(ws, w) : NULL;
    if (o)
        plan_problem(p, w->line, "[%s] -%c %s: stage %s (line %u) %s it already",
                     w->stage->section->conf->name, w->output ? 'o' : 'i', w->ep.name,
                     o->stage->name, o->line, w->output ? fifo ? "writes" : "publishes" : "reads");
    if (w->output && is_plain(w) && strcmp(w->ep.name, "supervisor") == 0)
        plan_problem(p, w->line, "[%s] -o supervisor: that is the supervisor's own (rename it)",
                     w->stage->section->conf->name);
}

/* With -o, standard output is only written when one of them is -. */
static void check_pipe(struct plan *p, const struct wires *ws, const struct plan_stage *s) {
    bool any = false, standard = false;
    for (const struct wire *w = ws->wire; w < ws->wire + ws->n; w++) {
        any |= w->stage == s && w->output;
        standard |= w->stage == s && w->output && w->ep.kind == ENDPOINT_STDIO;
    }
    if (plan_piped_out(s) && any && !standard)
        plan_problem(p, conf_section_line(s->section->conf, "run"),
                     "[%s] %s | %s: nothing would go through this pipe (add -o -)",
                     s->section->conf->name, s->cmd->argv[0], s->cmd[1].argv[0]);
}

/* ---- what is joined to what ---- */

bool plan_piped_in(const struct plan_stage *s) {
    return s->place > 0;
}

bool plan_piped_out(const struct plan_stage *s) {
    return s->place + 1 < s->section->run.n;
}

static bool asks_for_less(const struct wire *w) {
    size_t at = 1;
    return w->ep.prefix[0] || plan_option(w->stage->cmd, &at, '\1', "topic");
}

static void link_to(struct plan *p, const struct plan_link *l) {
    p->link = mem_resize(p->link, (p->links + 1) * sizeof *l);
    p->link[p->links++] = *l;
}

static void link_input(struct plan *p, const struct wires *ws, const struct wire *w) {
    const struct wire *o = w->output || w->ep.kind == ENDPOINT_STDIO ? NULL : other_end(ws, w);
    if (!o)
        return;
    struct plan_link l = {.from = o->stage,
                          .to = w->stage,
                          .out = o->index,
                          .in = w->index,
                          .narrowed = w->ep.kind == ENDPOINT_NNG && asks_for_less(w),
                          .kind = w->ep.kind};
    snprintf(l.via, sizeof l.via, "%s", w->ep.name);
    if (l.kind == ENDPOINT_FIFO)
        snprintf(l.path, sizeof l.path, "%s", w->ep.pub);
    link_to(p, &l);
}

/* The number of "-" among a stage's inputs or outputs: the only one when none is named; -1 when it
 * is not known; -2 when it is not among them. */
static int standard_of(const struct wires *ws, const struct plan_stage *s, bool output) {
    bool any = false;
    for (const struct wire *w = ws->wire; w < ws->wire + ws->n; w++) {
        if (w->stage != s || w->output != output)
            continue;
        if (w->ep.kind == ENDPOINT_STDIO)
            return w->index;
        any = true;
    }
    return !s->own ? -1 : any ? -2 : 0;
}

static void link_pipe(struct plan *p, const struct wires *ws, const struct plan_stage *s) {
    if (!plan_piped_out(s))
        return;
    struct plan_link l = {.from = s,
                          .to = s + 1,
                          .out = standard_of(ws, s, true),
                          .in = standard_of(ws, s + 1, false),
                          .kind = ENDPOINT_STDIO,
                          .via = "pipe"};
    if (l.in != -2)
        link_to(p, &l);
}

void plan_wires_check(struct plan *p) {
    struct wires ws = {0};
    collect(p, &ws);
    for (size_t i = 0; i < ws.n; i++) {
        check_input(p, &ws, &ws.wire[i]);
        check_fifo(p, &ws, &ws.wire[i]);
        check_twice(p, &ws, &ws.wire[i]);
    }
    for (size_t i = 0; i < p->stages; i++)
        check_pipe(p, &ws, &p->stage[i]);
    for (size_t i = 0; i < p->stages; i++)
        link_pipe(p, &ws, &p->stage[i]);
    for (size_t i = 0; i < ws.n; i++)
        link_input(p, &ws, &ws.wire[i]);
    free(ws.wire);
}
