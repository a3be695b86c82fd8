#include <stdlib.h>
#include <string.h>

#include "conf_option.h"
#include "conf_parse.h"
#include "opt.h"

enum { DEPTH_MAX = 8 /* variables within the texts of others */ };

struct scope {
    const struct conf *c;
    unsigned line;
    struct buf *out;
    size_t from; /* where the value begins in out */
    struct err *e;
};

static const char *entry_value(const struct conf_section *s, const char *key, size_t n) {
    for (size_t i = 0; i < s->n; i++)
        if (s->entry[i].value && strncmp(s->entry[i].key, key, n) == 0 && !s->entry[i].key[n])
            return s->entry[i].value;
    return NULL;
}

static const char *given(const struct conf *c, const char *name) {
    for (size_t i = c->overrides; i-- > 0;)
        if (strcmp(c->override[i].name, name) == 0)
            return c->override[i].value;
    return getenv(name);
}

const char *conf_variable(const struct conf *c, const char *name) {
    const char *v = entry_value(&c->vars, name, strlen(name));
    return v ? v : given(c, name);
}

static const char *lookup(const struct conf *c, const char *name, size_t n) {
    char *copy = mem_alloc(n + 1);
    memcpy(copy, name, n);
    const char *v = conf_variable(c, copy);
    free(copy);
    return v;
}

static int put(struct scope *s, const char *text, size_t n) {
    if (buf_len(s->out) - s->from + n > CONF_VALUE_MAX)
        return conf_error(s->c, s->line, s->e, "a value of more than %d bytes (shorten it)",
                          CONF_VALUE_MAX);
    buf_put(s->out, text, n);
    return 0;
}

static int unset(struct scope *s, const char *name, int n) {
    return conf_error(s->c, s->line, s->e,
                      "$%.*s is not set (give %.*s=VALUE, set it in [pipeline] above, or write"
                      " ${%.*s:-DEFAULT})",
                      n, name, n, name, n, name);
}

static int expand(struct scope *s, const char *text, const char *end, int depth);

/* The variable at *at, of the form ${...}; *at moves behind it. */
static int braced(struct scope *s, const char **at, int depth) {
    const char *name = *at + 2, *close = conf_brace_end(name);
    size_t n = conf_name_len(name);
    bool has_default = n && strncmp(name + n, ":-", 2) == 0;
    bool has_text = n && strncmp(name + n, ":+", 2) == 0;
    if (!close || !n || (name + n != close && !has_default && !has_text))
        return conf_error(s->c, s->line, s->e,
                          "\"%.40s\" is no variable (write ${NAME}, ${NAME:-DEFAULT} or"
                          " ${NAME:+TEXT}; $$ is a dollar)",
                          *at);
    if (depth == 0)
        return conf_error(s->c, s->line, s->e, "more than %d variables in each other (simplify)",
                          DEPTH_MAX);
    *at = close + 1;
    const char *v = lookup(s->c, name, n);
    bool empty = !v || !*v;
    if (has_default ? empty : has_text && !empty)
        return expand(s, name + n + 2, close, depth - 1);
    if (has_text)
        return 0;
    return v ? put(s, v, strlen(v)) : unset(s, name, (int)n);
}

static int one_variable(struct scope *s, const char **at, int depth) {
    const char *name = *at + 1;
    if (*name == '$') {
        *at += 2;
        return put(s, "$", 1);
    }
    if (*name == '{')
        return braced(s, at, depth);
    size_t n = conf_name_len(name);
    if (!n)
        return conf_error(s->c, s->line, s->e, "\"%.20s\" is no variable (for a dollar write $$)",
                          *at);
    *at = name + n;
    const char *v = lookup(s->c, name, n);
    return v ? put(s, v, strlen(v)) : unset(s, name, (int)n);
}

static int expand(struct scope *s, const char *text, const char *end, int depth) {
    while (text < end) {
        const char *dollar = memchr(text, '$', (size_t)(end - text));
        if (put(s, text, (size_t)((dollar ? dollar : end) - text)))
            return -1;
        if (!dollar)
            return 0;
        text = dollar;
        if (one_variable(s, &text, depth))
            return -1;
    }
    return 0;
}

