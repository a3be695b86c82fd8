#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "camctl.h"
#include "command.h"
#include "json.h"
#include "netlist.h"

enum { CONFIG_BYTES = 64 << 10, VALUE_BYTES = 512 };

/* libcamera-vid and rpicam-vid are one program under its old and its new name. */
static const char CAMERA[] =
    "%camera -t 0 --width %width --height %height --framerate %fps --codec h264 --inline --profile "
    "baseline --level 4.2 --vflip --nopreview --shutter %shutter --gain %gain --awbgains "
    "%awb_red,%awb_blue --contrast %contrast --brightness %brightness -o -";
static const char TEST[] =
    "ffmpeg -hide_banner -nostdin -nostats -loglevel warning -re -f lavfi -i "
    "testsrc2=size=%size:rate=%fps -vf eq=contrast=%contrast:brightness=%brightness,format=yuv420p "
    "-c:v libx264 -profile:v baseline -preset ultrafast -tune zerolatency -threads 1 -g %fps -f "
    "h264 -";
static const char PUBLISHER[] =
    "ffmpeg -hide_banner -nostats -loglevel warning -fflags nobuffer -flags low_delay -probesize "
    "32 -analyzeduration 0 -r %fps -f h264 -i - -c:v copy -f rtsp -rtsp_transport tcp %url";
/* Every so many pictures one: the stream has no times of its own, by which a rate could be kept. */
static const char PREVIEW[] =
    "ffmpeg -hide_banner -nostats -loglevel error -flags low_delay -probesize 32 "
    "-analyzeduration 0 -r %fps -f h264 -threads 1 -i - -vf 'select=not(mod(n\\,%preview_step))' "
    "-fps_mode passthrough -c:v mjpeg -q:v 6 -f image2pipe -";

/* ---- what may be given in several ways ---- */

struct given {
    const char **into;
    const char *env, *key, *standard;
};

static const char *const port_names[PORTS] = {"--data-port", "--settings-port", "--auth-port"};

struct doors_place config_place(const struct config *f) {
    return (struct doors_place){f->host, f->port, port_names, PORTS};
}

static size_t all_given(struct config *f, struct given out[16]) {
    const struct given all[] = {
        {&f->host, "SERVER_HOST", "server_host", "127.0.0.1"},
        {&f->port_text[PORT_DATA], "DATA_PORT", "data_port", "5000"},
        {&f->port_text[PORT_SETTINGS], "SETTINGS_PORT", "settings_port", "5001"},
        {&f->port_text[PORT_AUTH], "AUTH_PORT", "auth_port", "5002"},
        {&f->log_level, "LOG_LEVEL", "log_level", "INFO"},
        {&f->log_file, NULL, "log_file", NULL},
        {&f->password_file, NULL, "password_file", NULL},
        {&f->mode, NULL, "mode", "strict"},
        {&f->source, NULL, "source", "camera"},
        {&f->settings_file, NULL, "settings", NULL},
        {&f->rtsp_url, NULL, "rtsp_url", "rtsp://localhost:8554/ES_MTX"},
        {&f->value, NULL, "value", NULL}};
    memcpy(out, all, sizeof all);
    return sizeof all / sizeof *all;
}

void config_defaults(struct config *f) {
    struct given g[16];
    for (size_t n = all_given(f, g), i = 0; i < n; i++)
        *g[i].into = g[i].standard;
    f->publisher = PUBLISHER;
    f->preview = PREVIEW;
}

/* ---- the file ---- */

static int read_file(const char *path, struct buf *b, struct err *e) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t n = 0;
    if (fd < 0)
        return err_errno(e, errno, "cannot open %s", path);
    while (buf_len(b) <= CONFIG_BYTES && (n = read(fd, buf_reserve(b, 4096), 4096)) > 0)
        buf_added(b, (size_t)n);
    int no = errno;
    close(fd);
    if (n < 0)
        return err_errno(e, no, "cannot read %s", path);
    return buf_len(b) > CONFIG_BYTES
               ? err_set(e, CAUSE_LIMIT, "%s: more than %d bytes", path, CONFIG_BYTES)
               : 0;
}

