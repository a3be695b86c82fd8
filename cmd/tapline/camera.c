/* tapline camera: settings, password and data stream of a camera, as one of its TCP clients sees
 * them.
 *
 * In:   the three ports of camctl, or of another server of this protocol.
 * Out:  one line of JSON for each thing asked for.
 * Ends: 0 done, 1 refused, no server, nothing in time; 2 bad usage.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "camera_client.h"
#include "commands.h"
#include "json.h"
#include "opt.h"

enum { LOOK_MS = 1000 };

static const char *host = "127.0.0.1", *password_file;
static int64_t data_port = 5000, settings_port = 5001, auth_port = 5002, timeout_ms = 5000, count;
static bool follow;

static const struct opt options[] = {
    {"host", 0, OPT_TEXT, &host, "ADDRESS", "where the server is", 0, 0},
    {"data-port", 0, OPT_INT, &data_port, "PORT", "its data stream", 1, 65535},
    {"settings-port", 0, OPT_INT, &settings_port, "PORT", "its settings", 1, 65535},
    {"auth-port", 0, OPT_INT, &auth_port, "PORT", "where clients authenticate", 1, 65535},
    {"password-file", 0, OPT_TEXT, &password_file, "FILE",
     "whose first line is the password, else AUTH_PASSWORD of the environment; with either, every "
     "command authenticates first; auth asks for it at the terminal",
     0, 0},
    {"follow", 'f', OPT_FLAG, &follow, NULL, "get: go on, and print what has changed", 0, 0},
    {"count", 'n', OPT_INT, &count, "N", "watch: end after so many values; 0 = never", 0,
     INT64_MAX},
    {"timeout", 't', OPT_DURATION, &timeout_ms, "TIME", "wait this long for the server", 1,
     3600000},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static const struct opt_program program = {
    .name = "tapline camera",
    .summary = "settings, password and data stream of a camera, over its TCP service",
    .synopsis = "get|set NAME=VALUE...|auth|watch",
    .details = "  tapline camera get -f\n"
               "  tapline camera set shutter=5000 gain=2\n"
               "  tapline camera auth --password-file FILE\n"
               "  tapline camera watch -n 24\n"
               "Names: shutter (us, hundreds up to 25500), gain (0 to 255), awb_red, awb_blue,\n"
               "contrast (0 to 25.5 in tenths), brightness (-1 to 1). The port knows all six only\n"
               "together: those not named are set to what they are read as.\n"
               "Exit status: 0 done, 1 refused or no answer, 2 bad usage.\n",
    .words = "get set auth watch ",
    .tables = {options},
};

static int fail(const struct err *e) {
    fprintf(stderr, "tapline camera: %s\n", e->text);
    return e->cause == CAUSE_USAGE ? 2 : 1;
}

static bool print_line(const struct buf *text) {
    printf("%.*s\n", (int)buf_len(text), (const char *)buf_data(text));
    return fflush(stdout) == 0;
}

/* ---- connecting ---- */

static int connect_to(struct tcp *t, int64_t port, struct err *e) {
    return tcp_open(t, host, (int)port, timeout_ms, "camctl", e);
}

static int show_password(const struct buf *password, struct err *e) {
    struct tcp t;
    if (connect_to(&t, auth_port, e) < 0)
        return -1;
    int r = camera_auth(&t, (const char *)buf_data(password), buf_len(password), e);
    tcp_close(&t);
    return r;
}

/* ask: there must be a password, if need be from the terminal. */
static int authenticate(bool ask, struct err *e) {
    struct buf password = {0};
    int r = camera_password(password_file, ask, &password, e);
    if (r > 0) {
        r = show_password(&password, e);
        explicit_bzero(buf_data(&password), buf_len(&password));
    }
    buf_free(&password);
    return r;
}

/* ---- settings ---- */

