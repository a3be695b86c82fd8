#include "pipefile.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "buf.h"
#include "program.h"

/* Those of this machine's administrator, which a service starts too (contrib/systemd). */
#define ETC_DIR "/etc/tapline"

static bool is_bare(const char *name) {
    return !strpbrk(name, "/.");
}

static bool is_file(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

const char *pipefile_find(const char *name) {
    static char path[PROGRAM_PATH];
    char share[PROGRAM_PATH - 256];
    if (is_file(name) || strlen(name) > 200)
        return name;
    snprintf(path, sizeof path, "pipelines/%s.conf", name);
    if (is_file(path))
        return path;
    snprintf(path, sizeof path, ETC_DIR "/%s.conf", name);
    if (is_file(path))
        return path;
    program_share(share, sizeof share, NULL);
    snprintf(path, sizeof path, "%s/pipelines/%s.conf", share, name);
    return is_file(path) ? path : is_bare(name) ? NULL : name;
}

bool pipefile_known(const char *name) {
    const char *file = pipefile_find(name);
    return file && file != name;
}

static int is_conf(const struct dirent *f) {
    size_t n = strlen(f->d_name);
    return n > 5 && strcmp(f->d_name + n - 5, ".conf") == 0;
}

static void add_known(struct buf *b, const char *dir, const char *before, const char *behind) {
    struct dirent **f;
    int n = scandir(dir, &f, is_conf, alphasort);
    for (int i = 0; i < n; i++) {
        buf_printf(b, "%s%.*s%s", buf_len(b) ? before : "", (int)strlen(f[i]->d_name) - 5,
                   f[i]->d_name, behind);
        free(f[i]);
    }
    if (n >= 0)
        free(f);
}

static bool is_same(const char *a, const char *b) {
    struct stat x, y;
    return strcmp(b, "./pipelines") == 0 ||
           (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev);
}

static void share_dir(char *out) {
    char share[PROGRAM_PATH - 256];
    program_share(share, sizeof share, NULL);
    snprintf(out, PROGRAM_PATH, "%s/pipelines", share);
}

const char *pipefile_names(void) {
    static struct buf names;
    char dir[PROGRAM_PATH];
    share_dir(dir);
    buf_clear(&names);
    add_known(&names, "pipelines", "", " ");
    add_known(&names, ETC_DIR, "", " ");
    if (!is_same("pipelines", dir))
        add_known(&names, dir, "", " ");
    buf_putc(&names, 0);
    return (const char *)buf_data(&names);
}

int pipefile_say_unknown(const char *name) {
    char dir[PROGRAM_PATH];
    struct buf known = {0};
    share_dir(dir);
    fprintf(stderr,
            "tapline: no pipeline %s (neither ./%s nor pipelines/%s.conf nor " ETC_DIR "/%s.conf",
            name, name, name, name);
    add_known(&known, "pipelines", ", ", "");
    add_known(&known, ETC_DIR, ", ", "");
    if (!is_same("pipelines", dir)) {
        fprintf(stderr, " nor %s/%s.conf", dir, name);
        add_known(&known, dir, ", ", "");
    }
    buf_putc(&known, 0);
    const char *names = (const char *)buf_data(&known);
    fprintf(stderr, "; there are: %s)\n", names[0] ? names : "none");
    buf_free(&known);
    return 2;
}
