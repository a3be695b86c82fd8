#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "opt.h"

enum { COLUMN = 27 };

static void format_duration(char *out, size_t size, int64_t ms) {
    if (ms % 60000 == 0 && ms)
        snprintf(out, size, "%" PRId64 "m", ms / 60000);
    else if (ms % 1000 == 0)
        snprintf(out, size, "%" PRId64 "s", ms / 1000);
    else
        snprintf(out, size, "%" PRId64 "ms", ms);
}

static void format_size(char *out, size_t size, int64_t n) {
    static const char units[] = " kMG";
    int u = 0;
    for (; u < 3 && n && n % 1024 == 0; u++)
        n /= 1024;
    snprintf(out, size, u ? "%" PRId64 "%c" : "%" PRId64, n, units[u]);
}

/* The value the variable holds before parsing; "" when there is nothing to show. */
static void default_text(const struct opt *o, char *out, size_t size) {
    out[0] = 0;
    if (o->kind == OPT_TEXT && *(const char **)o->into)
        snprintf(out, size, "%s", *(const char **)o->into);
    else if (o->kind == OPT_INT)
        snprintf(out, size, "%" PRId64, *(int64_t *)o->into);
    else if (o->kind == OPT_DURATION)
        format_duration(out, size, *(int64_t *)o->into);
    else if (o->kind == OPT_SIZE)
        format_size(out, size, *(int64_t *)o->into);
    else if (o->kind == OPT_FLAG && *(bool *)o->into)
        snprintf(out, size, "yes; --%s=no or --no-%s turns it off", o->name, o->name);
}

static void option_head(const struct opt *o, char *out, size_t size) {
    char letter[6] = "    ";
    if (o->letter)
        snprintf(letter, sizeof letter, "-%c%s", o->letter, o->name[0] ? ", " : "");
    snprintf(out, size, "%s%s%s%s%s", letter, o->name[0] ? "--" : "", o->name, o->arg ? " " : "",
             o->arg ? o->arg : "");
}

static void print_option(const struct opt *o) {
    char head[80], value[128];
    option_head(o, head, sizeof head);
    default_text(o, value, sizeof value);
    if (strlen(head) > COLUMN - 3)
        printf("  %s\n  %*s", head, COLUMN - 2, "");
    else
        printf("  %-*s", COLUMN - 2, head);
    printf("%s", o->help);
    if (value[0])
        printf(" [%s]", value);
    printf("\n");
}

static const struct opt common_end[] = {
    {"help", 'h', OPT_FLAG, &(bool){false}, NULL, "print this help and exit", 0, 0},
    {"version", 0, OPT_FLAG, &(bool){false}, NULL, "print the version and exit", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

typedef void (*option_fn)(const struct opt *o);

static void each_option(const struct opt_program *p, option_fn fn) {
    for (int t = 0; p->tables[t]; t++)
        for (const struct opt *o = p->tables[t]; o->name; o++)
            if (o->help)
                fn(o);
    for (const struct opt *o = common_end; o->name; o++)
        fn(o);
}

void opt_help(const struct opt_program *p) {
    printf("%s: %s\n\nusage: %s [OPTION]...%s%s\n\n", p->name, p->summary, p->name,
           p->synopsis ? " " : "", p->synopsis ? p->synopsis : "");
    each_option(p, print_option);
    if (p->details)
        printf("\n%s\n", p->details);
}

/* roff reads a leading dot or quote as a request, and - as a hyphen. */
static void man_text(const char *s) {
    for (bool start = true; *s; start = *s == '\n', s++) {
        if (start && (*s == '.' || *s == '\''))
            printf("\\&");
        if (*s == '-' || *s == '\\')
            printf("\\");
        putchar(*s);
    }
}

static void man_option(const struct opt *o) {
    char head[80], value[128];
    option_head(o, head, sizeof head);
    default_text(o, value, sizeof value);
    printf(".TP\n.B ");
    man_text(head + strspn(head, " "));
    printf("\n");
    man_text(o->help);
    if (value[0]) {
        printf(" [");
        man_text(value);
        printf("]");
    }
    printf("\n");
}

/* People type tapline in front of what is not in their path: the page is called so. */
static const char *first_word(const struct opt_program *p) {
    return strncmp(p->name, "tapline", 7) == 0 ? "" : "tapline ";
}

/* "tapline serialcat" is the page tapline-serialcat. */
static void man_title(const struct opt_program *p) {
    char title[100];
    snprintf(title, sizeof title, "%s%s", first_word(p), p->name);
    for (char *c = title; *c; c++)
        *c = *c == ' ' ? '-' : *c;
    printf(".TH \"%s\" 1 \"\" \"tapline %s\"\n.SH NAME\n", title, TAPLINE_VERSION);
    man_text(title);
    printf(" \\- ");
    man_text(p->summary);
}

void opt_man(const struct opt_program *p) {
    man_title(p);
    printf("\n.SH SYNOPSIS\n.B %s%s\n[OPTION]...", first_word(p), p->name);
    if (p->synopsis) {
        printf(" ");
        man_text(p->synopsis);
    }
    printf("\n.SH OPTIONS\n");
    each_option(p, man_option);
    if (p->details) {
        printf(".SH DESCRIPTION\n.nf\n");
        man_text(p->details);
        printf("\n.fi\n");
    }
    printf(".SH EXIT STATUS\n0 done, 1 failed at run time, 2 bad usage.\n");
    if (strcmp(p->name, "tapline") != 0)
        printf(".SH SEE ALSO\n.BR tapline (1)\n");
}

static void word(const struct opt *o) {
    if (o->letter)
        printf("-%c ", o->letter);
    if (o->name[0])
        printf("--%s ", o->name);
}

void opt_words(const struct opt_program *p) {
    printf("%s", p->words ? p->words : "");
    each_option(p, word);
    printf("\n");
}
