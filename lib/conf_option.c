#include "conf_option.h"

#include <stdio.h>
#include <string.h>

static const char PREFIX[] = "option.", BLANKS[] = " \t";
static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

const char *conf_option_name(const char *key) {
    size_t n = sizeof PREFIX - 1;
    return strncmp(key, PREFIX, n) == 0 ? key + n : NULL;
}

static bool name_is_free(const char *name) {
    static const char *const taken[] = {"help", "version"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(name, taken[i]) == 0)
            return false;
    return *name && *name != '-' && !strpbrk(name, "._") && strncmp(name, "no-", 3) != 0;
}

/* -L at *at, and what follows it. */
static bool take_letter(const char **at, char *letter) {
    const char *s = *at;
    if (*s != '-')
        return true;
    if (!s[1] || !strchr(LETTERS, s[1]) || s[1] == 'h' || !s[2] || !strchr(BLANKS, s[2]))
        return false;
    *letter = s[1];
    *at = s + 2 + strspn(s + 2, BLANKS);
    return true;
}

/* VARIABLE or VARIABLE=TEXT. */
static bool take_variable(const char **at, struct conf_option *o) {
    const char *s = *at;
    size_t n = conf_name_len(s), len = strcspn(s, BLANKS);
    o->flag = s[n] == '=';
    if (!n || n >= sizeof o->variable || (n < len && !o->flag))
        return false;
    size_t text = o->flag ? len - n - 1 : 0;
    if (text >= sizeof o->text || (text && memchr(s, '$', len)))
        return false;
    snprintf(o->variable, sizeof o->variable, "%.*s", (int)n, s);
    snprintf(o->text, sizeof o->text, "%.*s", (int)text, s + len - text);
    *at = s + len + strspn(s + len, BLANKS);
    return true;
}

int conf_option_read(const struct conf *c, const struct conf_entry *v, struct conf_option *out,
                     struct err *e) {
    const char *at = v->raw;
    *out = (struct conf_option){.name = conf_option_name(v->key)};
    if (!name_is_free(out->name))
        return conf_error(c, v->line, e,
                          "%s: not to be had as an option (letters, digits and -; not help,"
                          " version, no-...)",
                          v->key);
    if (!take_letter(&at, &out->letter))
        return conf_error(c, v->line, e,
                          "%s = %.20s: write a letter or digit other than h behind the dash, as in"
                          " -p DEVICE",
                          v->key, at);
    if (!take_variable(&at, out))
        return conf_error(c, v->line, e,
                          "%s: \"%.40s\" sets no variable (write [-LETTER] VARIABLE[=WORD] HELP,"
                          " without $)",
                          v->key, at);
    out->help = at;
    return 0;
}
