#include "conf_parse.h"

#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_option.h"

/* inih cuts lines, section names and keys without a word: a name it would cut is refused before it
 * sees it, and a line it would cut it gets without the value. Two bytes of its line buffer are for
 * line break and NUL, one for a carriage return; its buffers for names hold 50 bytes. */
enum { INIH_SPARE = 3, INIH_NAME_MAX = 49 };

static const char TOO_LONG[] = "the value grows too long (split the stage or move it into a file)";
static const char BLANKS[] = " \t\r\v\f";
static const char NAME_BYTES[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

struct parser {
    struct conf *c;
    char *rest; /* of the file */
    unsigned line;
    struct conf_section *section; /* NULL above the first header */
    bool indented;                /* this line continues the value above */
    char *value;                  /* of a line that inih got without it; else NULL */
    bool failed;
    char *note; /* comment lines right above, joined; NULL = none */
    struct err *e;
};

static int fail(struct parser *p, const char *what) {
    p->failed = true;
    return conf_error(p->c, p->line, p->e, "%s", what);
}

static int check_name(struct parser *p, const char *kind, const char *s, size_t n) {
    if (n && n <= INIH_NAME_MAX && strspn(s, NAME_BYTES) >= n)
        return 0;
    p->failed = true;
    if (!n)
        return conf_error(p->c, p->line, p->e, "empty %s name (give it one)", kind);
    if (n > INIH_NAME_MAX)
        return conf_error(p->c, p->line, p->e,
                          "%s name \"%.*s...\" is longer than %d bytes (shorten it)", kind, 20, s,
                          INIH_NAME_MAX);
    return conf_error(p->c, p->line, p->e,
                      "\"%.*s\" is no %s name (use letters, digits, . _ -; indent a line that"
                      " continues a value)",
                      (int)n, s, kind);
}

static struct conf_section *add_section(struct conf *c, const char *name, size_t n) {
    struct conf_section *s = &c->vars;
    if (strncmp(name, "pipeline", n) != 0 || n != 8) {
        c->section = mem_resize(c->section, (c->n + 1) * sizeof *c->section);
        s = &c->section[c->n++];
        *s = (struct conf_section){0};
    }
    s->name = mem_alloc(n + 1);
    memcpy(s->name, name, n);
    return s;
}

static const struct conf_section *seen(const struct conf *c, const char *name, size_t n) {
    if (c->vars.name && strncmp(c->vars.name, name, n) == 0 && !c->vars.name[n])
        return &c->vars;
    for (size_t i = 0; i < c->n; i++)
        if (strncmp(c->section[i].name, name, n) == 0 && !c->section[i].name[n])
            return &c->section[i];
    return NULL;
}

static int take_header(struct parser *p, const char *line) {
    const char *name = line + 1 + strspn(line + 1, BLANKS), *close = strchr(line, ']');
    if (!close)
        return fail(p, "[ without ] (write [NAME])");
    size_t n = (size_t)(close - name);
    while (n && strchr(BLANKS, name[n - 1]))
        n--;
    if (check_name(p, "section", name, n))
        return -1;
    const char *after = close + 1 + strspn(close + 1, BLANKS);
    if (*after && !strchr(";#", *after))
        return fail(p, "text after ] (put it on a line of its own)");
    const struct conf_section *same = seen(p->c, name, n);
    if (same) {
        p->failed = true;
        return conf_error(p->c, p->line, p->e, "section [%s] again, first in line %u (rename one)",
                          same->name, same->line);
    }
    if (p->c->n >= CONF_NAMES_MAX)
        return fail(p, "too many sections");
    p->section = add_section(p->c, name, n);
    p->section->line = p->line;
    return 0;
}

static void drop_note(struct parser *p) {
    free(p->note);
    p->note = NULL;
}

/* A comment says something about the key below it, unless something else stands between. */
static void take_note(struct parser *p, const char *line) {
    if (*line != '#') {
        if (!*line || *line == '[')
            drop_note(p);
        return;
    }
    line += 1 + strspn(line + 1, BLANKS);
    size_t had = p->note ? strlen(p->note) + 1 : 0, n = strlen(line);
    while (n && strchr(BLANKS, line[n - 1]))
        n--;
    if (had + n > CONF_VALUE_MAX)
        return;
    p->note = mem_resize(p->note, had + n + 1);
    if (had)
        p->note[had - 1] = ' ';
    memcpy(p->note + had, line, n);
    p->note[had + n] = 0;
}

static int check_line(struct parser *p, const char *line) {
    const char *first = line + strspn(line, BLANKS);
    p->indented = first > line;
    if (!*first || strchr(";#", *first))
        return 0;
    if (p->indented && !(p->section && p->section->n))
        return fail(p,
                    "an indented line with no value above it to continue (take the blanks away)");
    return *first == '[' && !p->indented ? take_header(p, line) : 0;
}

/* inih ends a line at a blank and a semicolon too, but not every version does so in a line that
 * continues a value. */
static void cut_comment(char *line) {
    for (char *p = strchr(line, ';'); p; p = strchr(p + 1, ';'))
        if (p > line && strchr(BLANKS, p[-1])) {
            *p = 0;
            return;
        }
}

/* Hand inih a line that is too long for it without its value; what is no entry only as far as it
 * matters. */
static void copy_start(struct parser *p, char *line, char *out, size_t room) {
    char *first = line + strspn(line, BLANKS), *equals = strpbrk(line, "=:");
    size_t key = p->indented ? 0 : equals ? (size_t)(equals - line) : room;
    if (!*first || strchr(p->indented ? ";#" : "[;#", *first) || key >= room) {
        snprintf(out, room, "%s", first);
        return;
    }
    p->value = p->indented ? first : equals + 1 + strspn(equals + 1, BLANKS);
    for (char *end = strchr(first, 0); end > p->value && strchr(BLANKS, end[-1]);)
        *--end = 0;
    snprintf(out, room, "%.*s%s", (int)key, line, p->indented ? " -" : "=");
}

/* An ini_reader: hands inih one line, without its line break. NULL ends the parsing. */
static char *next_line(char *out, int room, void *ctx) {
    struct parser *p = ctx;
    if (!*p->rest || p->failed)
        return NULL;
    p->line++;
    char *end = strchr(p->rest, '\n'), *line = p->rest;
    p->rest = end ? end + 1 : line + strlen(line);
    if (end)
        *end = 0;
    if (check_line(p, line))
        return NULL;
    take_note(p, line);
    cut_comment(line);
    p->value = NULL;
    if (strlen(line) > (size_t)room - INIH_SPARE)
        copy_start(p, line, out, (size_t)room - INIH_SPARE);
    else
        strcpy(out, line);
    return out;
}

static int append(struct parser *p, struct conf_entry *last, const char *text) {
    size_t n = strlen(last->raw), more = strlen(text);
    if (n + more > CONF_VALUE_MAX)
        return fail(p, TOO_LONG);
    last->raw = mem_resize(last->raw, n + more + 2);
    if (n)
        last->raw[n++] = ' ';
    memcpy(last->raw + n, text, more + 1);
    return 0;
}

static int add_entry(struct parser *p, const char *key, const char *value) {
    struct conf_section *s = p->section;
    if (s == &p->c->vars && conf_name_len(key) != strlen(key) && !conf_option_name(key)) {
        p->failed = true;
        return conf_error(p->c, p->line, p->e,
                          "\"%s\" is no variable (use letters, digits, _, a letter first)", key);
    }
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->entry[i].key, key) == 0) {
            p->failed = true;
            return conf_error(p->c, p->line, p->e, "%s again, first in line %u (remove one)", key,
                              s->entry[i].line);
        }
    if (s->n >= CONF_NAMES_MAX)
        return fail(p, "too many keys in one section");
    if (strlen(value) > CONF_VALUE_MAX)
        return fail(p, TOO_LONG);
    s->entry = mem_resize(s->entry, (s->n + 1) * sizeof *s->entry);
    s->entry[s->n++] =
        (struct conf_entry){.key = mem_strdup(key), .raw = mem_strdup(value), .line = p->line};
    if (s == &p->c->vars) {
        s->entry[s->n - 1].note = p->note;
        p->note = NULL;
    }
    drop_note(p);
    return 0;
}

/* An ini_handler: one key and value, or one line more of the last. Its section is not what inih
 * says, which forgets sections without entries, but what the reader saw. */
static int take_pair(void *ctx, const char *section, const char *key, const char *value) {
    (void)section;
    struct parser *p = ctx;
    if (p->failed)
        return 0;
    if (!p->section) {
        fail(p, "a key above the first section (put [pipeline] or [NAME] before it)");
        return 0;
    }
    if (p->value)
        value = p->value;
    if (p->indented)
        return !append(p, &p->section->entry[p->section->n - 1], value);
    return !check_name(p, "key", key, strlen(key)) && !add_entry(p, key, value);
}

int conf_parse(struct conf *c, char *text, struct err *e) {
    struct parser p = {.c = c, .rest = text, .e = e};
    int bad = ini_parse_stream(next_line, &p, take_pair, &p);
    drop_note(&p);
    if (bad > 0 && (!p.failed || (unsigned)bad < p.line))
        return conf_error(c, (unsigned)bad, e,
                          "neither [NAME] nor KEY = VALUE (add the = or indent a line"
                          " that continues a value)");
    return p.failed || bad ? -1 : 0;
}
