#include "route.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "action.h"
#include "buf.h"
#include "opt.h"

/* ---- methods ---- */

static const struct {
    const char *name;
    unsigned bit;
} methods[] = {{"GET", METHOD_GET}, {"HEAD", METHOD_HEAD},   {"POST", METHOD_POST},
               {"PUT", METHOD_PUT}, {"PATCH", METHOD_PATCH}, {"DELETE", METHOD_DELETE}};
enum { METHODS = sizeof methods / sizeof *methods };

unsigned method_bit(const char *name) {
    for (size_t i = 0; i < METHODS; i++)
        if (strcmp(methods[i].name, name) == 0)
            return methods[i].bit;
    return 0;
}

const char *method_list(unsigned set, char *out, size_t size) {
    size_t o = 0;
    out[0] = 0;
    for (size_t i = 0; i < METHODS; i++)
        if (set & methods[i].bit && o < size)
            o += (size_t)snprintf(out + o, size - o, "%s%s", o ? "," : "", methods[i].name);
    return out;
}

/* ---- declaring ---- */

static int fault(const struct route *r, struct err *e, const char *what, const char *value) {
    return err_set(e, CAUSE_USAGE, "route \"%s\": %s%s%s%s", r->shown, what, value ? " \"" : "",
                   value ? value : "", value ? "\"" : "");
}

static int parse_method(struct route *r, const char *word, struct err *e) {
    if (strcmp(word, "WS") == 0)
        r->methods = METHOD_WS | METHOD_GET | METHOD_HEAD;
    else if (strcmp(word, "GET") == 0)
        r->methods = METHOD_GET | METHOD_HEAD;
    else
        r->methods = method_bit(word) & ~(unsigned)METHOD_HEAD;
    return r->methods ? 0
                      : fault(r, e, "the method is GET, POST, PUT, PATCH, DELETE or WS, not", word);
}

static bool name_ok(const char *s) {
    for (; isalnum((unsigned char)*s) || *s == '_'; s++)
        ;
    return *s == 0;
}

/* Plain text, "{name}" or "{name}suffix". */
static int parse_segment(struct route *r, char *s, struct err *e) {
    char *end = s[0] == '{' ? strchr(s, '}') : NULL;
    const char *suffix = end ? end + 1 : "";
    if (end && (end == s + 1 || strpbrk(suffix, "{}")))
        return fault(r, e, "a parameter is {name} or {name}.end, not", s);
    if (end) {
        *end = 0;
        s++;
    }
    if (end ? !name_ok(s) : strpbrk(s, "{}") != NULL)
        return fault(r, e, "a parameter is {name} or {name}.end, not", s);
    r->param[r->segments] = end != NULL;
    r->suffix[r->segments] = suffix;
    r->segment[r->segments++] = s;
    return 0;
}

static int add_segment(struct route *r, char *s, struct err *e) {
    if (r->star)
        return fault(r, e, "nothing may follow the *", NULL);
    if (strcmp(s, "*") == 0) {
        r->star = true;
        return 0;
    }
    if (!*s || strcmp(s, ".") == 0 || strcmp(s, "..") == 0 || strpbrk(s, "%?#*"))
        return fault(r, e, "no such path part can be asked for:", s);
    if (r->segments == PATH_SEGMENTS)
        return fault(r, e, "the path has too many parts", NULL);
    return parse_segment(r, s, e);
}

static int parse_path(struct route *r, char *path, struct err *e) {
    if (*path != '/')
        return fault(r, e, "a path begins with /, unlike", path);
    if (!path[1])
        return 0;
    for (char *s = path + 1, *next; s; s = next) {
        next = strchr(s, '/');
        if (next)
            *next++ = 0;
        if (add_segment(r, s, e) < 0)
            return -1;
    }
    return 0;
}

static int parse_action(struct route *r, const char *name, const struct action *const *actions,
                        struct err *e) {
    for (; *actions; actions++)
        if (strcmp((*actions)->name, name) == 0)
            r->action = *actions;
    if (!r->action)
        return fault(r, e, "unknown action", name);
    unsigned as = r->methods & METHOD_WS ? METHOD_WS : r->methods;
    if (as & ~r->action->methods)
        return fault(r, e,
                     as == METHOD_WS ? "WS is for the action ws only, not"
                                     : "this method is not for the action",
                     name);
    return 0;
}

static const char BLANKS[] = " \t";

/* What follows the first n words. */
static const char *skip_words(const char *text, size_t n) {
    for (; n > 0; n--) {
        text += strspn(text, BLANKS);
        text += strcspn(text, BLANKS);
    }
    return text + strspn(text, BLANKS);
}

static void trim_end(char *text) {
    for (size_t n = strlen(text); n > 0 && strchr(BLANKS, text[n - 1]); n--)
        text[n - 1] = 0;
}

/* The text behind the third word, without blanks at either end. */
static char *rest_of(const char *text) {
    char *rest = mem_strdup(skip_words(text, 3));
    trim_end(rest);
    return rest;
}

static void take_else(struct route *r) {
    for (size_t i = r->action->words; r->action->has_else && i < r->args; i++)
        if (strcmp(r->arg[i], "else") == 0) {
            r->otherwise = skip_words(r->rest, i + 1);
            r->args = i;
        }
}

static int take_size(struct route *r, const char *text, struct err *e) {
    struct err why;
    if (opt_number(OPT_SIZE, text, &r->max_body, &why) == 0 && r->max_body <= ROUTE_BODY_MAX)
        return 1;
    return fault(r, e, "max= takes a number of bytes up to 3M, such as 64k, not", text);
}

