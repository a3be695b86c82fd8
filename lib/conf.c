#include "conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_parse.h"

/* Names and values in a text come from the file; what a terminal would obey must not. */
static void defuse(char *s) {
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = '?';
}

int conf_error(const struct conf *c, unsigned line, struct err *e, const char *fmt, ...) {
    struct err what;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what.text, sizeof what.text, fmt, ap);
    va_end(ap);
    defuse(what.text);
    return err_set(e, CAUSE_USAGE, "%.120s:%u: %s", c->path, line, what.text);
}

static void free_section(struct conf_section *s) {
    for (size_t i = 0; i < s->n; i++) {
        free(s->entry[i].key);
        free(s->entry[i].raw);
        free(s->entry[i].value);
        free(s->entry[i].note);
    }
    free(s->entry);
    free(s->name);
}

void conf_free(struct conf *c) {
    for (size_t i = 0; i < c->n + c->absent; i++)
        free_section(&c->section[i]);
    free_section(&c->vars);
    for (size_t i = 0; i < c->overrides; i++) {
        free((char *)c->override[i].name);
        free((char *)c->override[i].value);
    }
    free(c->section);
    free(c->override);
    free(c->path);
    *c = (struct conf){0};
}

static void copy_overrides(struct conf *c, const struct conf_var *v, size_t n) {
    c->override = mem_alloc(n * sizeof *c->override);
    for (; c->overrides < n; c->overrides++)
        c->override[c->overrides] =
            (struct conf_var){mem_strdup(v[c->overrides].name), mem_strdup(v[c->overrides].value)};
}

/* Everything of fd into b; 0, or the errno. Stops soon after CONF_FILE_MAX. */
static int read_all(int fd, struct buf *b) {
    while (buf_len(b) <= CONF_FILE_MAX) {
        ssize_t r = read(fd, buf_reserve(b, 16 << 10), 16 << 10);
        if (r == 0)
            return 0;
        if (r > 0)
            buf_added(b, (size_t)r);
        else if (errno != EINTR)
            return errno;
    }
    return 0;
}

static int read_file(const char *path, struct buf *b, struct err *e) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int no = fd < 0 ? errno : read_all(fd, b);
    if (fd >= 0)
        close(fd);
    if (no)
        return err_errno(e, no, "cannot read pipeline file %.200s", path);
    if (buf_len(b) > CONF_FILE_MAX)
        return err_set(e, CAUSE_LIMIT, "%.200s: more than %d bytes, no pipeline file", path,
                       CONF_FILE_MAX);
    if (buf_len(b) && memchr(buf_data(b), 0, buf_len(b)))
        return err_set(e, CAUSE_USAGE, "%.200s: holds NUL bytes, no pipeline file", path);
    buf_putc(b, 0);
    return 0;
}

static char *after_byte_order_mark(char *text) {
    return text + (strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
}

/* Into c, which holds its path. */
static int parse_file(struct conf *c, struct err *e) {
    struct buf text = {0};
    int r = read_file(c->path, &text, e);
    if (r == 0)
        r = conf_parse(c, after_byte_order_mark((char *)buf_data(&text)), e);
    buf_free(&text);
    return r;
}

int conf_read(struct conf *c, const char *path, struct err *e) {
    *c = (struct conf){.path = mem_strdup(path)};
    int r = parse_file(c, e);
    if (r)
        conf_free(c);
    return r;
}

int conf_load(struct conf *c, const char *path, const struct conf_var *overrides, size_t n,
              struct err *e) {
    *c = (struct conf){.path = mem_strdup(path)};
    copy_overrides(c, overrides, n);
    int r = parse_file(c, e);
    if (r == 0)
        r = conf_expand_all(c, e);
    if (r)
        conf_free(c);
    return r;
}

const struct conf_section *conf_find(const struct conf *c, const char *name) {
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->section[i].name, name) == 0)
            return &c->section[i];
    return NULL;
}

static const struct conf_entry *find_entry(const struct conf_section *s, const char *key) {
    for (size_t i = 0; key && i < s->n; i++)
        if (strcmp(s->entry[i].key, key) == 0)
            return &s->entry[i];
    return NULL;
}

const char *conf_get(const struct conf_section *s, const char *key) {
    const struct conf_entry *v = find_entry(s, key);
    return v ? v->value : NULL;
}

unsigned conf_section_line(const struct conf_section *s, const char *key) {
    const struct conf_entry *v = find_entry(s, key);
    return v ? v->line : s->line;
}

int conf_run(const struct conf *c, const struct conf_section *s, struct conf_argv *out,
             struct err *e) {
    struct err why;
    unsigned line = conf_section_line(s, "run");
    const char *text = conf_get(s, "run");
    *out = (struct conf_argv){0};
    if (!text)
        return conf_error(c, line, e, "[%s] has no run line (add run = PROGRAM ...)", s->name);
    if (conf_split(text, out, &why))
        return conf_error(c, line, e, "run: %s", why.text);
    int r = conf_expand_words(c, line, out, e);
    if (r)
        conf_argv_free(out);
    return r;
}
