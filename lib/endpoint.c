#include "endpoint.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "rundir.h"

enum { NAME_BYTES = 48 };

bool endpoint_name_valid(const char *name) {
    size_t n = strlen(name);
    if (n == 0 || n > NAME_BYTES || name[0] == '.' || name[0] == '-')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("_-.", name[i]))
            return false;
    return true;
}

bool endpoint_prefix_valid(const char *prefix) {
    return prefix[strspn(prefix, "abcdefghijklmnopqrstuvwxyz0123456789_-.")] == 0;
}

static int split_prefix(struct endpoint *ep, const char *text, struct err *e) {
    const char *q = strchr(text, '?');
    size_t n = q ? (size_t)(q - text) : strlen(text);
    if (n >= sizeof ep->name)
        return err_set(e, CAUSE_USAGE, "endpoint \"%.40s...\" is too long", text);
    memcpy(ep->name, text, n);
    ep->name[n] = 0;
    if (q && (size_t)snprintf(ep->prefix, sizeof ep->prefix, "%s", q + 1) >= sizeof ep->prefix)
        return err_set(e, CAUSE_USAGE, "topic prefix \"%s\" is too long", q + 1);
    if (!endpoint_prefix_valid(ep->prefix))
        return err_set(e, CAUSE_USAGE,
                       "endpoint \"%s\": a topic begins with a-z 0-9 _ - and dots, no *", text);
    return 0;
}

static int from_url(struct endpoint *ep, struct err *e) {
    snprintf(ep->pub, sizeof ep->pub, "%s", ep->name);
    if (strncmp(ep->name, "ipc://", 6) == 0) {
        snprintf(ep->rep, sizeof ep->rep, "%s.rep", ep->name);
        return 0;
    }
    if (strncmp(ep->name, "tcp://", 6) != 0 && strncmp(ep->name, "tls+tcp://", 10) != 0)
        return err_set(e, CAUSE_USAGE,
                       "endpoint \"%s\": a URL begins with tcp://, tls+tcp:// or ipc://", ep->name);
    char *colon = strrchr(ep->name, ':'), *end;
    long port = strtol(colon + 1, &end, 10);
    if (port < 1 || port > 65534 || *end || !isdigit((unsigned char)colon[1]))
        return err_set(e, CAUSE_USAGE,
                       "endpoint \"%s\": needs a port from 1 to 65534, as in tcp://127.0.0.1:7000",
                       ep->name);
    snprintf(ep->rep, sizeof ep->rep, "%.*s:%ld", (int)(colon - ep->name), ep->name, port + 1);
    return 0;
}

static int from_name(struct endpoint *ep, struct err *e) {
    bool fifo = ep->kind == ENDPOINT_FIFO;
    const char *name = fifo ? ep->name + 5 : ep->name;
    char path[128];
    if (!endpoint_name_valid(name))
        return err_set(e, CAUSE_USAGE,
                       "endpoint \"%s\": a name has letters, digits, _ and -, at most %d", name,
                       NAME_BYTES);
    if (rundir_file(path, 107, name, fifo ? "fifo" : "pub", e) < 0)
        return -1;
    snprintf(ep->pub, sizeof ep->pub, "%s%s", fifo ? "" : "ipc://", path);
    if (fifo)
        return 0;
    if (rundir_file(path, 107, name, "rep", e) < 0)
        return -1;
    snprintf(ep->rep, sizeof ep->rep, "ipc://%s", path);
    return 0;
}

static bool is_url(const struct endpoint *ep) {
    return ep->kind == ENDPOINT_NNG && strstr(ep->name, "://");
}

int endpoint_make_dir(const struct endpoint *ep, struct err *e) {
    char dir[RUNDIR_MAX];
    if (ep->kind == ENDPOINT_STDIO || is_url(ep))
        return 0;
    if (log_supervised()) /* the supervisor has made it, be it for another user's stages */
        return 0;
    return rundir_path(dir, sizeof dir, NULL, e) < 0 ? -1 : rundir_make(dir, e);
}

int endpoint_parse(struct endpoint *ep, const char *text, struct err *e) {
    *ep = (struct endpoint){0};
    if (split_prefix(ep, text, e) < 0)
        return -1;
    if (strcmp(ep->name, "-") == 0) {
        ep->kind = ENDPOINT_STDIO;
        return 0;
    }
    ep->kind = strncmp(ep->name, "fifo:", 5) == 0 ? ENDPOINT_FIFO : ENDPOINT_NNG;
    return is_url(ep) ? from_url(ep, e) : from_name(ep, e);
}
