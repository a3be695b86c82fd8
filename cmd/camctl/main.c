/* camctl: the camera server.
 *
 * In:   clients at three TCP ports: data stream, settings, authentication; the H.264 stream of the
 *       camera program; a number to stream from -i; requests on the bus
 * Out:  24 packets a second to every client of the data port; the stream to ffmpeg, which publishes
 *       it by RTSP, and to another, which makes preview pictures of it; cam.* messages
 * Ends: 0 on SIGTERM, when its programs have ended; 1 when a port, an endpoint or the log file
 *       cannot be opened; 2 on wrong usage
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "camctl.h"
#include "log.h"
#include "logfile.h"
#include "program.h"
#include "secret_env.h"

enum { GUARD_GRACE_MS = 500 };

static struct camctl camctl = {
    .guard = {.name = "camctl-guard", .grace_ms = GUARD_GRACE_MS, .lock_fd = -1, .fd = -1},
    .cfg = {.session_ms = 3600000,
            .silence_ms = 10000,
            .viewers = 1024,
            .width = 640,
            .height = 480,
            .fps = 24,
            .preview_fps = 5}};

static const struct opt network[] = {
    {"host", 0, OPT_TEXT, &camctl.cfg.host, "ADDRESS",
     "listen there (0.0.0.0: everywhere); SERVER_HOST in the environment", 0, 0},
    {"data-port", 0, OPT_TEXT, &camctl.cfg.port_text[PORT_DATA], "PORT",
     "port of the data stream (0: none); DATA_PORT", 0, 0},
    {"settings-port", 0, OPT_TEXT, &camctl.cfg.port_text[PORT_SETTINGS], "PORT",
     "port of the settings (0: none); SETTINGS_PORT", 0, 0},
    {"auth-port", 0, OPT_TEXT, &camctl.cfg.port_text[PORT_AUTH], "PORT",
     "port of the authentication (0: none); AUTH_PORT", 0, 0},
    {"mode", 0, OPT_TEXT, &camctl.cfg.mode, "strict|open",
     "strict: only addresses that have authenticated are served; open: everybody", 0, 0},
    {"password-file", 0, OPT_TEXT, &camctl.cfg.password_file, "FILE",
     "its first line is the password; without it AUTH_PASSWORD of the environment is", 0, 0},
    {"session", 0, OPT_DURATION, &camctl.cfg.session_ms, "TIME",
     "an address must authenticate again when it had no connection for so long", 1000, 31622400000},
    {"viewers", 0, OPT_INT, &camctl.cfg.viewers, "N", "refuse more than N clients of the data port",
     1, 1 << 20},
    {"per-address", 0, OPT_INT, &camctl.cfg.per_address, "N",
     "refuse more than N of them of one address (IPv6: of its first 64 bits); 0: a quarter of "
     "--viewers, and any number from this machine itself",
     0, 1 << 20},
    {"value", 0, OPT_TEXT, &camctl.cfg.value, "TOPIC.FIELD",
     "stream this number of the messages of -i; without it one at random, 0 to 10", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static const struct opt picture[] = {
    {"settings", 0, OPT_TEXT, &camctl.cfg.settings_file, "FILE",
     "keep the settings of the camera there", 0, 0},
    {"source", 0, OPT_TEXT, &camctl.cfg.source, "camera|test",
     "rpicam-vid or libcamera-vid, whichever is installed; or ffmpeg's test picture", 0, 0},
    {"rtsp-url", 0, OPT_TEXT, &camctl.cfg.rtsp_url, "URL",
     "where ffmpeg publishes the stream (empty: nowhere)", 0, 0},
    {"width", 0, OPT_INT, &camctl.cfg.width, "PIXELS", "of the picture", 16, 8192},
    {"height", 0, OPT_INT, &camctl.cfg.height, "PIXELS", "of the picture", 16, 8192},
    {"fps", 0, OPT_INT, &camctl.cfg.fps, "N", "pictures a second", 1, 240},
    {"preview", 0, OPT_INT, &camctl.cfg.preview_fps, "N",
     "preview pictures a second, as cam.image (0: none); the nearest that divides --fps", 0, 60},
    {"silence", 0, OPT_DURATION, &camctl.cfg.silence_ms, "TIME",
     "start a camera program again that gives nothing for so long (0: never)", 0, 86400000},
    {"camera-command", 0, OPT_TEXT, &camctl.cfg.camera, "LINE",
     "the camera program, which writes H.264; with %shutter %gain %awb_red %awb_blue %contrast "
     "%brightness %width %height %fps",
     0, 0},
    {"publisher-command", 0, OPT_TEXT, &camctl.cfg.publisher, "LINE",
     "reads H.264 and publishes it at %url", 0, 0},
    {"preview-command", 0, OPT_TEXT, &camctl.cfg.preview, "LINE",
     "reads H.264 and writes JPEG pictures, one of %preview_step", 0, 0},
    {"config", 'c', OPT_TEXT, &camctl.cfg.file, "FILE",
     "JSON with server_host, data_port, settings_port, auth_port, mode, password_file, settings, "
     "source, rtsp_url, value, log_level, log_file; the environment and options come first",
     0, 0},
    {"log-level", 0, OPT_TEXT, &camctl.cfg.log_level, "LEVEL",
     "DEBUG, INFO, WARNING, ERROR or CRITICAL; LOG_LEVEL", 0, 0},
    {"log-file", 0, OPT_TEXT, &camctl.cfg.log_file, "FILE",
     "log lines go there, too: date and time, name, level, text", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static struct opt_program program = {
    .name = "camctl",
    .summary = "serve a camera: settings, authentication, data stream, RTSP video",
    .details =
        "Runs the camera program, ffmpeg that publishes its stream, and ffmpeg that makes preview\n"
        "pictures of it. -o takes cam.settings, cam.process.*, cam.clients, cam.auth, cam.data "
        "and\n"
        "cam.image; requests there: settings, set {gain: 2}, restart {name: camera}, state.\n\n"
        "  AUTH_PASSWORD=... camctl --host 0.0.0.0 --settings settings.json -o cam\n"
        "  camctl --source test --mode open -o cam",
    .tables = {network, picture, NULL, NULL}};

/* ---- options ---- */

