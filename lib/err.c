#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    [CAUSE_OK] = "ok",           [CAUSE_USAGE] = "usage",           [CAUSE_ABSENT] = "absent",
    [CAUSE_BUSY] = "busy",       [CAUSE_PERMISSION] = "permission", [CAUSE_UNPLUGGED] = "unplugged",
    [CAUSE_TIMEOUT] = "timeout", [CAUSE_PROTOCOL] = "protocol",     [CAUSE_LIMIT] = "limit",
    [CAUSE_FULL] = "full",       [CAUSE_CRASHED] = "crashed",       [CAUSE_FAILED] = "failed",
};

const char *cause_name(enum cause c) {
    return (size_t)c < sizeof names / sizeof *names ? names[c] : "failed";
}

enum cause cause_of_errno(int no) {
    switch (no) {
    case 0:
        return CAUSE_OK;
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ENOTDIR:
    case ECONNREFUSED:
        return CAUSE_ABSENT;
    case EACCES:
    case EPERM:
    case EROFS:
        return CAUSE_PERMISSION;
    case EBUSY:
    case EADDRINUSE:
    case EWOULDBLOCK:
        return CAUSE_BUSY;
    case EIO:
        return CAUSE_UNPLUGGED;
    case ETIMEDOUT:
        return CAUSE_TIMEOUT;
    case ENOSPC:
    case EDQUOT:
        return CAUSE_FULL;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return CAUSE_LIMIT;
    default:
        return CAUSE_FAILED;
    }
}

int err_set(struct err *e, enum cause c, const char *fmt, ...) {
    if (!e)
        return -1;
    char text[sizeof e->text]; /* e->text may be one of the arguments */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    e->cause = c;
    memcpy(e->text, text, sizeof text);
    return -1;
}

int err_errno(struct err *e, int no, const char *fmt, ...) {
    if (!e)
        return -1;
    char text[sizeof e->text];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    /* The reason is worth more than the end of a long text. */
    const char *reason = strerror(no);
    int room = (int)(sizeof text - strlen(reason)) - 3;
    return err_set(e, cause_of_errno(no), "%.*s: %s", room, text, reason);
}