/* 1 = it was one; 0 = it is a word of the action's; -1 = it is wrong. */
static int take_flag(struct route *r, const char *word, struct err *e) {
    bool type = strncmp(word, "type=", 5) == 0 && strchr(word, '/');
    bool max = strncmp(word, "max=", 4) == 0;
    if ((type || max) && r->methods & (METHOD_GET | METHOD_WS))
        return fault(r, e, "this method has no body, so there can be no", word);
    if (max)
        return take_size(r, word + 4, e);
    if (type)
        r->type = word + 5;
    r->open |= strcmp(word, "open") == 0;
    r->token |= strcmp(word, "token") == 0;
    if (r->open && r->token)
        return fault(r, e, "is either open or for those with the token", NULL);
    return type || strcmp(word, "open") == 0 || strcmp(word, "token") == 0;
}

static int take_flags(struct route *r, struct err *e) {
    int taken = 1;
    take_else(r);
    while (r->args > r->action->words && (taken = take_flag(r, r->arg[r->args - 1], e)) > 0) {
        if (!r->otherwise) {
            r->rest[strlen(r->rest) - strlen(r->arg[r->args - 1])] = 0;
            trim_end(r->rest);
        }
        r->args--;
    }
    return taken < 0 ? -1 : 0;
}

static int parse(struct route *r, const struct action *const *actions, struct err *e) {
    char *word[ROUTE_WORDS + 3], *save = NULL;
    size_t n = 0;
    for (char *w = strtok_r(r->text, BLANKS, &save); w; w = strtok_r(NULL, BLANKS, &save)) {
        if (n == ROUTE_WORDS + 3)
            return fault(r, e, "has too many words", NULL);
        word[n++] = w;
    }
    if (n < 3)
        return fault(r, e, "needs METHOD PATH ACTION ARGS", NULL);
    r->args = n - 3;
    memcpy(r->arg, word + 3, r->args * sizeof *word);
    if (parse_method(r, word[0], e) < 0 || parse_path(r, word[1], e) < 0)
        return -1;
    if (parse_action(r, word[2], actions, e) < 0)
        return -1;
    return take_flags(r, e);
}

/* 0 = plain text, 1 = parameter, 2 = the end, 3 = star: the order of routes. */
static int kind_at(const struct route *r, size_t i) {
    return i < r->segments ? r->param[i] : r->star ? 3 : 2;
}

static bool same_pattern(const struct route *a, const struct route *b) {
    if (a->segments != b->segments || a->star != b->star)
        return false;
    for (size_t i = 0; i < a->segments; i++)
        if (a->param[i] != b->param[i] || strcmp(a->suffix[i], b->suffix[i]) != 0 ||
            (!a->param[i] && strcmp(a->segment[i], b->segment[i]) != 0))
            return false;
    return true;
}

static void route_drop(struct route *r) {
    free(r->text);
    free(r->rest);
    free(r);
}

int route_add(struct route_table *t, const char *text, const struct action *const *actions,
              struct err *e) {
    struct route *r = mem_alloc(sizeof *r);
    r->text = mem_strdup(text);
    r->rest = rest_of(text);
    r->max_body = -1;
    snprintf(r->shown, sizeof r->shown, "%s", text);
    int bad = parse(r, actions, e);
    for (size_t i = 0; i < t->n && bad == 0; i++)
        if (t->item[i]->methods & r->methods && same_pattern(t->item[i], r))
            bad = fault(r, e, "the same path and method as", t->item[i]->shown);
    if (bad == 0 && t->n == ROUTE_MAX)
        bad = fault(r, e, "is one too many (at most 64)", NULL);
    if (bad < 0)
        route_drop(r);
    else
        t->item[t->n++] = r;
    return bad;
}

static int compare(const struct route *a, const struct route *b) {
    for (size_t i = 0;; i++) {
        int ka = kind_at(a, i), kb = kind_at(b, i);
        if (ka != kb || ka >= 2)
            return ka - kb;
        size_t na = strlen(a->suffix[i]), nb = strlen(b->suffix[i]);
        if (na != nb)
            return na > nb ? -1 : 1;
    }
}

void route_sort(struct route_table *t) {
    for (size_t i = 1; i < t->n; i++)
        for (size_t j = i; j > 0 && compare(t->item[j - 1], t->item[j]) > 0; j--) {
            struct route *r = t->item[j];
            t->item[j] = t->item[j - 1];
            t->item[j - 1] = r;
        }
}

void route_free(struct route_table *t) {
    while (t->n)
        route_drop(t->item[--t->n]);
}

/* ---- finding ---- */

/* A parameter stands for at least one byte. */
static bool segment_matches(const struct route *r, const struct path *p, size_t i) {
    const char *text = p->text + p->at[i], *end = r->param[i] ? r->suffix[i] : r->segment[i];
    size_t n = strlen(end);
    if (r->param[i] ? p->len[i] <= n : p->len[i] != n)
        return false;
    return memcmp(text + p->len[i] - n, end, n) == 0;
}

static bool matches(const struct route *r, const struct path *p) {
    if (p->n < r->segments || (p->n > r->segments && !r->star))
        return false;
    if (p->slash && !(r->star && r->action->trailing_slash))
        return false;
    for (size_t i = 0; i < r->segments; i++)
        if (!segment_matches(r, p, i))
            return false;
    return true;
}

const char *route_param(const struct route *r, const struct path *p, size_t i, size_t *len) {
    *len = p->len[i] - strlen(r->suffix[i]);
    return p->text + p->at[i];
}

void route_find(const struct route_table *t, const struct path *p, unsigned method,
                struct route_hit *hit) {
    *hit = (struct route_hit){0};
    for (size_t i = 0; i < t->n; i++) {
        if (!matches(t->item[i], p))
            continue;
        hit->allow |= t->item[i]->methods;
        if (!hit->route && t->item[i]->methods & method)
            hit->route = t->item[i];
    }
}
