#include "pictures.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "buf.h"
#include "program.h"

static int is_jpeg(const struct dirent *d) {
    const char *dot = strrchr(d->d_name, '.');
    return dot && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0);
}

static int read_file(struct pictures *x, const char *path, size_t room, struct err *e) {
    struct stat st;
    FILE *f = fopen(path, "re");
    if (!f || fstat(fileno(f), &st) < 0) {
        err_errno(e, errno, "cannot read %s", path);
        if (f)
            fclose(f);
        return -1;
    }
    size_t n = (size_t)st.st_size;
    if (S_ISREG(st.st_mode) && n > 0 && n <= PICTURE_BYTES && n <= room) {
        x->at[x->n].p = mem_alloc(n);
        x->at[x->n].n = fread(x->at[x->n].p, 1, n, f);
        x->n++;
    }
    fclose(f);
    return 0;
}

static int read_all(struct pictures *x, const char *dir, struct dirent **names, int count,
                    struct err *e) {
    char path[PROGRAM_PATH + 256];
    size_t room = PICTURES_BYTES;
    for (int i = 0; i < count && x->n < PICTURES_MAX; i++) {
        size_t before = x->n;
        int n = snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
        if ((size_t)n >= sizeof path)
            return err_set(e, CAUSE_LIMIT, "--images %.100s...: too long a path", dir);
        if (read_file(x, path, room, e) < 0)
            return -1;
        room -= x->n > before ? x->at[before].n : 0;
    }
    return x->n ? 0
                : err_set(e, CAUSE_ABSENT, "no pictures (*.jpg of at most %d bytes) in %s",
                          PICTURE_BYTES, dir);
}

int pictures_load(struct pictures *x, const char *dir, struct err *e) {
    char share[PROGRAM_PATH], media[PROGRAM_PATH + 8];
    struct dirent **names;
    program_share(share, sizeof share, NULL);
    snprintf(media, sizeof media, "%s/media", share);
    if (!dir)
        dir = media;
    int n = scandir(dir, &names, is_jpeg, alphasort);
    if (n < 0)
        return err_errno(e, errno, "cannot read the pictures in %s (give --images DIR)", dir);
    int r = read_all(x, dir, names, n, e);
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
    return r;
}

void pictures_free(struct pictures *x) {
    for (size_t i = 0; i < x->n; i++)
        free(x->at[i].p);
    x->n = 0;
}
