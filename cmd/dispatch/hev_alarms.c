/* The latched alarms, which hevbcast keeps; what came and went goes into the history. */
#include <stdio.h>
#include <string.h>

#include "codec/hev.h"
#include "hev.h"

static const char *priority_of(const struct vent_alarm *a) {
    static const char *const word[] = {"none", "low", "medium", "high"};
    if (strncmp(a->type, "PRIORITY_", 9) == 0)
        return a->type[9] == 'H' ? "high" : a->type[9] == 'M' ? "medium" : "low";
    return word[hev_alarm_name_priority(a->name)];
}

static bool same(const struct vent_alarm *a, const struct vent_alarm *b) {
    return strcmp(a->name, b->name) == 0 && strcmp(a->type, b->type) == 0;
}

static bool among(const struct vent_alarm *a, const struct vent_alarm *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (same(a, &list[i]))
            return true;
    return false;
}

static void take_one(struct vent_alarm *a, const uint8_t *p, size_t n) {
    *a = (struct vent_alarm){.count = 1};
    if (!mp_get_cstr(p, n, "name", a->name, sizeof a->name))
        snprintf(a->name, sizeof a->name, "?");
    mp_get_cstr(p, n, "alarm_type", a->type, sizeof a->type);
    mp_get_uint(p, n, "since", &a->since_ns);
    mp_get_uint(p, n, "count", &a->count);
    mp_get_double(p, n, "param", &a->param);
}

/* The list of the message; false when there is none. */
static bool read_list(const struct msg *m, struct vent_alarm list[VENT_ALARMS], size_t *count) {
    struct mp_value v;
    struct mp_cursor at;
    if (!mp_find(m->body, m->body_len, "alarms", &v, &at) || v.type != MP_ARRAY ||
        mp_read(&at, &v) != 1)
        return false;
    *count = 0;
    for (uint32_t i = 0; i < v.len && *count < VENT_ALARMS; i++) {
        struct mp_cursor from = at;
        if (mp_skip(&at) != 1)
            return false;
        take_one(&list[(*count)++], from.at, (size_t)(at.at - from.at));
    }
    return true;
}

void vent_alarms_take(const struct msg *m) {
    static struct vent_alarm list[VENT_ALARMS];
    size_t n;
    if (!read_list(m, list, &n))
        return;
    for (size_t i = 0; i < n; i++)
        if (!among(&list[i], vent.alarm, vent.alarms))
            vent_event("alarm", list[i].name);
    for (size_t i = 0; i < vent.alarms; i++)
        if (!among(&vent.alarm[i], list, n))
            vent_event("cleared", vent.alarm[i].name);
    memcpy(vent.alarm, list, sizeof list);
    vent.alarms = n;
    vent_changed();
}

void vent_alarms_put(struct buf *b) {
    mp_put_array(b, (uint32_t)vent.alarms);
    for (size_t i = 0; i < vent.alarms; i++) {
        const struct vent_alarm *a = &vent.alarm[i];
        mp_put_map(b, 5);
        mp_kv_str(b, "name", a->name);
        mp_kv_str(b, "priority", priority_of(a));
        mp_kv_uint(b, "since_ms", a->since_ns / 1000000u);
        mp_kv_uint(b, "count", a->count);
        mp_kv_double(b, "param", a->param);
    }
}
