/* devsim hub camera: pretends to be cameras of the tag hub.
 *
 * in    what the hub answers and orders
 * out   detections and pictures; sim.camera {camera, state, reason}, sim.tag {camera, tag_id,
 * number, text}, sim.frame {camera, number, bytes, width, height, sha256}, sim.interval {camera,
 *       interval_ms} and, once a second, sim.cameras (totals) on -o
 * ends  on SIGTERM; with --count when all is sent: 0, or 1 when the hub has not acknowledged all
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub.h"
#include "hub_camera.h"
#include "hub_jpeg.h"
#include "log.h"

enum { CAMERAS = 64 };

static const char *url, *picture_url, *token_env = "AUTH_TOKEN", *token_file, *name = "camera",
                                      *rate = "0.5", *size = "480x320";
static int64_t cameras = 1, tags = 3, picture_ms = 1000, quality = 40, noise = 3, count,
               retry_ms = 5000, seed;

static struct stage st;
static struct hub_plan plan;
static struct hub_camera camera[CAMERAS];
static unsigned done;

static const struct stage_counter told[] = {{"connected", &plan.connected},
                                            {"accepted", &plan.accepted},
                                            {"sent", &plan.sent},
                                            {"acked", &plan.acked},
                                            {"refused", &plan.refused},
                                            {"unanswered", &plan.unanswered},
                                            {"skipped", &plan.skipped},
                                            {"pictures", &plan.pictures},
                                            {"pictures_refused", &plan.pictures_refused},
                                            {"pictures_skipped", &plan.pictures_skipped},
                                            {"picture_bytes", &plan.picture_bytes}};
enum { TOLD = sizeof told / sizeof *told };

static const struct opt options[] = {
    {"url", 'u', OPT_TEXT, &url, "URL",
     "the hub: ws://HOST:PORT/PATH, http://HOST:PORT, udp:HOST:PORT", 0, 0},
    {"token-env", 0, OPT_TEXT, &token_env, "NAME", "variable that holds the token", 0, 0},
    {"token-file", 0, OPT_TEXT, &token_file, "FILE",
     "whose first line is the token, instead of the variable", 0, 0},
    {"cameras", 'n', OPT_INT, &cameras, "N", "how many", 1, CAMERAS},
    {"name", 0, OPT_TEXT, &name, "TEXT", "what they call themselves, with -1, -2 ... behind", 0, 0},
    {"rate", 0, OPT_TEXT, &rate, "N",
     "detections a second of each camera; 0.5 is one in two seconds, as the firmware does; 0 none",
     0, 0},
    {"count", 0, OPT_INT, &count, "N", "detections of each camera, then the end; 0 no end", 0,
     INT64_MAX},
    {"tags", 0, OPT_INT, &tags, "N", "tags of the family 36h11 on the wall, from 0", 1, HUB_TAGS},
    {"pictures", 0, OPT_DURATION, &picture_ms, "DURATION",
     "from picture to picture of each camera, until the hub says otherwise; 0 none", 0, INT32_MAX},
    {"picture-url", 0, OPT_TEXT, &picture_url, "URL",
     "http://HOST:PORT where pictures are posted; without it they go as the detections do (not by "
     "UDP)",
     0, 0},
    {"size", 0, OPT_TEXT, &size, "WIDTHxHEIGHT", "of the pictures", 0, 0},
    {"quality", 0, OPT_INT, &quality, "N", "of the JPEG", 1, 100},
    {"noise", 0, OPT_INT, &noise, "LEVELS", "of the sensor; more makes pictures larger", 0, 127},
    {"plain", 0, OPT_FLAG, &plan.plain, NULL,
     "only the fields that the firmware sends, without those for simulated engines", 0, 0},
    {"retry", 0, OPT_DURATION, &retry_ms, "DURATION", "from a lost connection to the next try", 1,
     INT32_MAX},
    {"seed", 0, OPT_INT, &seed, "N", "of all chance; 0 takes another each time", 0, INT64_MAX},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static struct opt_program program = {
    .name = "devsim hub camera",
    .summary = "pretend to be cameras of the tag hub",
    .details =
        "A camera drifts past a wall with tags and reports the tag nearest to the middle of its\n"
        "picture, in the firmware's fields. WebSocket: it identifies with the token, masks with\n"
        "zeros and reads the handshake as strictly as the firmware's library, sends pictures as\n"
        "binary frames and obeys set_video_interval. HTTP: a connection for each POST, limit 5 s.\n"
        "UDP: no token, acknowledgements within 500 ms.\n\n"
        "sim_run, sim_seq and sim_us in a detection say which camera's life it belongs to, its\n"
        "number in it and when it was sent (microseconds since 1970): devsim hub engine reads "
        "them.\n"
        "What the hub does not take in time is skipped: detections behind 256 KiB, pictures "
        "behind\n1 MiB, and what is due while a POST is under way.\n",
    .tables = {options, NULL, NULL}};

/* ---- options ---- */

