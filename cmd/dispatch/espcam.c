/* The rules of the camera wall (lib/codec/espcam.md): what is known of every camera is kept and
 * told to pages; cameras are sent to sleep through the gateway.
 */
#include "espcam.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "espcam_jpeg.h"
#include "log.h"
#include "pace.h"
#include "statefile.h"

enum { SECOND_MS = 1000 };

struct cam_rules cams = {.opt = {.cameras = 64, .silent_ms = 60000, .saved = "saved"}};

static const struct opt options[] = {
    {"name", 0, OPT_LIST, &cams.opt.names, "MAC=NAME", "what a camera is called; repeatable", 0, 0},
    {"names", 0, OPT_TEXT, &cams.opt.names_file, "FILE",
     "the same, a line \"MAC NAME\" each; read again on SIGHUP", 0, 0},
    {"silent", 0, OPT_DURATION, &cams.opt.silent_ms, "TIME",
     "a camera not heard for so long is shown as silent", 100, 30 * INT64_C(86400000)},
    {"cameras", 0, OPT_INT, &cams.opt.cameras, "N",
     "known at a time; above that the one silent longest is forgotten", 1, CAM_TABLE},
    {"saved", 0, OPT_TEXT, &cams.opt.saved, "ENDPOINT", "of imgwrite, which is asked what is saved",
     0, 0},
    {"auto-sleep", 0, OPT_FLAG, &cams.opt.auto_sleep, NULL,
     "tell each camera that has sent its charge to sleep: 10 minutes, an hour below 8 %, from noon "
     "on 9 hours",
     0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

/* ---- what cameras say ---- */

/* The camera with this MAC, added when it is new. */
static struct cam_camera *known(const char *mac) {
    bool fresh = !cam_find(cams.table, mac);
    struct cam_camera *c = cam_get(cams.table, mac, (size_t)cams.opt.cameras);
    if (fresh) {
        snprintf(c->name, sizeof c->name, "%s", cam_name(mac));
        log_info("camera %s%s%s", mac, c->name[0] ? ": " : "", c->name);
    }
    return c;
}

/* A wrong bit in the address of a frame looks like a picture of which one frame came, of a camera
 * that nobody knows. */
static bool is_stranger(const struct msg *m, const char *mac) {
    uint64_t frames = 0;
    return msg_is(m, "espcam.broken") && !cam_find(cams.table, mac) && !cam_name(mac)[0] &&
           mp_get_uint(m->body, m->body_len, "frames", &frames) && frames <= 1;
}

/* The camera a message is about, now heard; NULL when its MAC makes no sense or is nobody's. */
static struct cam_camera *heard(const struct msg *m) {
    static struct log_limit limit;
    char shown[64], mac[CAM_MAC];
    const char *text = "";
    size_t n = 0;
    mp_get_str(m->body, m->body_len, "mac", &text, &n);
    if (!cam_mac(text, n, mac)) {
        cams.bad_macs++;
        log_limited(&limit, LOG_WARN, "%.*s of \"%s\" ignored: that is no hardware address",
                    (int)m->topic_len, m->topic, log_quote(shown, sizeof shown, text, n));
        return NULL;
    }
    if (is_stranger(m, mac)) {
        cams.strangers++;
        return NULL;
    }
    struct cam_camera *c = known(mac);
    c->heard_ns = clock_wall_ns();
    c->messages++;
    cams_changed();
    return c;
}

static double value(const struct msg *m, const char *key) {
    double v;
    return mp_get_double(m->body, m->body_len, key, &v) ? v : NAN;
}

static void word(const struct msg *m, const char *key, char *out, size_t size) {
    if (!mp_get_cstr(m->body, m->body_len, key, out, size))
        out[0] = 0;
}

/* Values come with every picture and broken picture of the cycle, and alone. Returns the charge
 * told in this cycle, NAN when it was not. */
static double take_sensors(struct cam_camera *c, const struct msg *m) {
    double volt = value(m, "voltage_percent"), temp = value(m, "temperature_c"),
           tds = value(m, "tds_v");
    char time[sizeof c->camera_time];
    word(m, "camera_time", time, sizeof time);
    if (isnan(volt) && isnan(temp) && isnan(tds) && !time[0])
        return NAN;
    c->voltage_percent = volt;
    c->temperature_c = temp;
    c->tds_v = tds;
    memcpy(c->camera_time, time, sizeof time);
    c->sensor_ns = m->time;
    return volt;
}

static void take_size(struct cam_camera *c, const struct msg *m) {
    const uint8_t *data;
    size_t n;
    c->width = c->height = 0;
    if (!mp_get_bin(m->body, m->body_len, "data", &data, &n))
        return;
    c->bytes = n;
    cam_jpeg_size(data, n, &c->width, &c->height);
}

static void on_image(const struct msg *m) {
    struct cam_camera *c = heard(m);
    if (!c)
        return;
    c->picture_ns = m->time;
    c->bytes = c->frames = 0;
    take_size(c, m);
    mp_get_uint(m->body, m->body_len, "frames", &c->frames);
    word(m, "verified", c->verified, sizeof c->verified);
    bool proven = c->verified[0] && strcmp(c->verified, "none") != 0;
    *(proven ? &c->good : &c->unverified) += 1;
    c->good_bytes += c->bytes;
    cam_add_picture(c, c->heard_ns, c->bytes);
    cams.pictures++;
    cam_command_cycle(c, true, take_sensors(c, m));
}

static void on_broken(const struct msg *m) {
    struct cam_camera *c = heard(m);
    if (!c)
        return;
    c->broken++;
    c->broken_ns = m->time;
    c->broken_bytes = 0;
    mp_get_uint(m->body, m->body_len, "bytes", &c->broken_bytes);
    word(m, "reason", c->broken_reason, sizeof c->broken_reason);
    cams.broken++;
    cam_command_cycle(c, true, take_sensors(c, m));
}

static void on_sensor(const struct msg *m) {
    struct cam_camera *c = heard(m);
    if (!c)
        return;
    cams.sensors++;
    cam_command_cycle(c, false, take_sensors(c, m));
}

/* Saying that something was saved is no sign of life; but it may come before the picture. */
static void on_saved(const struct msg *m) {
    char mac[CAM_MAC], text[CAM_MAC];
    word(m, "mac", text, sizeof text);
    cams.saved++;
    if (!cam_mac(text, strlen(text), mac))
        return;
    struct cam_camera *c = known(mac);
    word(m, "name", c->saved_name, sizeof c->saved_name);
    c->saved++;
    c->saved_ns = m->time;
    mp_get_uint(m->body, m->body_len, "time", &c->saved_ns);
    cams_changed();
}

static void on_serial(const struct msg *m) {
    serial_take(&cams.serial, m, cams.st, "no gateway connected");
    cams_changed();
}

static void on_ws_count(const struct msg *m) {
    if (mp_get_uint(m->body, m->body_len, "count", &cams.ws_clients) && cams.ws_clients == 0)
        cams.table->pages = 0;
    cams_changed();
}

static void on_msg(void *ctx, const struct msg *m) {
    (void)ctx;
    if (msg_is(m, "espcam.image"))
        on_image(m);
    else if (msg_is(m, "espcam.broken"))
        on_broken(m);
    else if (msg_is(m, "espcam.sensor"))
        on_sensor(m);
    else if (msg_is(m, "image.saved"))
        on_saved(m);
    else if (msg_is(m, "serial.state"))
        on_serial(m);
    else if (msg_is(m, "ws.text"))
        cam_page_text(m);
    else if (msg_is(m, "ws.clients"))
        on_ws_count(m);
}

/* ---- time ---- */

static struct pace pace = {
    .change_ms = 30, .apart_ms = 200, .heartbeat_ms = 5000, .tell = cam_page_broadcast};

void cams_changed(void) {
    pace_changed(&pace);
}

static void look_for_silence(struct cam_camera *c, uint64_t now) {
    bool silent = cam_is(c, now, (uint64_t)cams.opt.silent_ms * 1000000u) == CAM_SILENT;
    if (silent == c->was_silent)
        return;
    c->was_silent = silent;
    if (silent)
        log_warn("camera %s%s%s has been silent for %.0f s", c->mac, c->name[0] ? " " : "", c->name,
                 (double)(now - c->heard_ns) / 1e9);
    else
        log_info("camera %s%s%s is heard again", c->mac, c->name[0] ? " " : "", c->name);
    cams_changed();
}

static void on_second(uv_timer_t *t) {
    uint64_t now = clock_wall_ns();
    (void)t;
    if (cam_forget_strangers(cams.table, now))
        cams_changed();
    for (size_t i = 0; i < cams.table->n; i++)
        look_for_silence(&cams.table->camera[i], now);
    cam_command_second();
}

/* ---- life ---- */

static void name_cameras(void) {
    for (size_t i = 0; i < cams.table->n; i++) {
        struct cam_camera *c = &cams.table->camera[i];
        snprintf(c->name, sizeof c->name, "%s", cam_name(c->mac));
        c->was_silent =
            cam_is(c, clock_wall_ns(), (uint64_t)cams.opt.silent_ms * 1000000u) == CAM_SILENT;
    }
}

static void on_hangup(void *ctx) {
    (void)ctx;
    cam_names_reload();
    name_cameras();
    cams_changed();
}

static void open_counters(struct stage *st) {
    stage_counter(st, "cameras", &cams.table->n);
    stage_counter(st, "cameras_forgotten", &cams.table->evicted);
    stage_counter(st, "strangers", &cams.strangers);
    stage_counter(st, "pictures", &cams.pictures);
    stage_counter(st, "broken", &cams.broken);
    stage_counter(st, "sensor_texts", &cams.sensors);
    stage_counter(st, "saved", &cams.saved);
    stage_counter(st, "sleeps_sent", &cams.sleeps_sent);
    stage_counter(st, "sleeps_refused", &cams.sleeps_refused);
    stage_counter(st, "bad_texts", &cams.bad_texts);
    stage_counter(st, "bad_macs", &cams.bad_macs);
    stage_counter(st, "browsers", &cams.ws_clients);
}

static int open_rules(struct stage *st, struct err *e) {
    cams.st = st;
    st->on_hangup = on_hangup;
    if (cam_names_open(e) < 0)
        return -1;
    cams.table = statefile_open(st->name, sizeof *cams.table);
    cam_table_check(cams.table);
    name_cameras();
    pace_open(&pace, &st->loop);
    uv_timer_init(&st->loop, &cams.second);
    uv_timer_start(&cams.second, on_second, SECOND_MS, SECOND_MS);
    cam_command_open(&st->loop);
    open_counters(st);
    cams_changed();
    return cam_saved_open(e);
}

static void close_rules(struct stage *st) {
    (void)st;
    cam_saved_close();
    cam_command_close();
    pace_close(&pace);
    uv_close((uv_handle_t *)&cams.second, NULL);
    cam_names_free();
    statefile_close(cams.table, sizeof *cams.table);
}

const struct rules rules_espcam = {
    .name = "espcam",
    .summary = "the rules of the camera wall: what is known of every camera; sleep commands",
    .options = options,
    .details =
        "In: espcam.image, espcam.broken, espcam.sensor, image.saved, serial.state, ws.text,\n"
        "ws.clients.\n"
        "Out: espcam.cameras, ws.join, serial.tx.\n"
        "Requests: cameras, sleep {params: {mac}, seconds}, saved {query}.\n"
        "What is known of cameras survives this process, in the run directory.\n",
    .open = open_rules,
    .on_msg = on_msg,
    .on_request = cam_http_request,
    .close = close_rules,
};
