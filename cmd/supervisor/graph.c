#include "graph.h"

#include <stdio.h>
#include <string.h>

/* ---- DOT ---- */

static void put_text(const char *s) {
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            putchar('\\');
        putchar(*s);
    }
}

static void put_quoted(const char *s) {
    putchar('"');
    put_text(s);
    putchar('"');
}

/* A device or listening address is no stage, though it may be called like one. */
static void put_outside(const char *kind, const char *name) {
    printf("\"%s ", kind);
    put_text(name);
    putchar('"');
}

/* ---- stages ---- */

static void put_stage(const struct plan_stage *s) {
    const char *program = strrchr(s->cmd->argv[0], '/');
    program = program ? program + 1 : s->cmd->argv[0];
    printf("    ");
    put_quoted(s->name);
    printf(" [label=\"");
    put_text(s->name);
    if (strcmp(program, s->name) != 0) {
        printf("\\n");
        put_text(program);
    }
    printf("\"];\n");
}

/* What is joined by pipes in one section stands together. */
static void put_section(const struct plan *p, const struct plan_section *sec) {
    bool framed = sec->run.n > 1;
    if (framed) {
        printf("  subgraph \"cluster_");
        put_text(sec->conf->name);
        printf("\" {\n    label=");
        put_quoted(sec->conf->name);
        printf(";\n");
    }
    for (size_t i = 0; i < p->stages; i++)
        if (p->stage[i].section == sec)
            put_stage(&p->stage[i]);
    if (framed)
        printf("  }\n");
}

/* ---- wires ---- */

static void put_link(const struct plan_link *l) {
    static const char *const looks[] = {
        [ENDPOINT_STDIO] = "penwidth=2",
        [ENDPOINT_FIFO] = "penwidth=2, style=dashed",
        [ENDPOINT_NNG] = "color=\"#2563eb\", fontcolor=\"#2563eb\"",
    };
    static const char *const kinds[] = {"pipe", "fifo", "nng"};
    printf("  ");
    put_quoted(l->from->name);
    printf(" -> ");
    put_quoted(l->to->name);
    printf(" [class=%s, %s", kinds[l->kind], looks[l->kind]);
    if (l->kind != ENDPOINT_STDIO) {
        printf(", label=");
        put_quoted(l->via);
    }
    printf("];\n");
}

/* ---- what lies outside ---- */

/* Both sides of a device name it alike: the stage that owns it, and one that pretends to be it. */
static void put_device(const struct plan_stage *s, const char *path, bool pretends) {
    printf("  ");
    put_outside("device", path);
    printf(" [label=");
    put_quoted(path);
    printf(", shape=component];\n  ");
    if (pretends) {
        put_quoted(s->name);
        printf(" -> ");
        put_outside("device", path);
    } else {
        put_outside("device", path);
        printf(" -> ");
        put_quoted(s->name);
    }
    printf(" [class=device, dir=both];\n");
}

static void put_clients(const struct plan_stage *s, const char *address) {
    printf("  ");
    put_outside("clients", address);
    printf(" [label=\"clients\\n");
    put_text(address);
    printf("\", shape=ellipse];\n  ");
    put_outside("clients", address);
    printf(" -> ");
    put_quoted(s->name);
    printf(" [class=clients, dir=both];\n");
}

static bool publishes(const struct plan_stage *s, const char *name) {
    size_t at = 1;
    for (const char *o; s->own && (o = plan_option(s->cmd, &at, 'o', "output"));)
        if (strcmp(o, name) == 0)
            return true;
    return false;
}

/* "GET /status ask rules status", "WS /ws ws ws": requests or sockets go to that stage. */
static bool routes_to(const struct plan_stage *s, const char *action, const struct plan_stage *to) {
    char word[8], name[PLAN_NAME];
    size_t at = 1;
    for (const char *r; (r = plan_option(s->cmd, &at, '\1', "route"));)
        if (sscanf(r, "%*s %*s %7s %63s", word, name) == 2 && strcmp(word, action) == 0 &&
            publishes(to, name))
            return true;
    return false;
}

static void put_route(const struct plan_stage *s, const char *action, const char *label,
                      const struct plan_stage *to) {
    if (!routes_to(s, action, to))
        return;
    printf("  ");
    put_quoted(s->name);
    printf(" -> ");
    put_quoted(to->name);
    printf(" [class=route, style=dotted, label=%s];\n", label);
}

static void put_options(const struct plan *p, const struct plan_stage *s) {
    size_t device = 1, link = 1, listen = 1;
    for (const char *v; (v = plan_option(s->cmd, &device, '\1', "device"));)
        put_device(s, v, false);
    for (const char *v; (v = plan_option(s->cmd, &link, '\1', "link"));)
        put_device(s, v, true);
    for (const char *v; (v = plan_option(s->cmd, &listen, '\1', "listen"));)
        put_clients(s, v);
    for (size_t i = 0; i < p->stages; i++) {
        put_route(s, "ask", "asks", &p->stage[i]);
        put_route(s, "ws", "sockets", &p->stage[i]);
    }
}

int graph_print(const struct plan *p) {
    printf("digraph ");
    put_quoted(p->name);
    printf(" {\n  label=");
    put_quoted(p->description ? p->description : p->name);
    printf(";\n  labelloc=t;\n  rankdir=LR;\n  fontname=\"sans-serif\";\n"
           "  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n"
           "  edge [fontname=\"sans-serif\", fontsize=10];\n");
    for (size_t i = 0; i < p->sections; i++)
        put_section(p, &p->section[i]);
    for (size_t i = 0; i < p->links; i++)
        put_link(&p->link[i]);
    for (size_t i = 0; i < p->stages; i++)
        if (p->stage[i].own)
            put_options(p, &p->stage[i]);
    printf("}\n");
    return 0;
}
