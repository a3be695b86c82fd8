#include "name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COMPONENT_MAX = 255, COPY_MAX = 7 /* "_100000" */, US_PER_S = 1000000 };

static const char *const placeholder[NAME_KINDS] = {
    [NAME_MAC] = "mac", [NAME_US] = "us", [NAME_SEQ] = "seq", [NAME_TOPIC] = "topic"};
static const char conversions[NAME_KINDS] = {
    [NAME_YEAR] = 'Y', [NAME_MONTH] = 'm',  [NAME_DAY] = 'd',
    [NAME_HOUR] = 'H', [NAME_MINUTE] = 'M', [NAME_SECOND] = 'S'};

/* ---- reading a pattern ---- */

static struct name_part *add(struct name_pattern *p, enum name_kind kind) {
    struct name_part *last = p->parts ? &p->part[p->parts - 1] : NULL;
    if (kind == NAME_TEXT && last && last->kind == NAME_TEXT)
        return last;
    if (p->parts == NAME_PARTS)
        return NULL;
    p->part[p->parts].kind = kind;
    p->has[kind] = true;
    return &p->part[p->parts++];
}

static bool add_char(struct name_pattern *p, char c) {
    struct name_part *part = add(p, NAME_TEXT);
    if (!part || part->len + 1 >= sizeof part->text)
        return false;
    part->text[part->len++] = c;
    p->dirs += c == '/';
    return true;
}

static int too_long(struct err *e) {
    return err_set(e, CAUSE_LIMIT, "a pattern has at most %d bytes and %d placeholders",
                   NAME_PATTERN - 1, NAME_PARTS);
}

/* n bytes of what follows "time:". */
static int add_time(struct name_pattern *p, const char *s, size_t n, struct err *e) {
    for (size_t i = 0; i < n; i++) {
        if (s[i] != '%' || (i + 1 < n && s[i + 1] == '%')) {
            i += s[i] == '%';
            if (!add_char(p, s[i]))
                return too_long(e);
            continue;
        }
        const char *at = i + 1 < n ? memchr(conversions, s[i + 1], sizeof conversions) : NULL;
        if (!at)
            return err_set(e, CAUSE_USAGE,
                           "{time:%.*s}: there are %%Y %%m %%d %%H %%M %%S and %%%%", (int)n, s);
        if (!add(p, (enum name_kind)(at - conversions)))
            return too_long(e);
        i++;
    }
    return 0;
}

/* n bytes between the braces. */
static int add_placeholder(struct name_pattern *p, const char *s, size_t n, struct err *e) {
    static const char usual[] = "%Y%m%d_%H%M%S";
    if (n == 4 && memcmp(s, "time", 4) == 0)
        return add_time(p, usual, sizeof usual - 1, e);
    if (n > 5 && memcmp(s, "time:", 5) == 0)
        return add_time(p, s + 5, n - 5, e);
    for (int k = 0; k < NAME_KINDS; k++)
        if (placeholder[k] && strlen(placeholder[k]) == n && memcmp(placeholder[k], s, n) == 0)
            return add(p, (enum name_kind)k) ? 0 : too_long(e);
    return err_set(e, CAUSE_USAGE,
                   "{%.*s} is unknown (there are {mac} {time:%%Y%%m%%d} {us} {seq} "
                   "{topic})",
                   (int)n, s);
}

static int add_all(struct name_pattern *p, const char *text, struct err *e) {
    for (const char *s = text; *s; s++) {
        if (*s != '{') {
            if (!add_char(p, *s))
                return too_long(e);
            continue;
        }
        const char *end = strchr(s, '}');
        if (!end)
            return err_set(e, CAUSE_USAGE, "\"%s\": a { without }", text);
        if (add_placeholder(p, s + 1, (size_t)(end - s) - 1, e) < 0)
            return -1;
        s = end;
    }
    return 0;
}

static const char *next_component(const char *s) {
    const char *slash = strchr(s, '/');
    return slash ? slash + 1 : NULL;
}

/* Looked at in a name as long as any that it can make: directories named . or .. would leave the
 * tree, and hidden files are the temporary ones. */
static int check_components(const char *name, struct err *e) {
    for (const char *s = name; s; s = next_component(s)) {
        if (*s == '/' || *s == 0 || *s == '.')
            return err_set(e, CAUSE_USAGE, "no part of a name may be empty or begin with a dot");
        if (strcspn(s, "/") > COMPONENT_MAX - COPY_MAX)
            return err_set(e, CAUSE_LIMIT, "a name could be longer than %d bytes",
                           COMPONENT_MAX - COPY_MAX);
    }
    for (const char *s = name; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f)
            return err_set(e, CAUSE_USAGE, "no control characters in names");
    return 0;
}