/* The value as the command line would have it, at its place in f->text. */
static int take_value(struct config *f, const struct mp_value *key, const struct mp_value *v,
                      const char **out, struct err *e) {
    size_t at = buf_len(&f->text);
    if (v->type == MP_STR && v->len < VALUE_BYTES && !memchr(v->p, 0, v->len))
        buf_put(&f->text, v->p, v->len);
    else if (v->type == MP_UINT)
        buf_printf(&f->text, "%llu", (unsigned long long)v->u);
    else
        return err_set(e, CAUSE_USAGE, "%s: \"%.*s\" must be a text or a whole number", f->file,
                       (int)key->len, (const char *)key->p);
    buf_putc(&f->text, 0);
    *out = (const char *)buf_data(&f->text) + at;
    return 0;
}

static int take_key(struct config *f, const struct mp_value *key, const struct mp_value *v,
                    struct err *e) {
    struct given g[16];
    size_t n = all_given(f, g), i = 0;
    if (key->type != MP_STR || key->len > 40)
        return err_set(e, CAUSE_USAGE, "%s: a strange key", f->file);
    if (mp_is(key, "auth_password"))
        return err_set(e, CAUSE_USAGE,
                       "%s: \"auth_password\" does not belong here (put it into a "
                       "file of its own and name that in \"password_file\")",
                       f->file);
    while (i < n && !mp_is(key, g[i].key))
        i++;
    if (i == n)
        return err_set(e, CAUSE_USAGE, "%s: unknown key \"%.*s\"", f->file, (int)key->len,
                       (const char *)key->p);
    const char *value = NULL;
    if (take_value(f, key, v, &value, e) < 0)
        return -1;
    /* Not the standard value any more: it was given in a better place. */
    if (*g[i].into == g[i].standard)
        *g[i].into = value;
    return 0;
}

static int take_map(struct config *f, const struct buf *map, struct err *e) {
    struct mp_cursor c = {buf_data(map), buf_data(map) + buf_len(map)};
    struct mp_value head, key, value;
    if (mp_read(&c, &head) != 1 || head.type != MP_MAP)
        return err_set(e, CAUSE_USAGE, "%s: must hold an object, {\"data_port\": 5000}", f->file);
    for (uint32_t i = 0; i < head.len; i++) {
        mp_read(&c, &key);
        struct mp_cursor at = c;
        mp_read(&at, &value);
        mp_skip(&c);
        if (take_key(f, &key, &value, e) < 0)
            return -1;
    }
    return 0;
}

static int take_file(struct config *f, struct err *e) {
    struct buf text = {0}, map = {0};
    struct err why;
    int r = read_file(f->file, &text, e);
    if (r == 0 && json_to_mp(&map, (const char *)buf_data(&text), buf_len(&text), &why) < 0)
        r = err_set(e, CAUSE_USAGE, "%s: %.200s", f->file, why.text);
    /* Room for every value at once: they are pointed to. A number has at most 20 digits. */
    buf_reserve(&f->text, 8 * CONFIG_BYTES);
    if (r == 0)
        r = take_map(f, &map, e);
    buf_free(&text);
    buf_free(&map);
    return r;
}

/* ---- environment ---- */

static void take_environment(struct config *f) {
    struct given g[16];
    for (size_t n = all_given(f, g), i = 0; i < n; i++) {
        const char *value = g[i].env ? getenv(g[i].env) : NULL;
        if (value && *value && *g[i].into == g[i].standard)
            *g[i].into = value;
    }
}

/* ---- what it means ---- */