static int check_size(struct err *e) {
    char rest;
    if (sscanf(size, "%ux%u%c", &plan.width, &plan.height, &rest) == 2 && plan.width >= 16 &&
        plan.height >= 16 && plan.width <= HUB_JPEG_SIDE && plan.height <= HUB_JPEG_SIDE)
        return 0;
    return err_set(e, CAUSE_USAGE, "--size %s: 16x16 to %dx%d", size, HUB_JPEG_SIDE, HUB_JPEG_SIDE);
}

static int check_rate(struct err *e) {
    char *end;
    plan.rate = strtod(rate, &end);
    if (*rate && *end == 0 && isfinite(plan.rate) &&
        (plan.rate == 0 || (plan.rate >= 0.001 && plan.rate <= 20000)))
        return 0;
    return err_set(e, CAUSE_USAGE, "--rate %s: 0, or 0.001 to 20000 a second", rate);
}

/* Names stand in JSON and in addresses. */
static int check_name(struct err *e) {
    static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (*name && name[strspn(name, ok)] == 0 && strlen(name) < HUB_NAME - 8)
        return 0;
    return err_set(e, CAUSE_USAGE, "--name %s: letters, digits, dots, _ and -, at most %d", name,
                   HUB_NAME - 9);
}

static int check_urls(struct err *e) {
    if (!url)
        return err_set(e, CAUSE_USAGE, "--url is missing: where is the hub?");
    if (hub_url_parse(&plan.url, url, "--url", e) < 0)
        return -1;
    plan.picture_url = plan.url;
    if (picture_url && hub_url_parse(&plan.picture_url, picture_url, "--picture-url", e) < 0)
        return -1;
    if (picture_url && plan.picture_url.scheme != HUB_HTTP)
        return err_set(e, CAUSE_USAGE, "--picture-url %s: http://HOST:PORT is wanted", picture_url);
    plan.pictures_by_post = plan.picture_url.scheme == HUB_HTTP;
    if (plan.picture_url.scheme == HUB_UDP)
        picture_ms = 0;
    return 0;
}

static int read_options(int argc, char **argv) {
    struct err e;
    program.tables[1] = stage_common_options;
    int status = stage_options(&st, &program, argc, argv, NULL);
    if (status >= 0)
        return status;
    if (check_urls(&e) < 0 || check_size(&e) < 0 || check_rate(&e) < 0 || check_name(&e) < 0)
        return opt_usage_error(&program, "%s", e.text);
    plan.st = &st;
    plan.tags = (unsigned)tags;
    plan.picture_ms = (uint64_t)picture_ms;
    plan.quality = (unsigned)quality;
    plan.noise = (unsigned)noise;
    plan.count = (uint64_t)count;
    plan.retry_ms = (uint64_t)retry_ms;
    return -1;
}

/* ---- life ---- */

static void on_done(void) {
    if (++done < cameras)
        return;
    log_info("%llu detections sent, %llu acknowledged, %llu refused, %llu not answered",
             (unsigned long long)plan.sent, (unsigned long long)plan.acked,
             (unsigned long long)plan.refused, (unsigned long long)plan.unanswered);
    if (plan.ending)
        stage_stopped(&st);
    else
        stage_stop(&st, plan.acked != plan.sent);
}

static void on_stop(void *ctx) {
    (void)ctx;
    bool all = done == cameras;
    plan.ending = true;
    for (int i = 0; i < cameras; i++)
        hub_camera_end(&camera[i]);
    if (all)
        stage_stopped(&st);
}

static void on_tick(void *ctx) {
    (void)ctx;
    struct buf *b = stage_begin(&st, "sim.cameras", 0, 1 + TOLD + 3);
    mp_kv_uint(b, "cameras", (uint64_t)cameras);
    hub_put_counters(b, told, TOLD);
    hub_put_hist(b, "ack", &plan.ack);
    stage_end(&st);
}

static int open_cameras(struct stage *s, struct err *e) {
    char text[HUB_NAME];
    if (hub_token_read(plan.token, token_file, token_env, e) < 0 ||
        hub_url_find(&plan.url, e) < 0 || hub_url_find(&plan.picture_url, e) < 0)
        return -1;
    hub_url_self(&plan.url, plan.self);
    plan.on_done = on_done;
    stage_counters(&st, told, TOLD);
    stage_counter(&st, "connections_lost", &plan.lost);
    pub_retain(&s->pub, "sim.cameras");
    struct chance luck = {seed ? (uint64_t)seed : clock_wall_ns()};
    for (unsigned i = 0; i < cameras; i++) {
        snprintf(text, sizeof text, "%s-%u", name, i + 1);
        hub_camera_start(&camera[i], &plan, text, i + 1, chance_next(&luck) | 1);
    }
    return 0;
}

static void close_cameras(void) {
    on_tick(NULL);
    for (int i = 0; i < cameras; i++)
        hub_camera_stop(&camera[i]);
}

int hub_cameras_main(int argc, char **argv) {
    st.no_stdin = st.no_stdout = true;
    st.on_tick = on_tick;
    st.on_stop = on_stop;
    int status = hub_run(&st, read_options(argc, argv), open_cameras, close_cameras);
    for (int i = 0; i < CAMERAS; i++)
        hub_camera_free(&camera[i]);
    return status;
}
