#include "words.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"

static const char BLANKS[] = " \t";

struct split {
    const char *at;
    struct conf_argv *out;
    struct buf word;
    bool open;   /* a word has begun, be it empty as in '' */
    bool quoted; /* and some of it was quoted */
    bool solid;  /* and some of it is more than a bare ${NAME:+text} */
    size_t words;
    struct err *e;
};

void conf_argv_free(struct conf_argv *a) {
    for (size_t i = 0; i < a->n; i++) {
        for (size_t k = 0; k < a->cmd[i].argc; k++)
            free(a->cmd[i].argv[k]);
        free(a->cmd[i].argv);
        free(a->cmd[i].fades);
    }
    free(a->cmd);
    *a = (struct conf_argv){0};
}

static bool name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

size_t conf_name_len(const char *s) {
    size_t n = 0;
    while (name_start(s[n]) || (n && s[n] >= '0' && s[n] <= '9'))
        n++;
    return n;
}

const char *conf_brace_end(const char *s) {
    for (size_t open = 1; *s; s++) {
        if (s[0] == '$' && s[1] == '{')
            open++;
        else if (*s == '}' && --open == 0)
            return s;
    }
    return NULL;
}

static struct conf_cmd *command(struct split *s) {
    return &s->out->cmd[s->out->n - 1];
}

static void begin_command(struct split *s) {
    struct conf_argv *a = s->out;
    a->cmd = mem_resize(a->cmd, (a->n + 1) * sizeof *a->cmd);
    a->cmd[a->n++] = (struct conf_cmd){.argv = mem_alloc(sizeof(char *))};
}

static int end_word(struct split *s) {
    if (!s->open)
        return 0;
    if (++s->words > CONF_WORDS_MAX)
        return err_set(s->e, CAUSE_LIMIT, "more than %d words", CONF_WORDS_MAX);
    struct conf_cmd *c = command(s);
    c->argv = mem_resize(c->argv, (c->argc + 2) * sizeof *c->argv);
    c->fades = mem_resize(c->fades, (c->argc + 1) * sizeof *c->fades);
    c->fades[c->argc] = !s->solid;
    buf_putc(&s->word, 0);
    c->argv[c->argc++] = mem_strdup((const char *)buf_data(&s->word));
    c->argv[c->argc] = NULL;
    buf_clear(&s->word);
    s->open = s->quoted = s->solid = false;
    return 0;
}

static int end_command(struct split *s) {
    if (end_word(s))
        return -1;
    if (command(s)->argc)
        return 0;
    if (s->out->n == 1 && !*s->at)
        return err_set(s->e, CAUSE_USAGE, "no command (write the program and its options)");
    return err_set(s->e, CAUSE_USAGE, "no command on one side of | (quote it if it is text: '|')");
}

static int refuse(struct split *s, const char *what, size_t n) {
    return err_set(s->e, CAUSE_USAGE, "%.*s has a meaning of its own in a shell (quote it: '%.*s')",
                   (int)n, what, (int)n, what);
}

static void put_literal(struct split *s, char c) {
    if (c == '$')
        buf_putc(&s->word, '$');
    buf_putc(&s->word, c);
}

static int unclosed(struct split *s, const char *what) {
    return err_set(s->e, CAUSE_USAGE,
                   "%s is not closed (in a pipeline file \" ;\" begins a comment, even in quotes)",
                   what);
}

static int falls_apart(struct split *s, size_t n) {
    return err_set(s->e, CAUSE_USAGE, "%.*s would fall apart in a shell (quote it: \"%.*s\")",
                   (int)n, s->at, (int)n, s->at);
}

/* One word of the text of ${NAME:+...}: up to a blank that is in no braces of its own. */
static size_t piece_len(const char *text, const char *end) {
    size_t n = 0, open = 0;
    for (; text + n < end && (open || !strchr(BLANKS, text[n])); n++)
        open = text[n] == '{' ? open + 1 : text[n] == '}' && open ? open - 1 : open;
    return n;
}

/* ${NAME:+-i name}: a word for each in its text. */
static int split_text(struct split *s, const char *text, const char *end) {
    int head = (int)(text - s->at);
    for (text += strspn(text, BLANKS); text < end; text += strspn(text, BLANKS)) {
        size_t n = piece_len(text, end);
        if (strcspn(text, BLANKS) < n)
            return falls_apart(s, (size_t)(end + 1 - s->at));
        buf_printf(&s->word, "%.*s%.*s}", head, s->at, (int)n, text);
        s->open = true;
        if (end_word(s))
            return -1;
        text += n;
    }
    s->at = end + 1;
    return 0;
}

/* ${...}: taken over as it is. What in it needs a shell's quotes is refused, so that the text means
 * the same in both; the words of a ${NAME:+text} that stands alone are told apart as there. */