static int check_longest(const struct name_pattern *p, struct err *e) {
    struct name_facts f = {.seq = UINT64_MAX, .time_us = 1};
    char out[NAME_BYTES];
    memset(f.topic, 'x', MSG_TOPIC_MAX);
    return name_make(p, &f, out, sizeof out) < 0 ? too_long(e) : check_components(out, e);
}

/* {seq}{us}, say, cannot be told apart again. */
static int check_reading(const struct name_pattern *p, struct err *e) {
    struct name_facts f = {.seq = 1234567, .time_us = 1748467031123456u, .topic = "a.image"}, g;
    char out[NAME_BYTES];
    if (name_make(p, &f, out, sizeof out) < 0 || !name_match(p, out, &g))
        return err_set(e, CAUSE_USAGE, "put some text between the placeholders");
    return 0;
}

int name_parse(struct name_pattern *p, const char *text, struct err *e) {
    memset(p, 0, sizeof *p);
    if (strlen(text) >= NAME_PATTERN)
        return too_long(e);
    if (!*text)
        return err_set(e, CAUSE_USAGE, "it is empty");
    if (add_all(p, text, e) < 0 || check_longest(p, e) < 0)
        return -1;
    p->dated = true;
    for (int k = NAME_YEAR; k <= NAME_SECOND; k++)
        p->dated &= p->has[k];
    p->certain = p->dated && p->has[NAME_MAC];
    return check_reading(p, e);
}

/* ---- making a name ---- */

static int put_part(const struct name_part *part, const struct name_facts *f, const struct tm *tm,
                    char *out, size_t size) {
    switch (part->kind) {
    case NAME_MAC:
        return snprintf(out, size, "%012llx", (unsigned long long)f->mac & 0xffffffffffffu);
    case NAME_YEAR:
        return snprintf(out, size, "%04d", tm->tm_year + 1900);
    case NAME_MONTH:
        return snprintf(out, size, "%02d", tm->tm_mon + 1);
    case NAME_DAY:
        return snprintf(out, size, "%02d", tm->tm_mday);
    case NAME_HOUR:
        return snprintf(out, size, "%02d", tm->tm_hour);
    case NAME_MINUTE:
        return snprintf(out, size, "%02d", tm->tm_min);
    case NAME_SECOND:
        return snprintf(out, size, "%02d", tm->tm_sec);
    case NAME_US:
        return snprintf(out, size, "%06u", (unsigned)(f->time_us % US_PER_S));
    case NAME_SEQ:
        return snprintf(out, size, "%llu", (unsigned long long)f->seq);
    case NAME_TOPIC:
        return snprintf(out, size, "%s", f->topic);
    default:
        return snprintf(out, size, "%.*s", (int)part->len, part->text);
    }
}

/* Where a copy's number goes: in front of the extension of the file's own name. */
static size_t stem(const char *name, size_t n) {
    const char *slash = memrchr(name, '/', n);
    const char *base = slash ? slash + 1 : name;
    const char *dot = memrchr(base, '.', n - (size_t)(base - name));
    return dot && dot > base ? (size_t)(dot - name) : n;
}

static int add_copy(char *out, size_t n, size_t size, unsigned copy) {
    char number[16];
    size_t len = (size_t)snprintf(number, sizeof number, "_%u", copy), at = stem(out, n);
    if (n + len >= size)
        return -1;
    memmove(out + at + len, out + at, n - at + 1);
    memcpy(out + at, number, len);
    return (int)(n + len);
}

static int make(const struct name_pattern *p, const struct name_facts *f, const struct tm *tm,
                char *out, size_t size) {
    size_t n = 0;
    *out = 0;
    for (size_t i = 0; i < p->parts; i++) {
        int w = put_part(&p->part[i], f, tm, out + n, size - n);
        if (w < 0 || (size_t)w >= size - n)
            return -1;
        n += (size_t)w;
    }
    return f->copy ? add_copy(out, n, size, f->copy) : (int)n;
}

int name_make(const struct name_pattern *p, const struct name_facts *f, char *out, size_t size) {
    time_t s = (time_t)(f->time_us / US_PER_S);
    struct tm tm;
    localtime_r(&s, &tm);
    return make(p, f, &tm, out, size);
}

void name_advance(const struct name_pattern *p, struct name_facts *f) {
    if (p->has[NAME_US])
        f->time_us++;
    else
        f->copy = f->copy ? f->copy + 1 : 2;
}

/* ---- reading a name ---- */

struct reading {
    const struct name_pattern *p;
    struct name_facts f;
    struct tm tm;
    unsigned us;
};

static bool read_digits(const char **s, size_t n, int *out) {
    int v = 0;
    for (size_t i = 0; i < n; i++) {
        if ((*s)[i] < '0' || (*s)[i] > '9')
            return false;
        v = v * 10 + (*s)[i] - '0';
    }
    *s += n;
    *out = v;
    return true;
}

