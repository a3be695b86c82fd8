#include "sources.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pick.h"

enum { ASK_MS = 3000 };

static bool is_filter(void) {
    struct stat st;
    return fstat(STDIN_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode));
}

static int add(struct stage *st, const char *endpoint, struct err *e) {
    for (size_t i = 0; i < st->inputs.n; i++)
        if (strcmp(st->inputs.item[i], endpoint) == 0)
            return 0;
    if (st->inputs.n == SUB_INPUTS)
        return err_set(e, CAUSE_USAGE, "more than %d endpoints (name those you want)", SUB_INPUTS);
    st->inputs.item[st->inputs.n++] = endpoint;
    return 0;
}

/* A named pipe has one reader: to read it is to steal from that one. */
static int add_operand(struct stage *st, const char *endpoint, struct err *e) {
    if (strncmp(endpoint, "fifo:", 5) == 0)
        return err_set(e, CAUSE_USAGE,
                       "%s has one reader and that is not you (name the endpoint of the stage that"
                       " writes it)",
                       endpoint);
    return add(st, endpoint, e);
}

/* ---- the running pipeline ---- */

struct sources_items sources_list(const uint8_t *p, size_t n, const char *key) {
    struct sources_items i = {0};
    struct mp_value v;
    if (mp_find(p, n, key, &v, &i.at) && v.type == MP_ARRAY && mp_read(&i.at, &v) == 1)
        i.left = v.len;
    return i;
}

bool sources_next(struct sources_items *i) {
    if (!i->left)
        return false;
    i->left--;
    i->p = i->at.at;
    if (mp_skip(&i->at) != 1)
        return false;
    i->n = (size_t)(i->at.at - i->p);
    return true;
}

bool sources_text(const struct sources_items *i, char *out, size_t size) {
    struct mp_cursor c = {i->p, i->p + i->n};
    struct mp_value v;
    if (mp_read(&c, &v) != 1 || v.type != MP_STR || v.len >= size)
        return false;
    memcpy(out, v.p, v.len);
    out[v.len] = 0;
    return true;
}

int sources_status(struct buf *reply, struct err *e) {
    struct buf request = {0};
    struct running running;
    if (pick_pipeline(NULL, &running, e) < 0)
        return -1;
    rpc_request_begin(&request, "status", 0);
    int r = rpc_ask("supervisor", &request, ASK_MS, reply, e);
    buf_free(&request);
    return r;
}

/* Called with each endpoint that others may attach to, until it is not 0. */
typedef int (*take_name)(void *ctx, const char *name, struct err *e);

static bool next_output(struct sources_items *i, struct endpoint *ep) {
    char name[160];
    while (sources_next(i))
        if (sources_text(i, name, sizeof name) && endpoint_parse(ep, name, NULL) == 0 &&
            ep->kind == ENDPOINT_NNG)
            return true;
    return false;
}

static bool is_url(const struct endpoint *ep) {
    return strstr(ep->name, "://");
}

/* What it says to other machines it says here, too, as long as it has a name here. */
static int each_output(const struct sources_items *stage, take_name take, void *ctx,
                       struct err *e) {
    struct sources_items i = sources_list(stage->p, stage->n, "outputs"), again = i;
    struct endpoint ep;
    bool named = false;
    int r = 0;
    while (next_output(&i, &ep))
        named |= !is_url(&ep);
    while (r == 0 && next_output(&again, &ep))
        if (!named || !is_url(&ep))
            r = take(ctx, ep.name, e);
    return r;
}

static int each_name(take_name take, void *ctx, struct err *e) {
    struct buf reply = {0};
    int r = sources_status(&reply, e);
    struct sources_items i = sources_list(buf_data(&reply), buf_len(&reply), "stages");
    while (r == 0 && sources_next(&i))
        r = each_output(&i, take, ctx, e);
    buf_free(&reply);
    return r;
}

struct names {
    char *text;
    size_t size;
};

static int append_name(void *ctx, const char *name, struct err *e) {
    struct names *n = ctx;
    size_t at = strlen(n->text);
    (void)e;
    if (at + strlen(name) + 3 < n->size)
        snprintf(n->text + at, n->size - at, "%s%s", at ? ", " : "", name);
    return 0;
}

int sources_names(char *out, size_t size, struct err *e) {
    struct names n = {out, size};
    out[0] = 0;
    int r = each_name(append_name, &n, e);
    return r < 0 ? r : append_name(&n, "supervisor", e);
}

static int add_copy(void *ctx, const char *name, struct err *e) {
    return add(ctx, mem_strdup(name), e);
}

static int add_pipeline(struct stage *st, struct err *e) {
    int r = each_name(add_copy, st, e);
    if (r == 0 && st->inputs.n == 0)
        r = err_set(e, CAUSE_ABSENT, "no stage of the running pipeline has an endpoint");
    return r;
}

int sources_choose(struct stage *st, char **argv, int n, bool all, struct err *e) {
    for (int i = 1; i <= n; i++)
        if (add_operand(st, argv[i], e) < 0)
            return -1;
    if (stage_checking() || (!all && (st->inputs.n || is_filter())))
        return 0;
    return add_pipeline(st, e);
}
