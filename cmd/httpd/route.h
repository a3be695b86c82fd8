/* route: which URL does what, as declared with --route "METHOD PATH ACTION ARGS".
 *
 *   /status            exactly this path
 *   /play/{id}         one segment, any text, given to the action as parameter `id`
 *   /cameras/{mac}.jpg the same with a fixed end, which is not part of the parameter
 *   /static/{name}/x   the same inside a path
 *   /media/STAR        (STAR: *) this path and everything below it
 * The most specific pattern wins: at the first segment where two differ, plain text goes before a
 * parameter (the one with the longer fixed end first), and a parameter before the star.
 *
 * Behind the words that the action needs at least, these may stand:
 *   open          for everybody, whatever --protect says
 *   token         for those who show the token of --token-file in the header Authorization
 *   type=a/b      a body of another type is refused with 415
 *   max=SIZE      bytes of a body, instead of --max-body
 * and, where the action has such, `else TEXT` at the end: what it says when it has nothing.
 */
#ifndef HTTPD_ROUTE_H
#define HTTPD_ROUTE_H

#include "err.h"
#include "path.h"

enum { ROUTE_MAX = 64, ROUTE_WORDS = 32, ROUTE_BODY_MAX = 3 << 20 };

/* Bits, because a pattern answers several. A WS route answers GET (and refuses HEAD by itself). */
enum method {
    METHOD_GET = 1,
    METHOD_HEAD = 2,
    METHOD_POST = 4,
    METHOD_PUT = 8,
    METHOD_PATCH = 16,
    METHOD_DELETE = 32,
    METHOD_WS = 64
};

struct action;

struct route {
    char *text;                   /* as declared, owned; cut up into the words below */
    char shown[160];              /* as declared, for messages */
    unsigned methods;             /* bits of enum method */
    char *segment[PATH_SEGMENTS]; /* plain text, or the name of a parameter */
    bool param[PATH_SEGMENTS];
    const char *suffix[PATH_SEGMENTS]; /* what follows parameter i in its segment; "" = nothing */
    size_t segments;
    bool star;              /* everything below, too */
    char *arg[ROUTE_WORDS]; /* the words after ACTION */
    size_t args;
    char *rest; /* all of them as they stand, owned: a file's name may have blanks */
    bool open, token;
    const char *type;      /* NULL: any */
    int64_t max_body;      /* -1: as --max-body says */
    const char *otherwise; /* the text behind `else`, in rest; NULL: none */
    const struct action *action;
    void *own; /* what the action keeps for this route */
};

struct route_table {
    struct route *item[ROUTE_MAX]; /* most specific first once sorted */
    size_t n;
};

/* What a path and a method lead to. */
struct route_hit {
    const struct route *route; /* NULL: none */
    unsigned allow;            /* methods that this path does answer; 0 = unknown path */
};

/* Declare a route; actions is the table the ACTION is looked up in. Errors name the route. */
int route_add(struct route_table *t, const char *text, const struct action *const *actions,
              struct err *e);
/* After the last route_add: order by how specific they are. */
void route_sort(struct route_table *t);
void route_find(const struct route_table *t, const struct path *p, unsigned method,
                struct route_hit *hit);
/* The text of parameter i (not NUL-terminated) in a path that leads to r. */
const char *route_param(const struct route *r, const struct path *p, size_t i, size_t *len);
void route_free(struct route_table *t);

/* The bit of a method's name; 0 for one we do not know. */
unsigned method_bit(const char *name);
/* "GET,HEAD": the value of an Allow header. */
const char *method_list(unsigned methods, char *out, size_t size);

#endif
