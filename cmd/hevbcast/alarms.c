#include "alarms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "log.h"
#include "statefile.h"

/* ---- what a message says ---- */

static bool is_name(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z') && !(p[i] >= '0' && p[i] <= '9') &&
            p[i] != '_')
            return false;
    return n > 0 && n <= ALARM_NAME_MAX;
}

/* A code or a type: its name, or a number that has none. "" when the key is missing. */
static bool read_name(const struct msg *m, const char *key, char out[ALARM_NAME_MAX + 1],
                      bool *number) {
    struct mp_value v;
    *out = 0;
    *number = false;
    if (!mp_find(m->body, m->body_len, key, &v, NULL))
        return true;
    *number = v.type == MP_UINT;
    if (*number)
        snprintf(out, ALARM_NAME_MAX + 1, "%llu", (unsigned long long)v.u);
    else if (v.type == MP_STR && is_name(v.p, v.len))
        snprintf(out, ALARM_NAME_MAX + 1, "%.*s", (int)v.len, (const char *)v.p);
    return *out != 0;
}

/* ---- the list ---- */

static struct alarm *find(const struct alarms *a, const char *type, const char *name) {
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->list[i]->name, name) == 0 && strcmp(a->list[i]->type, type) == 0)
            return a->list[i];
    return NULL;
}

static void remove_at(struct alarms *a, size_t i) {
    a->list[i]->order = 0;
    memmove(&a->list[i], &a->list[i + 1], (--a->n - i) * sizeof *a->list);
}

/* There is one: add removes the oldest from a full list. */
static struct alarm *free_place(const struct alarms *a) {
    size_t i = 0;
    while (i + 1 < ALARMS_MAX && a->memory->place[i].order)
        i++;
    return &a->memory->place[i];
}

/* From A1 on the device says how urgent it is, before that the safety document does. */
static enum hev_priority priority_of(unsigned version, const char *type, const char *name) {
    int told = *type ? hev_number(HEV_NAME_ALARM_TYPE, version, type) : -1;
    return told > 0 ? (enum hev_priority)told : hev_alarm_name_priority(name);
}

static struct alarm *add(struct alarms *a, const char *type, const char *name, uint64_t time) {
    if (a->n == ALARMS_MAX) {
        a->overflowed++;
        remove_at(a, 0);
    }
    uint64_t order = a->n ? a->list[a->n - 1]->order + 1 : 1;
    struct alarm *new = free_place(a);
    *new = (struct alarm){.since = time};
    snprintf(new->name, sizeof new->name, "%s", name);
    snprintf(new->type, sizeof new->type, "%s", type);
    a->list[a->n++] = new;
    new->order = order;
    return new;
}

static struct mp_cursor body_of(const struct alarm *e) {
    const uint8_t *p = e->body[e->which].bytes;
    return (struct mp_cursor){p, p + e->body[e->which].len};
}

static void set_body(struct alarm *e, const struct msg *m) {
    unsigned other = !e->which;
    memcpy(e->body[other].bytes, m->body, m->body_len);
    e->body[other].len = (uint32_t)m->body_len;
    e->which = other;
}

/* The text is needed with every payload and changes seldom. */
static void write_objects(struct alarms *a) {
    const struct json_style python = {.spaced = true};
    buf_clear(&a->objects);
    buf_putc(&a->objects, '[');
    for (size_t i = 0; i < a->n; i++) {
        struct mp_cursor c = body_of(a->list[i]);
        if (i)
            buf_put(&a->objects, ", ", 2);
        if (json_from_mp(&a->objects, &c, &python) != 1)
            buf_put(&a->objects, "{}", 2);
    }
    buf_putc(&a->objects, ']');
}

bool alarms_latch(struct alarms *a, const struct msg *m, unsigned version, const char *nameless) {
    char name[ALARM_NAME_MAX + 1], type[ALARM_NAME_MAX + 1];
    bool unknown, odd_type;
    if (m->body_len > ALARM_BODY_MAX || !read_name(m, "alarm_code", name, &unknown) || !*name ||
        !read_name(m, "alarm_type", type, &odd_type))
        return false;
    if (unknown && nameless)
        snprintf(name, sizeof name, "%s", nameless);
    struct alarm *e = find(a, type, name);
    if (!e)
        e = add(a, type, name, m->time);
    e->priority = priority_of(version, type, name);
    e->count++;
    set_body(e, m);
    write_objects(a);
    return true;
}

