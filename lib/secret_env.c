#include "secret_env.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"

extern char **environ;

enum { READERS = 3 };

static const struct {
    const char *name, *reader[READERS]; /* as they are called, without directory */
} known[] = {{"AUTH_PASSWORD", {"camctl", "tapline camera"}},
             {"AUTH_TOKEN", {"dispatch hub", "httpd", "devsim hub camera"}},
             {"HTTPD_LOGIN", {"httpd"}},
             {"TAPLINE_ADMIN_TOKEN", {"httpd"}}};

enum { KNOWN = sizeof known / sizeof *known };

static bool is_entry(const char *entry, const char *name) {
    size_t n = strlen(name);
    return strncmp(entry, name, n) == 0 && entry[n] == '=';
}

/* Somebody else's environment may name a variable twice. */
void secret_env_forget(const char *name) {
    for (char **e = environ; e && *e; e++)
        if (is_entry(*e, name))
            explicit_bzero(*e + strlen(name) + 1, strlen(*e + strlen(name) + 1));
    unsetenv(name);
}

void secret_env_forget_all(void) {
    for (size_t i = 0; i < KNOWN; i++)
        secret_env_forget(known[i].name);
}

void secret_env_hide_all(void) {
    for (size_t i = 0; i < KNOWN; i++) {
        const char *value = getenv(known[i].name);
        if (!value || !*value)
            continue;
        char *copy = mem_strdup(value);
        secret_env_forget(known[i].name);
        setenv(known[i].name, copy, 1);
        explicit_bzero(copy, strlen(copy));
        free(copy);
    }
}

/* ---- who inherits ---- */

/* "dispatch hub" is two words, at the beginning of the line or behind the / of its path. */
static bool names(const char *line, const char *what) {
    size_t n = strlen(what);
    for (const char *at = line; (at = strstr(at, what)) != NULL; at++) {
        bool begins = at == line || strchr(" /;&|'\"(", at[-1]);
        if (begins && (!at[n] || strchr(" ;&|'\")", at[n])))
            return true;
    }
    return false;
}

static void put_line(struct buf *line, char *const *argv) {
    for (; *argv; argv++) {
        buf_puts(line, *argv);
        buf_putc(line, argv[1] ? ' ' : 0);
    }
}

bool secret_env_is_for(const char *entry, char *const *argv) {
    struct buf b = {0};
    size_t i = 0;
    while (i < KNOWN && !is_entry(entry, known[i].name))
        i++;
    if (i == KNOWN || !*argv)
        return true;
    put_line(&b, argv);
    const char *line = (const char *)buf_data(&b);
    bool is = strstr(line, known[i].name) != NULL;
    for (size_t r = 0; r < READERS && known[i].reader[r]; r++)
        is |= names(line, known[i].reader[r]);
    buf_free(&b);
    return is;
}
