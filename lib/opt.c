#include "opt.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int opt_usage_error(const struct opt_program *p, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "%s: ", p->name);
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, " (see %s --help)\n", p->name);
    va_end(ap);
    return 2;
}

/* ---- numbers ---- */

struct unit {
    const char *name;
    int64_t factor;
};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};
static const struct unit durations[] = {{"", 1000},     {"ms", 1},       {"s", 1000}, {"m", 60000},
                                        {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit sizes[] = {{"", 1},        {"k", 1 << 10}, {"K", 1 << 10},
                                    {"M", 1 << 20}, {"G", 1 << 30}, {"T", 1LL << 40},
                                    {NULL, 0}};

static const char *expected(enum opt_kind k) {
    return k == OPT_DURATION ? "a duration such as 500ms, 5s or 2m"
           : k == OPT_SIZE   ? "a size such as 4096, 64k or 10M"
                             : "a whole number";
}

int opt_number(enum opt_kind kind, const char *text, int64_t *out, struct err *e) {
    const struct unit *u = kind == OPT_DURATION ? durations : kind == OPT_SIZE ? sizes : no_units;
    char *end;
    errno = 0;
    double d = kind == OPT_INT ? 0 : strtod(text, &end);
    long long i = kind == OPT_INT ? strtoll(text, &end, 10) : 0;
    if (end == text || errno || isspace((unsigned char)*text))
        return err_set(e, CAUSE_USAGE, "\"%s\" is not %s", text, expected(kind));
    while (u->name && strcmp(u->name, end) != 0)
        u++;
    if (!u->name || !(d > -9e15 && d * (double)u->factor < 9e15 && d * (double)u->factor > -9e15))
        return err_set(e, CAUSE_USAGE, "\"%s\" is not %s", text, expected(kind));
    *out = kind == OPT_INT ? i : (int64_t)(d * (double)u->factor + (d < 0 ? -0.5 : 0.5));
    return 0;
}

/* A bound the way it would be typed. */
static const char *bound(char out[32], enum opt_kind kind, int64_t v) {
    snprintf(out, 32, "%lld%s", (long long)v, kind == OPT_DURATION ? "ms" : "");
    return out;
}

static int out_of_range(const struct opt *o, const char *text, int64_t max, struct err *e) {
    char low[32], high[32];
    if (max == INT64_MAX)
        return err_set(e, CAUSE_USAGE, "%s is too small, at least %s", text,
                       bound(low, o->kind, o->min));
    return err_set(e, CAUSE_USAGE, "%s is out of range (%s to %s)", text,
                   bound(low, o->kind, o->min), bound(high, o->kind, max));
}

static int store_number(const struct opt *o, const char *text, struct err *e) {
    int64_t v;
    if (opt_number(o->kind, text, &v, e) < 0)
        return -1;
    int64_t max = o->min == 0 && o->max == 0 ? INT64_MAX : o->max;
    if (v < o->min || v > max)
        return out_of_range(o, text, max, e);
    *(int64_t *)o->into = v;
    return 0;
}

/* ---- parsing ---- */

struct parser {
    const struct opt_program *p;
    int argc, at;
    char **argv;
};

static const struct opt *find_long(const struct opt_program *p, const char *name, size_t n) {
    for (int t = 0; n && p->tables[t]; t++)
        for (const struct opt *o = p->tables[t]; o->name; o++)
            if (strncmp(o->name, name, n) == 0 && o->name[n] == 0)
                return o;
    return NULL;
}

static const struct opt *find_letter(const struct opt_program *p, char c) {
    for (int t = 0; p->tables[t]; t++)
        for (const struct opt *o = p->tables[t]; o->name; o++)
            if (o->letter == c)
                return o;
    return NULL;
}

static bool takes_value(const struct opt *o) {
    return o->kind != OPT_FLAG && o->kind != OPT_COUNT;
}

static int store(const struct opt *o, const char *value, struct err *e) {
    struct opt_list *list = o->into;
    switch (o->kind) {
    case OPT_FLAG:
        *(bool *)o->into = true;
        return 0;
    case OPT_COUNT:
        ++*(int *)o->into;
        return 0;
    case OPT_TEXT:
        *(const char **)o->into = value;
        return 0;
    case OPT_LIST:
        if (list->n == OPT_LIST_MAX)
            return err_set(e, CAUSE_USAGE, "given more than %d times", OPT_LIST_MAX);
        list->item[list->n++] = value;
        return 0;
    default:
        return store_number(o, value, e);
    }
}

/* Variables of a pipeline file hold words, hence --local-led=$LOCAL_LED. */
static bool flag_value(const char *value, bool *into) {
    static const char *const words[2][4] = {{"no", "false", "off", "0"},
                                            {"yes", "true", "on", "1"}};
    for (int v = 0; v < 2; v++)
        for (int i = 0; i < 4; i++)
            if (strcasecmp(value, words[v][i]) == 0) {
                *into = v;
                return true;
            }
    return false;
}

bool opt_is_no(const char *text) {
    bool yes = true;
    return flag_value(text, &yes) && !yes;
}

static int apply(struct parser *s, const struct opt *o, const char *shown, const char *value) {
    struct err e;
    if (takes_value(o) && !value) {
        if (s->at + 1 >= s->argc)
            return opt_usage_error(s->p, "%s needs a value %s", shown, o->arg ? o->arg : "");
        value = s->argv[++s->at];
    } else if (o->kind == OPT_FLAG && value) {
        if (!flag_value(value, o->into))
            return opt_usage_error(s->p, "%s=%s: must be yes or no", shown, value);
        return -1;
    } else if (!takes_value(o) && value) {
        return opt_usage_error(s->p, "%s takes no value", shown);
    }
    if (store(o, value, &e) < 0)
        return opt_usage_error(s->p, "%s: %s", shown, e.text);
    return -1;
}

int opt_printed(const char *name, int status) {
    bool before = ferror(stdout); /* of which only that is known */
    if (fflush(stdout) == 0 && !before)
        return status;
    fprintf(stderr, "%s: standard output: %s\n", name,
            before ? "not all of it could be written" : strerror(errno));
    return status ? status : 1;
}

static int built_in(const struct opt_program *p, const char *a) {
    if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0)
        opt_help(p);
    else if (strcmp(a, "--version") == 0)
        printf("%s (tapline) %s\n", p->name, TAPLINE_VERSION);
    else if (strcmp(a, "--help=man") == 0)
        opt_man(p);
    else if (strcmp(a, "--help=words") == 0)
        opt_words(p);
    else
        return -1;
    return opt_printed(p->name, 0);
}

static int parse_long(struct parser *s, const char *a) {
    const char *eq = strchr(a, '=');
    size_t n = eq ? (size_t)(eq - a) - 2 : strlen(a) - 2;
    const struct opt *o = find_long(s->p, a + 2, n);
    char shown[64];
    snprintf(shown, sizeof shown, "%.*s", (int)n + 2, a);
    if (o)
        return apply(s, o, shown, eq ? eq + 1 : NULL);
    o = strncmp(a, "--no-", 5) == 0 ? find_long(s->p, a + 5, n - 3) : NULL;
    if (!o || o->kind != OPT_FLAG || eq)
        return opt_usage_error(s->p, "unknown option %s", a);
    *(bool *)o->into = false;
    return -1;
}

static int parse_letters(struct parser *s, const char *a) {
    for (const char *c = a + 1; *c; c++) {
        char shown[3] = {'-', *c, 0};
        const struct opt *o = find_letter(s->p, *c);
        if (!o && *c == 'h')
            return built_in(s->p, "--help");
        if (!o)
            return opt_usage_error(s->p, "unknown option %s", shown);
        bool value = takes_value(o) && c[1];
        int r = apply(s, o, shown, value ? c + 1 : NULL);
        if (r >= 0 || takes_value(o))
            return r;
    }
    return -1;
}

int opt_parse(const struct opt_program *p, int argc, char **argv, int *operands) {
    struct parser s = {.p = p, .argc = argc, .argv = argv};
    bool only_operands = false;
    *operands = 0;
    for (s.at = 1; s.at < argc; s.at++) {
        char *a = argv[s.at];
        int r = -1;
        if (only_operands || a[0] != '-' || !a[1])
            argv[1 + (*operands)++] = a;
        else if (strcmp(a, "--") == 0)
            only_operands = true;
        else if ((r = built_in(p, a)) < 0)
            r = a[1] == '-' ? parse_long(&s, a) : parse_letters(&s, a);
        if (r >= 0)
            return r;
    }
    return -1;
}

/* Whether the value of the option word a is the word behind it. */
static bool needs_next(const struct opt_program *p, const char *a) {
    if (a[1] == '-') {
        const struct opt *o = find_long(p, a + 2, strlen(a + 2));
        return o && takes_value(o);
    }
    for (a++; *a; a++) {
        const struct opt *o = find_letter(p, *a);
        if (!o || takes_value(o))
            return o && !a[1];
    }
    return false;
}

int opt_first_operand(const struct opt_program *p, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-' || !argv[i][1])
            return i;
        if (strcmp(argv[i], "--") == 0)
            return i + 1;
        i += needs_next(p, argv[i]);
    }
    return argc;
}
