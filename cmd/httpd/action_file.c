/* GET PATH file FILE: one file, wherever it is. It need not be there yet. */
#include <fcntl.h>
#include <sys/stat.h>

#include "file.h"
#include "log.h"

static int declare(struct httpd *h, struct route *r, struct err *e) {
    (void)h;
    return r->args > 0 ? 0 : action_misused(r, e);
}

static int file_check(struct httpd *h, struct route *r, struct err *e) {
    struct stat st;
    (void)h;
    (void)e;
    if (stat(r->rest, &st) < 0 || !S_ISREG(st.st_mode))
        log_warn("route \"%s\": there is no file %s now", r->shown, r->rest);
    return 0;
}

static void serve(struct request *q) {
    file_serve(q, AT_FDCWD, q->route->rest, false);
}

const struct action action_file = {.name = "file",
                                   .usage = "file FILE",
                                   .words = 1,
                                   .methods = METHOD_GET | METHOD_HEAD,
                                   .declare = declare,
                                   .open = file_check,
                                   .serve = serve};
