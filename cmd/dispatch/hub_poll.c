/* Older games fetch detections one by one: the oldest of the last POLL_MAX. */
#include <stdio.h>
#include <string.h>

#include "hub.h"
#include "json.h"

enum { POLL_MAX = 50 };

/* A ring; number `taken` is the oldest. */
static struct {
    struct buf text;
    uint64_t time_ns;
} queue[POLL_MAX];
static uint64_t added, taken;

void hub_poll_add(const char *text, size_t n, uint64_t time_ns) {
    if (added - taken == POLL_MAX) {
        taken++;
        hub.n.polls_dropped++;
    }
    struct buf *b = &queue[added % POLL_MAX].text;
    buf_clear(b);
    buf_put(b, text, n);
    queue[added % POLL_MAX].time_ns = time_ns;
    added++;
}

/* The keys, sorted, and what stands for one that is missing. */
static const struct {
    const char *key, *missing;
} keys[] = {{"camera_name", "\"\""},
            {"distance_cm", "0.0"},
            {"pitch", "0.0"},
            {"roll", "0.0"},
            {"smartcam_ip", "\"\""},
            {"tag_id", "0"},
            {"tag_size_percent", "0.0"},
            {"timestamp", NULL},
            {"x_cm", "0.0"},
            {"y_cm", "0.0"},
            {"yaw", "0.0"},
            {"z_cm", "0.0"}};

static void put_key(struct buf *out, const char *key) {
    buf_printf(out, "%s\"%s\":", buf_data(out)[buf_len(out) - 1] == '{' ? "" : ",", key);
}

static void put_value(struct buf *out, const struct json_object *o, size_t i, uint64_t time_ns) {
    const struct json_raw *v = json_get(o, keys[i].key);
    put_key(out, keys[i].key);
    if (!keys[i].missing && time_ns)
        json_put_double(out, (double)(time_ns / 1000) / 1e6);
    else if (!keys[i].missing)
        buf_putc(out, '0');
    else if (!v && time_ns == 0 && strcmp(keys[i].key, "tag_id") == 0)
        buf_puts(out, "-1");
    else if (!v)
        buf_puts(out, keys[i].missing);
    else
        buf_put(out, v->p, v->n);
}

static void put(struct buf *out, const struct json_object *o, uint64_t time_ns) {
    buf_putc(out, '{');
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!time_ns && strcmp(keys[i].key, "pitch") == 0) /* sorted before it */
            buf_puts(out, ",\"list_remaining\":0");
        put_value(out, o, i, time_ns);
    }
    buf_puts(out, "}\n");
}

void hub_poll_take(struct buf *out, bool keep) {
    static struct json_object o;
    hub.n.polls++;
    o.n = 0;
    if (added == taken) {
        put(out, &o, 0);
        return;
    }
    const struct buf *b = &queue[taken % POLL_MAX].text;
    json_scan(&o, (const char *)buf_data(b), buf_len(b), NULL);
    put(out, &o, queue[taken % POLL_MAX].time_ns);
    taken += !keep;
}

void hub_poll_free(void) {
    for (size_t i = 0; i < POLL_MAX; i++)
        buf_free(&queue[i].text);
}