static bool is_meant(const struct alarm *e, const char *type, const char *name, uint64_t since_ms) {
    return strcmp(e->name, name) == 0 && (!type || strcmp(e->type, type) == 0) &&
           (!since_ms || e->since / 1000000u == since_ms);
}

size_t alarms_remove(struct alarms *a, const char *type, const char *name, uint64_t since_ms) {
    size_t before = a->n;
    for (size_t i = a->n; i-- > 0;)
        if (is_meant(a->list[i], type, name, since_ms))
            remove_at(a, i);
    write_objects(a);
    return before - a->n;
}

bool alarms_first_of_name(const struct alarms *a, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (strcmp(a->list[k]->name, a->list[i]->name) == 0)
            return false;
    return true;
}

/* ---- what an earlier process has left ---- */

static bool is_whole(const struct alarm *e) {
    struct mp_value map;
    if (e->which > 1 || e->body[e->which].len > ALARM_BODY_MAX ||
        strnlen(e->type, sizeof e->type) == sizeof e->type ||
        !is_name((const uint8_t *)e->name, strnlen(e->name, sizeof e->name)))
        return false;
    struct mp_cursor all = body_of(e), head = all;
    return mp_skip(&all) == 1 && all.at == all.end && mp_read(&head, &map) == 1 &&
           map.type == MP_MAP;
}

static int by_order(const void *a, const void *b) {
    const struct alarm *x = *(struct alarm *const *)a, *y = *(struct alarm *const *)b;
    return (x->order > y->order) - (x->order < y->order);
}

void alarms_open(struct alarms *a, const char *name) {
    const uint64_t magic = 0x616c61726d000000u | sizeof(struct alarm);
    a->memory = statefile_open(name, sizeof *a->memory);
    if (a->memory->magic != magic)
        *a->memory = (struct alarm_memory){.magic = magic};
    for (size_t i = 0; i < ALARMS_MAX; i++) {
        struct alarm *e = &a->memory->place[i];
        if (e->order && is_whole(e))
            a->list[a->n++] = e;
        else
            e->order = 0;
    }
    qsort(a->list, a->n, sizeof *a->list, by_order);
    write_objects(a);
    if (a->n)
        log_info("%zu alarms are still latched", a->n);
}

void alarms_close(struct alarms *a) {
    statefile_close(a->memory, sizeof *a->memory);
    buf_free(&a->objects);
}

/* ---- as it is published ---- */

/* Key and value as the message has them, if it does. */
static void copy_value(struct buf *b, const struct alarm *e, const char *key) {
    struct mp_value v;
    struct mp_cursor from;
    struct mp_cursor body = body_of(e);
    if (!mp_find(body.at, (size_t)(body.end - body.at), key, &v, &from))
        return;
    const uint8_t *start = from.at;
    mp_skip(&from);
    mp_put_str(b, key);
    buf_put(b, start, (size_t)(from.at - start));
}

static bool has(const struct alarm *e, const char *key) {
    struct mp_value v;
    struct mp_cursor body = body_of(e);
    return mp_find(body.at, (size_t)(body.end - body.at), key, &v, NULL);
}

static void put_one(struct buf *b, const struct alarm *e) {
    static const char *const keys[] = {"alarm_type", "alarm_code", "param", "timestamp"};
    uint32_t pairs = 3;
    for (int i = 0; i < 4; i++)
        pairs += has(e, keys[i]);
    mp_put_map(b, pairs);
    mp_kv_str(b, "name", e->name);
    for (int i = 0; i < 4; i++)
        copy_value(b, e, keys[i]);
    mp_kv_uint(b, "since", e->since);
    mp_kv_uint(b, "count", e->count);
}

void alarms_put(const struct alarms *a, struct buf *b) {
    mp_put_array(b, (uint32_t)a->n);
    for (size_t i = 0; i < a->n; i++)
        put_one(b, a->list[i]);
}
