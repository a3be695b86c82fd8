#include "topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = TOPICS_MAX * 2 };

static size_t hash(const char *source, const char *name, size_t n) {
    uint64_t h = 1469598103934665603u; /* FNV-1a */
    for (; *source; source++)
        h = (h ^ (uint8_t)*source) * 1099511628211u;
    h = (h ^ 0xff) * 1099511628211u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)name[i]) * 1099511628211u;
    return (size_t)(h % SLOTS);
}

static bool is(const struct topic *t, const char *source, const char *name, size_t n) {
    return strncmp(t->name, name, n) == 0 && t->name[n] == 0 && strcmp(t->source, source) == 0;
}

static struct topic *add(struct topics *t, size_t slot, const char *source, const char *name,
                         size_t n) {
    if (t->n == TOPICS_MAX || n > MSG_TOPIC_MAX)
        return NULL;
    struct topic *row = mem_alloc(sizeof *row);
    snprintf(row->source, sizeof row->source, "%s", source);
    memcpy(row->name, name, n);
    t->row[t->n++] = row;
    t->slot[slot] = t->n;
    return row;
}

struct topic *topics_find(struct topics *t, const char *source, const char *name, size_t n) {
    if (!t->row) {
        t->row = mem_alloc(TOPICS_MAX * sizeof *t->row);
        t->slot = mem_alloc(SLOTS * sizeof *t->slot);
    }
    size_t i = hash(source, name, n);
    for (; t->slot[i]; i = (i + 1) % SLOTS)
        if (is(t->row[t->slot[i] - 1], source, name, n))
            return t->row[t->slot[i] - 1];
    return add(t, i, source, name, n);
}

/* ---- counting ---- */

static void end_second(struct topics_rate *r) {
    if (r->seconds == 0 || r->now < r->min)
        r->min = r->now;
    if (r->now > r->max)
        r->max = r->now;
    r->total += r->now;
    r->seconds++;
    r->second++;
    r->now = 0;
}

/* Silent seconds count as well, all that follow the first one at once. */
static void count_rate(struct topics_rate *r, uint64_t at_ns) {
    uint64_t second = at_ns > r->began_ns ? (at_ns - r->began_ns) / 1000000000u : 0;
    if (second > r->second)
        end_second(r);
    if (second > r->second) {
        r->min = 0;
        r->seconds += second - r->second;
        r->second = second;
    }
    r->now++;
}

static void follow_seq(struct topic *t, const struct msg *m) {
    uint64_t missing = 0;
    if (t->seq && m->seq > t->seq)
        missing = m->seq - t->seq - 1;
    else if (t->seq && m->seq) {
        t->restarts++;
        missing = m->seq - 1;
    }
    t->gaps += missing > 0;
    t->lost += missing;
    t->seq = m->seq;
    t->time = m->time;
}

static void count_size(struct topic *t, uint64_t n) {
    t->bytes += n;
    if (t->count == 0 || n < t->min_bytes)
        t->min_bytes = n;
    if (n > t->max_bytes)
        t->max_bytes = n;
}

struct topic *topics_count(struct topics *topics, const char *source, const struct msg *m,
                           uint64_t at_ns) {
    struct topic *t = topics_find(topics, source, m->topic, m->topic_len);
    if (!t) {
        topics->unlisted++;
        return NULL;
    }
    if (t->count && m->seq && m->seq == t->seq && m->time == t->time) {
        t->repeated++;
        return t;
    }
    if (t->count == 0)
        t->first_ns = t->rate.began_ns = at_ns;
    follow_seq(t, m);
    count_size(t, m->raw_len);
    count_rate(&t->rate, at_ns);
    t->last_ns = at_ns;
    t->count++;
    return t;
}

static int compare(const void *a, const void *b) {
    const struct topic *x = *(struct topic *const *)a, *y = *(struct topic *const *)b;
    int r = strcmp(x->source, y->source);
    return r ? r : strcmp(x->name, y->name);
}

/* The hash is made anew, for it holds places. */
void topics_sort(struct topics *t) {
    if (!t->row)
        return;
    qsort(t->row, t->n, sizeof *t->row, compare);
    memset(t->slot, 0, SLOTS * sizeof *t->slot);
    for (size_t k = 0; k < t->n; k++) {
        size_t i = hash(t->row[k]->source, t->row[k]->name, strlen(t->row[k]->name));
        while (t->slot[i])
            i = (i + 1) % SLOTS;
        t->slot[i] = k + 1;
    }
}

void topics_free(struct topics *t) {
    for (size_t i = 0; i < t->n; i++)
        free(t->row[i]);
    free(t->row);
    free(t->slot);
    *t = (struct topics){0};
}
