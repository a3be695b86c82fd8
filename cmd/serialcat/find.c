#include "find.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool is_pattern(const char *s) {
    return strpbrk(s, "*?[") != NULL;
}

static bool take(const char *path, char out[FIND_PATH]) {
    return (size_t)snprintf(out, FIND_PATH, "%s", path) < FIND_PATH;
}

static bool is_device(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISCHR(st.st_mode);
}

static bool find_pattern(const char *pattern, char out[FIND_PATH]) {
    glob_t g;
    bool found = false;
    if (glob(pattern, 0, NULL, &g) != 0)
        return false;
    for (size_t i = 0; i < g.gl_pathc && !found; i++)
        found = is_device(g.gl_pathv[i]) && take(g.gl_pathv[i], out);
    globfree(&g);
    return found;
}

bool find_device(const struct opt_list *wanted, char out[FIND_PATH]) {
    struct stat st;
    for (size_t i = 0; i < wanted->n; i++) {
        const char *w = wanted->item[i];
        /* A plain path counts whatever it is: opening it says what is wrong with it. */
        if (is_pattern(w) ? find_pattern(w, out) : stat(w, &st) == 0 && take(w, out))
            return true;
    }
    return false;
}

static bool is_dir(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

void find_place(const char *wanted, char dir[FIND_PATH], char name[FIND_PATH]) {
    char next[2 * FIND_PATH];
    const char *p = wanted + strspn(wanted, "/");
    strcpy(dir, wanted[0] == '/' ? "/" : ".");
    for (;;) {
        size_t n = strcspn(p, "/");
        snprintf(name, FIND_PATH, "%.*s", (int)n, p);
        const char *rest = p + n + strspn(p + n, "/");
        bool root = strcmp(dir, "/") == 0;
        int len = snprintf(next, sizeof next, "%s%s%s", root ? "" : dir, "/", name);
        if (!*rest || is_pattern(name) || len >= FIND_PATH || !is_dir(next))
            return;
        memcpy(dir, next, (size_t)len + 1);
        p = rest;
    }
}

void find_list(const struct opt_list *wanted, char *out, size_t size) {
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; i < wanted->n && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s", i ? " or " : "", wanted->item[i]);
}