static const struct setting {
    const char *name;
    size_t at;
    double scale; /* steps of 1 / scale; 0 = any */
    double min, max;
} settings[] = {
    {"shutter", offsetof(struct camsettings, shutter_us), 0.01, 0, 25500},
    {"gain", offsetof(struct camsettings, gain), 1, 0, 255},
    {"awb_red", offsetof(struct camsettings, awb_red), 10, 0, 25.5},
    {"awb_blue", offsetof(struct camsettings, awb_blue), 10, 0, 25.5},
    {"contrast", offsetof(struct camsettings, contrast), 10, 0, 25.5},
    {"brightness", offsetof(struct camsettings, brightness), 0, -1, 1},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static double *value_of(struct camsettings *s, const struct setting *which) {
    return (double *)((char *)s + which->at);
}

/* Thousandths tell the steps of each apart. */
static void put_settings(struct buf *b, struct camsettings *s) {
    for (int i = 0; i < SETTINGS; i++) {
        buf_printf(b, "%s\"%s\": ", i ? ", " : "{", settings[i].name);
        double v = round(*value_of(s, &settings[i]) * 1000) / 1000;
        if (settings[i].scale > 0 && settings[i].scale <= 1)
            json_put_int(b, (int64_t)v);
        else
            json_put_double(b, v);
    }
    buf_putc(b, '}');
}

static bool print_settings(struct camsettings *s) {
    struct buf text = {0};
    put_settings(&text, s);
    bool printed = print_line(&text);
    buf_free(&text);
    return printed;
}

static void pause_ms(long ms) {
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static int get_all(struct tcp *t, struct err *e) {
    struct camsettings now, last;
    bool more = true;
    for (int n = 0; more; n++) {
        if (n)
            pause_ms(LOOK_MS);
        if (camera_settings_get(t, &now, e) < 0)
            return -1;
        if (n == 0 || memcmp(&now, &last, sizeof now) != 0)
            more = print_settings(&now);
        more = more && follow;
        last = now;
    }
    return 0;
}

static int get(void) {
    struct tcp t;
    struct err e;
    if (authenticate(false, &e) < 0 || connect_to(&t, settings_port, &e) < 0)
        return fail(&e);
    int r = get_all(&t, &e);
    tcp_close(&t);
    return r < 0 ? fail(&e) : 0;
}

/* NAME=VALUE; -1 when it is none that fits the six bytes. */
static int take_word(const char *word, struct camsettings *s, struct err *e) {
    const char *equals = strchr(word, '=');
    char *end;
    for (int i = 0; equals && i < SETTINGS; i++) {
        const struct setting *which = &settings[i];
        if (strlen(which->name) != (size_t)(equals - word) ||
            strncmp(word, which->name, strlen(which->name)) != 0)
            continue;
        double v = strtod(equals + 1, &end), steps = v * which->scale;
        if (!equals[1] || *end || !(v >= which->min && v <= which->max))
            return err_set(e, CAUSE_USAGE, "%s: a number from %g to %g", word, which->min,
                           which->max);
        if (fabs(steps - round(steps)) > 1e-6)
            return err_set(e, CAUSE_USAGE, "%s: the port takes steps of %g", word,
                           1 / which->scale);
        *value_of(s, which) = v;
        return 0;
    }
    return err_set(e, CAUSE_USAGE,
                   "%s: NAME=VALUE, of shutter, gain, awb_red, awb_blue, contrast, brightness",
                   word);
}

static int take_words(char **word, int n, struct camsettings *s, struct err *e) {
    for (int i = 0; i < n; i++)
        if (take_word(word[i], s, e) < 0)
            return -1;
    return 0;
}

static int set_some(struct tcp *t, char **word, int n, struct err *e) {
    struct camsettings s;
    if (camera_settings_get(t, &s, e) < 0 || take_words(word, n, &s, e) < 0 ||
        camera_settings_set(t, &s, e) < 0)
        return -1;
    print_settings(&s);
    return 0;
}

static int set(char **word, int n) {
    struct tcp t;
    struct err e;
    struct camsettings any = {0};
    if (n == 0)
        return opt_usage_error(&program, "set NAME=VALUE..., as in set gain=2");
    if (take_words(word, n, &any, &e) < 0) /* before anybody is asked */
        return opt_usage_error(&program, "%s", e.text);
    if (authenticate(false, &e) < 0 || connect_to(&t, settings_port, &e) < 0)
        return fail(&e);
    int r = set_some(&t, word, n, &e);
    tcp_close(&t);
    return r < 0 ? fail(&e) : 0;
}

/* ---- password and data stream ---- */

static int auth(void) {
    struct err e;
    if (authenticate(true, &e) < 0)
        return fail(&e);
    puts("{\"ok\": true}");
    return 0;
}

static int watch_values(struct tcp *t, struct err *e) {
    static const char refused[] = "this address has not authenticated (tapline camera auth)";
    struct camera_answer a;
    uint8_t value;
    uint64_t time_ms;
    for (int64_t n = 0; count == 0 || n < count; n++) {
        if (camera_next(t, CAMPACKET_ID_DATA, refused, &a, e) < 0)
            return -1;
        if (!campacket_data_read(a.payload, a.len, &value, &time_ms))
            return err_set(e, CAUSE_PROTOCOL, "%s: %zu bytes of data", t->where, a.len);
        printf("{\"value\": %u, \"time_ms\": %llu}\n", value, (unsigned long long)time_ms);
        if (fflush(stdout) != 0)
            break;
    }
    return 0;
}

static int watch(void) {
    struct tcp t;
    struct err e;
    if (authenticate(false, &e) < 0 || connect_to(&t, data_port, &e) < 0)
        return fail(&e);
    int r = watch_values(&t, &e);
    tcp_close(&t);
    return r < 0 ? fail(&e) : 0;
}

int camera_main(int argc, char **argv) {
    int n, status = opt_parse(&program, argc, argv, &n);
    if (status >= 0)
        return status;
    const char *what = n ? argv[1] : "";
    if (strcmp(what, "set") == 0)
        return set(argv + 2, n - 1);
    if (n == 1 && strcmp(what, "get") == 0)
        return get();
    if (n == 1 && strcmp(what, "auth") == 0)
        return auth();
    if (n == 1 && strcmp(what, "watch") == 0)
        return watch();
    return opt_usage_error(&program, "%s%s: there are get, set, auth and watch", what,
                           n > 1 ? " ..." : "");
}
