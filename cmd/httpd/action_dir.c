/* GET PATH/STAR dir DIR [follow]: the files of a directory, at any depth.
 *
 * DIR itself may be a link. Links inside it are followed while they stay inside; with `follow`,
 * wherever they lead (Debian's packages of scripts are full of such links).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "log.h"
#include "reply.h"

struct dir {
    int fd; /* -1 while the directory is not there */
    dev_t dev;
    ino_t ino;
    bool follow, missed;
};

static int declare(struct httpd *h, struct route *r, struct err *e) {
    (void)h;
    if (!r->star)
        return err_set(e, CAUSE_USAGE, "route \"%s\": the path of a directory ends with /*",
                       r->shown);
    size_t n = strlen(r->rest);
    bool follow = r->args > 1 && strcmp(r->arg[r->args - 1], "follow") == 0;
    if (r->args == 0)
        return action_misused(r, e);
    if (follow) /* cut the word off, and the blanks before it */
        for (n -= strlen("follow"); strchr(" \t", r->rest[n - 1]); n--)
            ;
    r->rest[n] = 0;
    struct dir *d = mem_alloc(sizeof *d);
    d->fd = -1;
    d->follow = follow;
    r->own = d;
    return 0;
}

static void forget(struct dir *d) {
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}

/* The directory may come later, or be replaced by a new one under the same name. */
static void look(const struct route *r) {
    struct dir *d = r->own;
    struct stat st;
    bool there = stat(r->rest, &st) == 0 && S_ISDIR(st.st_mode);
    if (!there && !d->missed)
        log_warn("route \"%s\": there is no directory %s now", r->shown, r->rest);
    d->missed = !there;
    if (!there || (d->fd >= 0 && (st.st_dev != d->dev || st.st_ino != d->ino)))
        forget(d);
    if (!there || d->fd >= 0)
        return;
    d->fd = open(r->rest, O_PATH | O_DIRECTORY | O_CLOEXEC);
    d->dev = st.st_dev;
    d->ino = st.st_ino;
}

static int dir_open(struct httpd *h, struct route *r, struct err *e) {
    (void)h;
    (void)e;
    look(r);
    return 0;
}

static void tick(struct httpd *h, struct route *r) {
    (void)h;
    look(r);
}

static void serve(struct request *q) {
    struct dir *d = q->route->own;
    const char *path = path_rest(&q->path, q->route->segments);
    if (d->fd < 0)
        look(q->route); /* it may have been made a moment ago */
    if (d->fd < 0)
        reply_error(q, 404, NULL);
    else if (!*path)
        reply_error(q, 403, NULL);
    else
        file_serve(q, d->fd, path, !d->follow);
}

static void dir_close(struct httpd *h, struct route *r) {
    (void)h;
    forget(r->own);
    free(r->own);
}

const struct action action_dir = {.name = "dir",
                                  .usage = "dir DIR [follow]",
                                  .words = 1,
                                  .methods = METHOD_GET | METHOD_HEAD,
                                  .trailing_slash = true,
                                  .declare = declare,
                                  .open = dir_open,
                                  .serve = serve,
                                  .tick = tick,
                                  .close = dir_close};
