#include "pipeopts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_option.h"

enum { COLUMN = 25, WIDTH = 90 };

/* ---- the table ---- */

static bool is_variable(const struct conf_entry *v) {
    return v->key[strspn(v->key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == 0;
}

/* What a variable is when nobody sets it: of NAME = ${NAME:-text} the text, as it is written. */
static const char *default_of(const struct conf_entry *v, int *n) {
    size_t name = strlen(v->key), len = strlen(v->raw);
    bool usual = strncmp(v->raw, "${", 2) == 0 && strncmp(v->raw + 2, v->key, name) == 0 &&
                 strncmp(v->raw + 2 + name, ":-", 2) == 0 &&
                 conf_brace_end(v->raw + 2) == v->raw + len - 1;
    *n = (int)(usual ? len - name - 5 : len);
    return usual ? v->raw + name + 4 : v->raw;
}

static bool is_taken(const struct pipeopts *p, const char *name, char letter) {
    for (size_t i = 0; i < p->n; i++)
        if (name ? strcmp(p->table[i].name, name) == 0 : letter && p->table[i].letter == letter)
            return true;
    return false;
}

static void add_row(struct pipeopts *p, const struct conf_option *o) {
    union pipeopts_value *v = &p->value[p->n];
    p->table[p->n++] = (struct opt){.name = o->name,
                                    .letter = o->letter,
                                    .kind = o->flag ? OPT_FLAG : OPT_TEXT,
                                    .into = v,
                                    .arg = o->flag ? NULL : o->variable,
                                    .help = o->help};
}

static int add_declared(struct pipeopts *p, struct err *e) {
    const struct conf_section *vars = &p->conf.vars;
    for (size_t i = 0; i < vars->n; i++) {
        if (!conf_option_name(vars->entry[i].key))
            continue;
        if (p->n == PIPEOPTS_MAX)
            return conf_error(&p->conf, vars->entry[i].line, e, "more than %d options",
                              PIPEOPTS_MAX);
        if (conf_option_read(&p->conf, &vars->entry[i], &p->declared[p->n], e) < 0)
            return -1;
        add_row(p, &p->declared[p->n]);
    }
    return 0;
}

static void add_own(struct pipeopts *p, const struct opt *own) {
    for (p->rows = p->n; own && own->name; own++) {
        if (is_taken(p, own->name, 0))
            continue;
        struct opt *o = &p->table[p->rows++];
        *o = *own;
        if (is_taken(p, NULL, own->letter))
            o->letter = 0;
    }
}

/* ---- help ---- */

/* What is made of other variables alone is the file's own affair. */
static bool is_for_people(const struct conf_entry *v) {
    size_t n = strlen(v->key);
    for (const char *at = v->raw; (at = strchr(at, '$')); at++) {
        const char *name = at + 1 + (at[1] == '{');
        if (conf_name_len(name) == n && strncmp(name, v->key, n) == 0)
            return true;
    }
    return is_variable(v) && !strchr(v->raw, '$');
}

/* Words, in lines that begin at COLUMN and end before WIDTH where they can. */
static void put_note(struct buf *b, const char *note) {
    for (size_t at = COLUMN + 2; *note; note += strspn(note, " ")) {
        size_t n = strcspn(note, " ");
        if (at > COLUMN + 2 && at + 1 + n > WIDTH) {
            buf_printf(b, "\n  %*s", COLUMN, "");
            at = COLUMN + 2;
        }
        buf_printf(b, "%s%.*s", at > COLUMN + 2 ? " " : "", (int)n, note);
        at += n + 1;
        note += n;
    }
}

static void put_variable(struct buf *b, const struct conf_entry *v) {
    int n;
    const char *text = default_of(v, &n);
    int width = (int)strlen(v->key) + 1 + n;
    buf_printf(b, "  %s=%.*s", v->key, n, text);
    if (v->note && *v->note) {
        if (width > COLUMN - 2)
            buf_printf(b, "\n  %*s", COLUMN, "");
        else
            buf_printf(b, "%*s", COLUMN - width, "");
        put_note(b, v->note);
    }
    buf_putc(b, '\n');
}

static void write_details(struct pipeopts *p) {
    bool any = false;
    for (size_t i = 0; i < p->conf.vars.n; i++) {
        if (!is_for_people(&p->conf.vars.entry[i]))
            continue;
        if (!any)
            buf_puts(&p->details, "Variables, here or in the environment, and their defaults:\n");
        any = true;
        put_variable(&p->details, &p->conf.vars.entry[i]);
    }
    buf_putc(&p->details, 0);
}

static const char *own_word(const struct pipeopts *p, const char *key) {
    for (size_t i = 0; i < p->conf.vars.n; i++)
        if (strcmp(p->conf.vars.entry[i].key, key) == 0)
            return p->conf.vars.entry[i].raw;
    return NULL;
}

static void describe(struct pipeopts *p, const char *command, const char *file) {
    const char *base = strrchr(file, '/'), *about = own_word(p, "description");
    base = base ? base + 1 : file;
    const char *end = strrchr(base, '.');
    snprintf(p->name, sizeof p->name, "%.20s %.*s", command,
             end && end > base ? (int)(end - base) : (int)strlen(base), base);
    write_details(p);
    p->program = (struct opt_program){.name = p->name,
                                      .summary = about ? about : "a pipeline",
                                      .synopsis = "[NAME=VALUE]...",
                                      .details = (char *)buf_data(&p->details),
                                      .tables = {p->table, NULL}};
}

int pipeopts_open(struct pipeopts *p, const char *command, const struct opt *own, const char *file,
                  struct err *e) {
    *p = (struct pipeopts){0};
    if (conf_read(&p->conf, file, e) < 0)
        return -1;
    size_t rows = PIPEOPTS_MAX + 1;
    for (const struct opt *o = own; o && o->name; o++)
        rows++;
    p->table = mem_alloc(rows * sizeof *p->table);
    p->value = mem_alloc(PIPEOPTS_MAX * sizeof *p->value);
    p->declared = mem_alloc(PIPEOPTS_MAX * sizeof *p->declared);
    if (add_declared(p, e) < 0)
        return -1;
    add_own(p, own);
    describe(p, command, file);
    return 0;
}

void pipeopts_free(struct pipeopts *p) {
    conf_free(&p->conf);
    free(p->table);
    free(p->value);
    free(p->declared);
    buf_free(&p->details);
    buf_free(&p->words);
}

/* ---- what was given ---- */

int pipeopts_parse(struct pipeopts *p, int argc, char **argv, int *operands) {
    return opt_parse(&p->program, argc, argv, operands);
}

/* NULL = the option was not given. */
static const char *given(const struct pipeopts *p, size_t i) {
    if (p->declared[i].flag)
        return p->value[i].flag ? p->declared[i].text : NULL;
    return p->value[i].text;
}

static int check_agreement(const struct pipeopts *p, size_t i, struct err *e) {
    const struct conf_option *o = &p->declared[i];
    for (size_t k = 0; k < i; k++)
        if (given(p, k) && strcmp(p->declared[k].variable, o->variable) == 0 &&
            strcmp(given(p, k), given(p, i)) != 0)
            return err_set(e, CAUSE_USAGE, "--%s and --%s cannot both be (each sets %s)",
                           p->declared[k].name, o->name, o->variable);
    return 0;
}

int pipeopts_each(struct pipeopts *p, void (*take)(void *ctx, const char *word), void *ctx,
                  struct err *e) {
    for (size_t i = 0; i < p->n; i++) {
        if (!given(p, i))
            continue;
        if (check_agreement(p, i, e) < 0)
            return -1;
        buf_printf(&p->words, "%s=%s", p->declared[i].variable, given(p, i));
        buf_putc(&p->words, 0);
    }
    const char *at = (char *)buf_data(&p->words);
    for (size_t left = buf_len(&p->words); left; left -= strlen(at) + 1, at += strlen(at) + 1)
        take(ctx, at);
    return 0;
}
