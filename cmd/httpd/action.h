/* action: what a route can do. A new one is a file action_NAME.c and a line in action.c. */
#ifndef HTTPD_ACTION_H
#define HTTPD_ACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

struct httpd;
struct request;
struct route;

struct action {
    const char *name;
    const char *usage;   /* of its words, for errors: "file FILE" */
    size_t words;        /* it takes at least; behind them stand those of every route (route.h) */
    bool has_else;       /* a route of it may say what comes when there is nothing */
    unsigned methods;    /* it may be declared for */
    bool trailing_slash; /* a path below a star may end with a slash */
    /* Check r->arg and fill r->own; no I/O (the command line is being read). May be NULL. */
    int (*declare)(struct httpd *h, struct route *r, struct err *e);
    /* The loop is there: open what is needed. May be NULL. */
    int (*open)(struct httpd *h, struct route *r, struct err *e);
    /* Answer now with one of reply_*, or suspend the request and answer later. */
    void (*serve)(struct request *q);
    /* Once a second. May be NULL. */
    void (*tick)(struct httpd *h, struct route *r);
    /* Nothing of it may call back from now on. May be NULL. */
    void (*stop)(struct httpd *h, struct route *r);
    void (*close)(struct httpd *h, struct route *r);
};

/* -1 with the words the action of r takes. */
int action_misused(const struct route *r, struct err *e);

extern const struct action action_file, action_dir, action_ask, action_ws, action_image,
    action_mjpeg;
extern const struct action *const action_table[]; /* ends with NULL */

#endif
