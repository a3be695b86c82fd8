/* Commands to cameras, through serialcat and the gateway; lib/codec/espcam.md says how. */
#include <math.h>
#include <time.h>

#include "espcam.h"
#include "log.h"

enum {
    AFTER_PICTURE_MS = 2000, /* the camera listens for 10 s after its picture */
    AFTER_VALUES_MS = 5000,  /* a picture may follow; when none does they were all there is */
    AUTO_APART_S = 10
};

static void on_timer(uv_timer_t *t);

/* ---- the queue ---- */

/* The pause counts from the last command also when an earlier process sent it. */
static void send_soon(void) {
    uint64_t now = clock_wall_ns(), last = cams.table->last_command_ns;
    uint64_t past_ms = now >= last ? (now - last) / 1000000u : CAM_PAUSE_MS;
    if (cams.sleeps.n && !uv_is_active((uv_handle_t *)&cams.sleep_timer))
        uv_timer_start(&cams.sleep_timer, on_timer,
                       past_ms < CAM_PAUSE_MS ? CAM_PAUSE_MS - past_ms : 0, 0);
}

static void send_one(const struct cam_sleep *s) {
    char line[CAM_COMMAND];
    size_t n = cam_sleep_line(s, line);
    struct cam_camera *c = cam_find(cams.table, s->mac);
    struct buf *b = stage_begin(cams.st, "serial.tx", 0, 1);
    mp_kv_bin(b, "data", line, n);
    stage_end(cams.st);
    cams.table->last_command_ns = clock_wall_ns();
    cams.sleeps_sent++;
    log_info("camera %s is told to sleep %u s", s->mac, s->seconds);
    if (!c)
        return;
    c->sleep_ns = cams.table->last_command_ns;
    c->sleep_s = s->seconds;
    cams_changed();
}

static void on_timer(uv_timer_t *t) {
    static struct log_limit limit;
    struct cam_sleep s;
    (void)t;
    if (!cam_sleeps_take(&cams.sleeps, &s))
        return;
    if (cams.serial.connected) {
        send_one(&s);
    } else {
        cams.sleeps_refused++;
        log_limited(&limit, LOG_WARN, "no gateway connected: %s is not told to sleep", s.mac);
    }
    send_soon();
}

const char *cam_command_sleep(const char *mac, uint64_t seconds, unsigned *status) {
    const char *why = NULL;
    *status = 503;
    if (seconds < 1 || seconds > CAM_SLEEP_MAX_S) {
        *status = 400;
        why = "seconds: a whole number from 1 to 86400";
    } else if (!cam_find(cams.table, mac) && !cam_name(mac)[0]) {
        *status = 404;
        why = "no camera with this hardware address has been heard";
    } else if (!cams.serial.connected) {
        why = "the gateway is not connected";
    } else if (!cam_sleeps_add(&cams.sleeps, mac, (unsigned)seconds)) {
        why = "too many commands are waiting";
    }
    cams.sleeps_refused += why != NULL;
    if (!why)
        send_soon();
    return why;
}

/* ---- by itself ---- */

void cam_command_cycle(struct cam_camera *c, bool picture, double voltage_percent) {
    bool told = voltage_percent >= 0 && voltage_percent <= 100; /* false for NAN */
    if (!cams.opt.auto_sleep || !told || c->auto_by_picture || (c->auto_due_ms && !picture))
        return;
    c->auto_due_ms = uv_now(&cams.st->loop) + (picture ? AFTER_PICTURE_MS : AFTER_VALUES_MS);
    c->auto_by_picture = picture;
}

static int local_hour(uint64_t now_ns) {
    time_t s = (time_t)(now_ns / 1000000000u);
    struct tm tm;
    return localtime_r(&s, &tm)->tm_hour;
}

static void auto_sleep(struct cam_camera *c) {
    uint64_t now = clock_wall_ns(), apart = AUTO_APART_S * UINT64_C(1000000000);
    unsigned status;
    c->auto_due_ms = 0;
    c->auto_by_picture = false;
    if (c->sleep_ns && now < c->sleep_ns + apart)
        return;
    const char *why =
        cam_command_sleep(c->mac, cam_sleep_rule(c->voltage_percent, local_hour(now)), &status);
    if (why)
        log_warn("camera %s is not told to sleep: %s", c->mac, why);
}

void cam_command_second(void) {
    uint64_t now = uv_now(&cams.st->loop);
    for (size_t i = 0; i < cams.table->n; i++) {
        struct cam_camera *c = &cams.table->camera[i];
        if (c->auto_due_ms && now >= c->auto_due_ms)
            auto_sleep(c);
    }
}

void cam_command_open(uv_loop_t *loop) {
    uv_timer_init(loop, &cams.sleep_timer);
}

void cam_command_close(void) {
    uv_close((uv_handle_t *)&cams.sleep_timer, NULL);
}