static int take_ports(struct config *f, struct err *e) {
    for (int i = 0; i < PORTS; i++) {
        struct err why;
        if (opt_number(OPT_INT, f->port_text[i], &f->port[i], &why) < 0)
            return err_set(e, CAUSE_USAGE, "%s: %.200s", port_names[i], why.text);
        if (f->port[i] < 0 || f->port[i] > 65535)
            return err_set(e, CAUSE_USAGE, "%s %s: must be 1 to 65535 (0: no such port)",
                           port_names[i], f->port_text[i]);
    }
    struct doors_place at = config_place(f);
    return doors_check(&at, e);
}

static int take_word(const char *option, const char *word, const char *const words[2], bool *second,
                     struct err *e) {
    for (int i = 0; i < 2; i++)
        if (strcasecmp(word, words[i]) == 0) {
            *second = i;
            return 0;
        }
    return err_set(e, CAUSE_USAGE, "%s %s: must be %s or %s", option, word, words[0], words[1]);
}

/* TOPIC.FIELD, divided at the last dot. */
static int take_topic(struct config *f, struct err *e) {
    const char *dot = f->value ? strrchr(f->value, '.') : NULL;
    if (!f->value || !*f->value)
        return 0;
    size_t n = dot ? (size_t)(dot - f->value) : 0;
    if (n == 0 || n > MSG_TOPIC_MAX || !msg_topic_valid(f->value, n) || !dot[1] ||
        strlen(dot + 1) >= sizeof f->field)
        return err_set(e, CAUSE_USAGE, "--value %s: must be TOPIC.FIELD, as in weather.temperature",
                       f->value);
    memcpy(f->topic, f->value, n);
    strcpy(f->field, dot + 1);
    return 0;
}

static bool is_loopback(const char *host) {
    static struct netlist loopback;
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct err e;
    if (loopback.n == 0)
        netlist_add(&loopback, "loopback", "", &e);
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
        return netlist_has(&loopback, (struct sockaddr *)&v4);
    if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1)
        return netlist_has(&loopback, (struct sockaddr *)&v6);
    return strcmp(host, "localhost") == 0;
}

/* A file of the command line comes before AUTH_PASSWORD, one of the JSON file after it. */
static void choose_secret(struct config *f, const char *by_option) {
    bool better = f->file && f->password_file != by_option && secret_given(NULL, "AUTH_PASSWORD");
    if (better || (f->password_file && !*f->password_file))
        f->password_file = NULL;
}

static int check_secret(const struct config *f, struct err *e) {
    if (secret_given(f->password_file, "AUTH_PASSWORD") || is_loopback(f->host) || f->open)
        return 0;
    return err_set(e, CAUSE_USAGE,
                   "no password, and %s is not this machine alone (set AUTH_PASSWORD in the "
                   "environment or give --password-file; --mode open serves everybody)",
                   f->host);
}

static int check_commands(const struct config *f, struct err *e) {
    if (command_check(f->camera, "--camera-command", e) < 0 ||
        command_check(f->publisher, "--publisher-command", e) < 0)
        return -1;
    return command_check(f->preview, "--preview-command", e);
}

int config_take(struct config *f, struct err *e) {
    static const char *const modes[2] = {"strict", "open"}, *const sources[2] = {"camera", "test"};
    struct given g[16];
    all_given(f, g);
    f->level_by_option = f->log_level != g[4].standard;
    const char *by_option = f->password_file;
    take_environment(f);
    if (f->file && take_file(f, e) < 0)
        return -1;
    /* Variables of a pipeline file may be empty. */
    if (f->settings_file && !*f->settings_file)
        f->settings_file = NULL;
    choose_secret(f, by_option);
    if (take_ports(f, e) < 0 || take_word("--mode", f->mode, modes, &f->open, e) < 0 ||
        take_word("--source", f->source, sources, &f->test, e) < 0 || take_topic(f, e) < 0 ||
        check_secret(f, e) < 0)
        return -1;
    if (!f->camera)
        f->camera = f->test ? TEST : CAMERA;
    return check_commands(f, e);
}

void config_free(struct config *f) {
    buf_free(&f->text);
}