static int set_log_level(struct camctl *c) {
    static const struct {
        const char *name;
        enum log_level level;
    } all[] = {{"DEBUG", LOG_DEBUG},
               {"INFO", LOG_INFO},
               {"WARNING", LOG_WARN},
               {"ERROR", LOG_ERROR},
               {"CRITICAL", LOG_ERROR}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcasecmp(c->cfg.log_level, all[i].name) != 0)
            continue;
        /* -v and -q are options, too, and come before the environment. */
        if (c->cfg.level_by_option || (!c->st.verbose && !c->st.quiet))
            log_init(c->st.name, all[i].level);
        return 0;
    }
    return opt_usage_error(&program,
                           "--log-level %s: there are DEBUG, INFO, WARNING, ERROR and CRITICAL",
                           c->cfg.log_level);
}

/* The exit status, or -1. The programs started later must not see the password, nor what else of
 * the kind stands in the same environment. */
static int check_options(struct camctl *c) {
    struct err e;
    if (config_take(&c->cfg, &e) < 0)
        return opt_usage_error(&program, "%s", e.text);
    int status = set_log_level(c);
    if (status)
        return status;
    if (secret_load(&c->password, c->cfg.password_file, "AUTH_PASSWORD", "the password", 1, &e) < 0)
        return stage_fail(&c->st, &e);
    secret_env_forget_all();
    return -1;
}

/* ---- events ---- */

static void on_msg(void *ctx, const struct msg *m) {
    viewers_message(ctx, m);
}

/* A source that ends leaves its last number; the server goes on. */
static void on_end(void *ctx) {
    (void)ctx;
    log_info("the messages have ended: the number that is streamed stays as it is");
}

static void on_second(void *ctx) {
    struct camctl *c = ctx;
    viewers_watch(c);
    video_watch(c);
    bus_lines(c);
    doors_wake(&c->doors);
}

static void on_stop(void *ctx) {
    struct camctl *c = ctx;
    c->stopping = true;
    doors_close(&c->doors);
    conns_close(c);
    video_stop(c);
}

/* ---- opening and closing ---- */

static void show_counters(struct camctl *c) {
    const struct stage_counter all[] = {{"viewers", &c->n.viewers},
                                        {"viewers_opened", &c->n.opened},
                                        {"viewers_cut", &c->n.cut},
                                        {"refused", &c->n.refused},
                                        {"refused_of_address", &c->n.crowded},
                                        {"connections_displaced", &c->n.displaced},
                                        {"packets", &c->n.packets},
                                        {"packets_skipped", &c->n.skipped},
                                        {"ticks_missed", &c->n.missed},
                                        {"requests", &c->n.requests},
                                        {"sets", &c->n.sets},
                                        {"bad_packets", &c->n.bad_packets},
                                        {"garbage_bytes", &c->n.garbage},
                                        {"passwords_right", &c->n.right},
                                        {"passwords_wrong", &c->n.wrong},
                                        {"passwords_limited", &c->n.limited},
                                        {"video_bytes", &c->video.bytes},
                                        {"video_pictures", &c->video.pictures},
                                        {"video_key_pictures", &c->video.keys},
                                        {"video_pictures_left_out", &c->n.frames_left_out},
                                        {"preview_pictures", &c->video.previews}};
    stage_counters(&c->st, all, sizeof all / sizeof *all);
}

static int camctl_open(struct camctl *c, struct err *e) {
    if (c->cfg.log_file && *c->cfg.log_file && logfile_open(c->cfg.log_file, c->st.name, e) < 0)
        return -1;
    kept_open(c);
    bus_open(c);
    show_counters(c);
    store_open(&c->store, c);
    if (viewers_open(c, e) < 0 || entrance_open(c, e) < 0)
        return -1;
    bus_settings(c);
    video_open(c);
    return 0;
}

static void camctl_close(struct camctl *c) {
    doors_close(&c->doors);
    conns_close(c);
    viewers_close(c);
    store_close(&c->store);
    video_close(c);
}

static void camctl_free(struct camctl *c) {
    logfile_close();
    kept_close(c);
    store_free(&c->store);
    video_free(c);
    config_free(&c->cfg);
}

int main(int argc, char **argv) {
    struct camctl *c = &camctl;
    struct err e = {0};
    c->st.ctx = c;
    c->st.on_msg = on_msg;
    c->st.on_request = bus_request;
    c->st.on_end = on_end;
    c->st.on_tick = on_second;
    c->st.on_stop = on_stop;
    c->st.no_stdin = true;
    config_defaults(&c->cfg);
    program.tables[2] = stage_common_options;
    int status = stage_options(&c->st, &program, argc, argv, NULL);
    if (status < 0)
        status = check_options(c);
    if (status >= 0)
        return status;
    program_hold_standard(); /* or the guard's pipe might become what we write our log to */
    if (!stage_checking())
        guard_start(&c->guard, &e); /* before any thread exists; without it all but kill -9 works */
    if (stage_open(&c->st, &e) < 0 || camctl_open(c, &e) < 0)
        return stage_fail(&c->st, &e);
    stage_ready(&c->st);
    status = stage_run(&c->st);
    camctl_close(c);
    status = stage_close(&c->st, status);
    camctl_free(c);
    return status;
}
