#include "cond.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char DATE[] = "%a, %d %b %Y %H:%M:%S GMT";

const char *cond_etag(const struct cond_file *f, char out[COND_TEXT]) {
    snprintf(out, COND_TEXT, "\"%" PRIx64 "-%" PRIx64 "\"", f->mtime_ns, f->size);
    return out;
}

const char *cond_date(const struct cond_file *f, char out[COND_TEXT]) {
    time_t s = (time_t)(f->mtime_ns / 1000000000u);
    struct tm tm;
    gmtime_r(&s, &tm);
    strftime(out, COND_TEXT, DATE, &tm);
    return out;
}

/* Seconds since the epoch of any of HTTP's three date forms; -1 when it is none. */
static int64_t date_parse(const char *text) {
    static const char *const form[] = {DATE, "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"};
    for (size_t i = 0; i < sizeof form / sizeof *form; i++) {
        struct tm tm = {0};
        const char *end = strptime(text, form[i], &tm);
        if (end && !*end)
            return timegm(&tm);
    }
    return -1;
}

/* Whether a list of entity tags has ours; weak comparison. */
static bool etag_in(const char *list, const char *etag) {
    size_t n = strlen(etag);
    while (*list) {
        list += strspn(list, " \t,");
        if (*list == '*')
            return true;
        if (strncmp(list, "W/", 2) == 0)
            list += 2;
        if (strncmp(list, etag, n) == 0)
            return true;
        if (*list == '"')
            list += 1 + strcspn(list + 1, "\"");
        list += strcspn(list, ",");
    }
    return false;
}

static bool not_modified(const struct cond_file *f, const struct cond_ask *ask, const char *etag) {
    if (ask->if_none_match)
        return etag_in(ask->if_none_match, etag);
    if (!ask->if_modified_since)
        return false;
    int64_t since = date_parse(ask->if_modified_since);
    return since >= 0 && (int64_t)(f->mtime_ns / 1000000000u) <= since;
}

/* Whether the part that the client has is of this very file. */
static bool range_holds(const struct cond_file *f, const char *if_range, const char *etag) {
    if (!if_range)
        return true;
    if (*if_range == '"' || *if_range == 'W')
        return strcmp(if_range, etag) == 0;
    return date_parse(if_range) == (int64_t)(f->mtime_ns / 1000000000u);
}

/* Digits at *s, which moves on; false when there are none. Too large a number becomes the largest.
 */
static bool number(const char **s, uint64_t *v) {
    const char *at = *s;
    for (*v = 0; isdigit((unsigned char)*at); at++) {
        unsigned digit = (unsigned)(*at - '0');
        *v = *v > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *v * 10 + digit;
    }
    bool any = at != *s;
    *s = at;
    return any;
}

/* One range "a-b", "a-" or "-n" of a file of `size` bytes. */
static bool range_parse(const char *s, uint64_t size, struct cond_part *out) {
    uint64_t from, to = UINT64_MAX;
    bool first = number(&s, &from);
    if (*s++ != '-')
        return false;
    bool last = number(&s, &to);
    if (*s || (!first && !last) || (first && last && to < from) || size == 0)
        return false;
    if (!first) {
        out->len = to < size ? to : size;
        out->at = size - out->len;
        return out->len > 0;
    }
    if (from >= size)
        return false;
    out->at = from;
    out->len = (last && to < size ? to + 1 : size) - from;
    return true;
}

void cond_decide(const struct cond_file *f, const struct cond_ask *ask, struct cond_part *out) {
    char etag[COND_TEXT];
    *out = (struct cond_part){200, 0, f->size};
    cond_etag(f, etag);
    if (not_modified(f, ask, etag)) {
        *out = (struct cond_part){304, 0, 0};
        return;
    }
    if (!ask->range || strncmp(ask->range, "bytes=", 6) != 0 ||
        !range_holds(f, ask->if_range, etag))
        return;
    if (range_parse(ask->range + 6, f->size, out))
        out->status = 206;
    else
        *out = (struct cond_part){416, 0, 0};
}