static int braces(struct split *s, bool in_quotes) {
    const char *text = s->at + 2, *end = conf_brace_end(text);
    if (!end)
        return unclosed(s, "${");
    size_t n = (size_t)(end + 1 - s->at), name = conf_name_len(text);
    if (strcspn(text, "'\"\\`") < (size_t)(end - text))
        return err_set(s->e, CAUSE_USAGE,
                       "quote or backslash in %.*s (quote around it: \"${...}\")", (int)n, s->at);
    bool when = !in_quotes && strncmp(text + name, ":+", 2) == 0;
    bool alone = when && !s->open && (!end[1] || strchr(" \t|", end[1]));
    if (!in_quotes && strcspn(text, alone ? "\n*?[~" : " \t\n*?[~") < (size_t)(end - text))
        return falls_apart(s, n);
    if (alone)
        return split_text(s, text + name + 2, end);
    buf_put(&s->word, s->at, n);
    s->at = end + 1;
    s->open = true;
    s->solid |= !when;
    return 0;
}

static int dollar(struct split *s, bool in_quotes) {
    size_t n = conf_name_len(s->at + 1);
    if (s->at[1] == '{')
        return braces(s, in_quotes);
    s->open = s->solid = true;
    if (s->at[1] == '$') {
        put_literal(s, '$');
        s->at += 2;
        return 0;
    }
    if (!n)
        return err_set(s->e, CAUSE_USAGE,
                       "$ without a name of a variable (for a dollar write '$')");
    buf_printf(&s->word, "${%.*s}", (int)n, s->at + 1);
    s->at += 1 + n;
    return 0;
}

static int single_quotes(struct split *s) {
    const char *end = strchr(s->at + 1, '\'');
    if (!end)
        return unclosed(s, "'");
    for (const char *p = s->at + 1; p < end; p++)
        put_literal(s, *p);
    s->at = end + 1;
    return 0;
}

static int in_double_quotes(struct split *s) {
    if (*s->at == '$')
        return dollar(s, true);
    if (*s->at == '`')
        return refuse(s, "`", 1);
    if (*s->at == '\\' && s->at[1] && strchr("$`\"\\", s->at[1]))
        s->at++;
    put_literal(s, *s->at++);
    return 0;
}

static int double_quotes(struct split *s) {
    s->at++;
    while (*s->at && *s->at != '"')
        if (in_double_quotes(s))
            return -1;
    if (!*s->at)
        return unclosed(s, "\"");
    s->at++;
    return 0;
}

static int backslash(struct split *s) {
    if (!s->at[1] || s->at[1] == '\n')
        return err_set(s->e, CAUSE_USAGE,
                       "\\ at the end of a line (a longer line continues indented, without it)");
    put_literal(s, s->at[1]);
    s->at += 2;
    return 0;
}

/* Whether the = at hand would make the word an assignment in a shell. */
static bool assigns(struct split *s) {
    if (command(s)->argc || s->quoted || !s->open)
        return false;
    size_t n = buf_len(&s->word);
    buf_putc(&s->word, 0);
    bool is = conf_name_len((const char *)buf_data(&s->word)) == n;
    s->word.end--;
    return is;
}

static int bare(struct split *s) {
    char c = *s->at;
    if (strchr("<>;&()`*?[{}", c) || (!s->open && strchr("~#", c)))
        return refuse(s, s->at, 1);
    if (c == '!' && !s->open && !command(s)->argc && strcspn(s->at, " \t") == 1)
        return refuse(s, s->at, 1);
    if (c == '=' && assigns(s))
        return err_set(s->e, CAUSE_USAGE, "%.*s= in front of a command (use a line env.%.*s = ...)",
                       (int)buf_len(&s->word), (char *)buf_data(&s->word), (int)buf_len(&s->word),
                       (char *)buf_data(&s->word));
    s->open = s->solid = true;
    put_literal(s, c);
    s->at++;
    return 0;
}

static int quoting(struct split *s, int (*take)(struct split *)) {
    s->open = s->quoted = s->solid = true;
    return take(s);
}

static int pipe_sign(struct split *s) {
    s->at++;
    if (end_command(s))
        return -1;
    begin_command(s);
    return 0;
}

static int step(struct split *s) {
    switch (*s->at) {
    case ' ':
    case '\t':
        s->at++;
        return end_word(s);
    case '\n':
    case '\r':
        return err_set(s->e, CAUSE_USAGE,
                       "a line break in a command line (quote it or take it out)");
    case '|':
        return pipe_sign(s);
    case '\'':
        return quoting(s, single_quotes);
    case '"':
        return quoting(s, double_quotes);
    case '\\':
        return quoting(s, backslash);
    case '$':
        s->quoted = true;
        return dollar(s, false);
    default:
        return bare(s);
    }
}

int conf_split(const char *line, struct conf_argv *out, struct err *e) {
    struct split s = {.at = line, .out = out, .e = e};
    *out = (struct conf_argv){0};
    begin_command(&s);
    int r = 0;
    while (!r && *s.at)
        r = step(&s);
    if (!r)
        r = end_command(&s);
    if (r)
        conf_argv_free(out);
    buf_free(&s.word);
    return r;
}
