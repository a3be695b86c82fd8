#include "espcam_cameras.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const uint64_t MAGIC = 0x65737063616d0000u ^ sizeof(struct cam_table);
static const uint64_t SECOND = 1000000000, RATE_WINDOW_NS = 3600 * UINT64_C(1000000000),
                      STRANGER_NS = 86400 * UINT64_C(1000000000);

/* ---- the table ---- */

static bool is_text(const char *s, size_t size) {
    return memchr(s, 0, size) != NULL;
}

static bool is_whole(const struct cam_camera *c) {
    char mac[CAM_MAC];
    return is_text(c->mac, sizeof c->mac) && cam_mac(c->mac, strlen(c->mac), mac) &&
           is_text(c->name, sizeof c->name) && is_text(c->verified, sizeof c->verified) &&
           is_text(c->broken_reason, sizeof c->broken_reason) &&
           is_text(c->camera_time, sizeof c->camera_time) &&
           is_text(c->saved_name, sizeof c->saved_name);
}

void cam_table_check(struct cam_table *t) {
    bool ok = t->magic == MAGIC && t->n <= CAM_TABLE;
    for (size_t i = 0; ok && i < t->n; i++)
        ok = is_whole(&t->camera[i]);
    if (!ok)
        memset(t, 0, sizeof *t);
    t->magic = MAGIC;
    for (size_t i = 0; i < t->n; i++) {
        t->camera[i].auto_due_ms = 0;
        t->camera[i].was_silent = t->camera[i].auto_by_picture = false;
        t->camera[i].name[0] = 0; /* names are the command line's */
    }
}

bool cam_mac(const char *s, size_t n, char out[CAM_MAC]) {
    size_t digits = 0, o = 0;
    for (size_t i = 0; i < n; i++) {
        if ((s[i] == ':' || s[i] == '-') && digits % 2 == 0 && digits > 0 && i > 0 &&
            isxdigit((unsigned char)s[i - 1]))
            continue;
        if (!isxdigit((unsigned char)s[i]) || digits == 12)
            return false;
        if (digits % 2 == 0 && digits > 0)
            out[o++] = ':';
        out[o++] = (char)tolower((unsigned char)s[i]);
        digits++;
    }
    out[o] = 0;
    return digits == 12 && isxdigit((unsigned char)s[n - 1]);
}

struct cam_camera *cam_find(struct cam_table *t, const char *mac) {
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->camera[i].mac, mac) == 0)
            return &t->camera[i];
    return NULL;
}

static bool goes_before(const struct cam_camera *a, const struct cam_camera *b) {
    bool named_a = a->name[0], named_b = b->name[0];
    return named_a != named_b ? named_b : a->heard_ns < b->heard_ns;
}

static void forget(struct cam_table *t, struct cam_camera *c) {
    *c = t->camera[t->n - 1];
    t->n--;
    t->evicted++;
}

static void evict(struct cam_table *t) {
    struct cam_camera *out = &t->camera[0];
    for (size_t i = 1; i < t->n; i++)
        if (goes_before(&t->camera[i], out))
            out = &t->camera[i];
    forget(t, out);
}

bool cam_forget_strangers(struct cam_table *t, uint64_t now_ns) {
    size_t before = t->n;
    for (size_t i = t->n; i > 0; i--) {
        struct cam_camera *c = &t->camera[i - 1];
        if (c->messages == 1 && !c->picture_ns && !c->name[0] &&
            now_ns >= c->heard_ns + STRANGER_NS)
            forget(t, c);
    }
    return t->n < before;
}

struct cam_camera *cam_get(struct cam_table *t, const char *mac, size_t most) {
    struct cam_camera *c = cam_find(t, mac);
    if (c)
        return c;
    while (t->n >= most)
        evict(t);
    c = &t->camera[t->n];
    *c = (struct cam_camera){.voltage_percent = NAN, .temperature_c = NAN, .tds_v = NAN};
    snprintf(c->mac, sizeof c->mac, "%s", mac);
    t->n++; /* last: a killed process leaves whole cameras */
    return c;
}

/* ---- rates ---- */

void cam_add_picture(struct cam_camera *c, uint64_t now_ns, uint64_t bytes) {
    size_t at = c->ring_next % CAM_RING;
    c->ring[at].ns = now_ns;
    c->ring[at].bytes = bytes;
    c->ring_next++;
}

/* The i-th newest, counted from 0; its time is 0 when there is none. */
static size_t newest(const struct cam_camera *c, size_t i) {
    return (c->ring_next - 1 - i) % CAM_RING;
}

void cam_rate(const struct cam_camera *c, uint64_t now_ns, double *per_min, double *bytes_per_s) {
    size_t n = c->ring_next < CAM_RING ? c->ring_next : CAM_RING, used = 0;
    uint64_t bytes = 0;
    *per_min = *bytes_per_s = 0;
    for (; used < n && c->ring[newest(c, used)].ns + RATE_WINDOW_NS > now_ns; used++)
        bytes += c->ring[newest(c, used)].bytes;
    if (used < 2)
        return;
    uint64_t last = c->ring[newest(c, 0)].ns, first = c->ring[newest(c, used - 1)].ns;
    if (last <= first)
        return;
    bytes -= c->ring[newest(c, used - 1)].bytes; /* it came at the beginning of the time */
    double span = (double)(last - first), mean = span / (double)(used - 1);
    double since = now_ns > last ? (double)(now_ns - last) : 0;
    if (since > 2 * mean)
        span += since - mean;
    *per_min = (double)(used - 1) / span * 60 * (double)SECOND;
    *bytes_per_s = (double)bytes / span * (double)SECOND;
}

/* ---- silence and sleep ---- */

uint64_t cam_sleeps_until(const struct cam_camera *c) {
    /* What was on its way when the command went out is no sign that it is awake. */
    bool heard = c->heard_ns > c->sleep_ns + 5 * SECOND;
    return c->sleep_ns && !heard ? c->sleep_ns + c->sleep_s * SECOND : 0;
}

enum cam_is cam_is(const struct cam_camera *c, uint64_t now_ns, uint64_t silent_ns) {
    uint64_t until = cam_sleeps_until(c);
    uint64_t due = until > c->heard_ns ? until : c->heard_ns;
    if (now_ns >= due + silent_ns)
        return CAM_SILENT;
    return now_ns < until ? CAM_ASLEEP : CAM_LIVE;
}

unsigned cam_sleep_rule(double voltage_percent, int hour) {
    if (voltage_percent < 8)
        return hour >= 12 ? 32400 : 3600;
    return 600;
}