static bool read_mac(const char **s, uint64_t *mac) {
    static const char hex[] = "0123456789abcdef";
    *mac = 0;
    for (int i = 0; i < 12; i++) {
        const char *at = (*s)[i] ? strchr(hex, (*s)[i]) : NULL;
        if (!at)
            return false;
        *mac = *mac << 4 | (uint64_t)(at - hex);
    }
    *s += 12;
    return true;
}

static bool read_seq(const char **s, uint64_t *seq) {
    char *end;
    if (**s < '0' || **s > '9')
        return false;
    *seq = strtoull(*s, &end, 10);
    *s = end;
    return true;
}

/* A part of a form of its own. */
static bool read_part(struct reading *r, const struct name_part *part, const char **s) {
    struct tm *tm = &r->tm;
    int *const field[] = {
        [NAME_YEAR] = &tm->tm_year, [NAME_MONTH] = &tm->tm_mon,  [NAME_DAY] = &tm->tm_mday,
        [NAME_HOUR] = &tm->tm_hour, [NAME_MINUTE] = &tm->tm_min, [NAME_SECOND] = &tm->tm_sec,
        [NAME_US] = (int *)&r->us};
    switch (part->kind) {
    case NAME_TEXT:
        if (strncmp(*s, part->text, part->len) != 0)
            return false;
        *s += part->len;
        return true;
    case NAME_MAC:
        return read_mac(s, &r->f.mac);
    case NAME_SEQ:
        return read_seq(s, &r->f.seq);
    default:
        return read_digits(s,
                           part->kind == NAME_YEAR ? 4
                           : part->kind == NAME_US ? 6
                                                   : 2,
                           field[part->kind]);
    }
}

static bool read_from(struct reading *r, size_t part, const char *s);

/* A topic has no length of its own: the longest that lets the rest fit. */
static bool read_topic(struct reading *r, size_t part, const char *s) {
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-.");
    for (n = n < MSG_TOPIC_MAX ? n : MSG_TOPIC_MAX; n > 0; n--) {
        memcpy(r->f.topic, s, n);
        r->f.topic[n] = 0;
        if (read_from(r, part + 1, s + n))
            return true;
    }
    return false;
}

static bool read_from(struct reading *r, size_t part, const char *s) {
    for (; part < r->p->parts; part++) {
        if (r->p->part[part].kind == NAME_TOPIC)
            return read_topic(r, part, s);
        if (!read_part(r, &r->p->part[part], &s))
            return false;
    }
    return *s == 0;
}

/* Written again it must be the same: that is the check of dates, and of what is said twice. */
static bool check_again(struct reading *r, const char *name) {
    char again[NAME_BYTES];
    r->tm.tm_year -= r->p->has[NAME_YEAR] ? 1900 : 0;
    r->tm.tm_mon -= r->p->has[NAME_MONTH] ? 1 : 0;
    struct tm day = {.tm_year = r->tm.tm_year, .tm_mon = r->tm.tm_mon, .tm_mday = r->tm.tm_mday};
    bool valid = r->tm.tm_hour < 24 && r->tm.tm_min < 60 && r->tm.tm_sec <= 60;
    if (r->p->dated && (timegm(&day) == -1 || day.tm_mday != r->tm.tm_mday ||
                        day.tm_mon != r->tm.tm_mon || !valid))
        return false;
    struct name_facts f = r->f;
    f.time_us = r->us;
    return make(r->p, &f, &r->tm, again, sizeof again) > 0 && strcmp(again, name) == 0;
}

static bool read_plain(const struct name_pattern *p, const char *name, struct name_facts *f) {
    struct reading r = {.p = p};
    if (!read_from(&r, 0, name) || !check_again(&r, name))
        return false;
    r.tm.tm_isdst = -1;
    time_t at = p->dated ? mktime(&r.tm) : 0;
    *f = r.f;
    f->time_us = at > 0 ? (uint64_t)at * US_PER_S + r.us : 0;
    return true;
}

/* Cut the number of a copy out of name; 0 = it has none. */
static unsigned cut_copy(char *name) {
    size_t end = stem(name, strlen(name)), at = end;
    while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9')
        at--;
    if (at == 0 || name[at - 1] != '_' || end - at == 0 || end - at > 6 || name[at] == '0')
        return 0;
    unsigned copy = (unsigned)strtoul(name + at, NULL, 10);
    memmove(name + at - 1, name + end, strlen(name + end) + 1);
    return copy >= 2 ? copy : 0;
}

bool name_match(const struct name_pattern *p, const char *name, struct name_facts *f) {
    char first[NAME_BYTES];
    if (read_plain(p, name, f))
        return true;
    if (p->has[NAME_US] || strlen(name) >= sizeof first)
        return false;
    memcpy(first, name, strlen(name) + 1);
    unsigned copy = cut_copy(first);
    if (!copy || !read_plain(p, first, f))
        return false;
    f->copy = copy;
    return true;
}