int conf_expand(const struct conf *c, unsigned line, const char *text, struct buf *out,
                struct err *e) {
    struct scope s = {.c = c, .line = line, .out = out, .from = buf_len(out), .e = e};
    return expand(&s, text, text + strlen(text), DEPTH_MAX);
}

static char *expanded(const struct conf *c, unsigned line, const char *text, struct err *e) {
    struct buf b = {0};
    char *value = NULL;
    if (conf_expand(c, line, text, &b, e) == 0) {
        buf_putc(&b, 0);
        value = mem_strdup((const char *)buf_data(&b));
    }
    buf_free(&b);
    return value;
}

/* Words that have faded are closed up. */
static int expand_command(const struct conf *c, unsigned line, struct conf_cmd *cmd,
                          struct err *e) {
    size_t kept = 0, n = cmd->argc;
    int r = 0;
    for (size_t i = 0; i < n; i++) {
        char *word = cmd->argv[i], *value = r ? NULL : expanded(c, line, word, e);
        r = value ? 0 : -1;
        free(word);
        if (value && (*value || !cmd->fades || !cmd->fades[i]))
            cmd->argv[kept++] = value;
        else
            free(value);
    }
    cmd->argv[cmd->argc = kept] = NULL;
    free(cmd->fades);
    cmd->fades = NULL;
    return r;
}

int conf_expand_words(const struct conf *c, unsigned line, struct conf_argv *words, struct err *e) {
    for (size_t i = 0; i < words->n; i++) {
        if (expand_command(c, line, &words->cmd[i], e))
            return -1;
        if (words->cmd[i].argc == 0)
            return conf_error(c, line, e,
                              "no command is left when its variables are empty (write"
                              " the program's name in front)");
    }
    return 0;
}

static bool mentions(const char *text, const char *name) {
    size_t n = strlen(name);
    for (const char *p = strchr(text, '$'); p; p = strchr(p, '$')) {
        if (*++p == '$') {
            p++;
            continue;
        }
        p += *p == '{';
        if (conf_name_len(p) == n && strncmp(p, name, n) == 0)
            return true;
    }
    return false;
}

static int expand_entry(const struct conf *c, struct conf_entry *v, struct err *e) {
    v->value = expanded(c, v->line, v->raw, e);
    return v->value ? 0 : -1;
}

static int expand_variable(const struct conf *c, struct conf_entry *v, struct err *e) {
    if (conf_option_name(v->key)) {
        v->value = mem_strdup(v->raw);
        return 0;
    }
    const char *from_outside = given(c, v->key);
    if (!from_outside || mentions(v->raw, v->key))
        return expand_entry(c, v, e);
    v->value = mem_strdup(from_outside);
    return 0;
}

static int expand_section(const struct conf *c, struct conf_section *s, struct err *e) {
    for (size_t i = 0; i < s->n; i++) {
        struct conf_entry *v = &s->entry[i];
        if (strcmp(v->key, "run") == 0)
            v->value = mem_strdup(v->raw);
        else if (!v->value && expand_entry(c, v, e))
            return -1;
    }
    return 0;
}

/* Before its other keys are looked at: of a section that is not there nothing need be set. */
static int look_whether(const struct conf *c, struct conf_section *s, struct err *e) {
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->entry[i].key, "only_if") != 0)
            continue;
        if (expand_entry(c, &s->entry[i], e))
            return -1;
        s->absent = !*s->entry[i].value || opt_is_no(s->entry[i].value);
    }
    return 0;
}

/* Those that are absent go behind the others, which keep their order. */
static int set_absent_apart(struct conf *c, struct err *e) {
    for (size_t i = 0; i < c->n; i++)
        if (look_whether(c, &c->section[i], e))
            return -1;
    for (size_t i = c->n; i-- > 0;) {
        struct conf_section s = c->section[i];
        if (!s.absent)
            continue;
        c->n--;
        c->absent++;
        memmove(&c->section[i], &c->section[i + 1], (c->n - i) * sizeof s);
        c->section[c->n] = s;
    }
    return 0;
}

int conf_expand_all(struct conf *c, struct err *e) {
    for (size_t i = 0; i < c->vars.n; i++)
        if (expand_variable(c, &c->vars.entry[i], e))
            return -1;
    if (set_absent_apart(c, e))
        return -1;
    for (size_t i = 0; i < c->n; i++)
        if (expand_section(c, &c->section[i], e))
            return -1;
    return 0;
}
