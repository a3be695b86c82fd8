/* framedecode: bytes of a device to typed messages, through a codec.
 *
 * In:   serial.rx {data} (or plain bytes on standard input), and what the format itself asks for
 *       (hev.send). Everything else passes through.
 * Out:  the messages of the format.
 * Ends: at the end of standard input, on SIGTERM; what is whole by then is still published.
 */
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "log.h"

static const struct format *const formats[] = {&format_panel, &format_espcam, &format_hev,
                                               &format_lines};
enum { FORMATS = sizeof formats / sizeof *formats };

struct framedecode {
    struct stage st;
    const struct format *format;
    void *decoder;
    uv_timer_t timer;
    uint64_t fed_time;  /* the codec's clock: time of the newest bytes ... */
    uint64_t fed_at_ns; /* ... and when they came here, so that a replay keeps its own pauses */
    bool busy;          /* inside the decoder: it must not be called again */
    bool stopping, finished;
};

static struct framedecode fd;
static const char *format_name;

static const struct opt options[] = {{"format", 'f', OPT_TEXT, &format_name, "NAME",
                                      "what the device speaks: panel, espcam, hev, lines", 0, 0},
                                     {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static struct opt_program program = {
    .name = "framedecode",
    .summary = "turn the bytes of a device into messages",
    .details = "Standard input may be messages (serial.rx) or the plain bytes of a capture:\n"
               "  framedecode --format panel < capture.bin | tapline tap -\n",
};

static void on_timer(uv_timer_t *t);

/* The codec's clock goes on while nothing arrives. */
static uint64_t codec_now(void) {
    return fd.fed_time + (clock_mono_ns() - fd.fed_at_ns);
}

static void arm(void) {
    uint64_t at = fd.format->deadline ? fd.format->deadline(fd.decoder) : 0;
    if (at == 0) {
        if (uv_is_active((uv_handle_t *)&fd.timer))
            uv_timer_stop(&fd.timer);
        return;
    }
    uint64_t now = codec_now();
    uv_update_time(&fd.st.loop);
    uv_timer_start(&fd.timer, on_timer, at > now ? (at - now) / 1000000u + 1 : 0, 0);
}

static void enter(void) {
    fd.busy = true;
}

static void leave(void) {
    fd.busy = false;
    if (!fd.stopping || fd.finished)
        return;
    fd.finished = true;
    if (fd.format->finish)
        fd.format->finish(fd.decoder);
    stage_stopped(&fd.st);
}

/* What a decoder publishes may find the reader gone, which asks us to stop. */
static void on_stop(void *ctx) {
    (void)ctx;
    fd.stopping = true;
    if (!fd.busy)
        leave();
}

static void on_timer(uv_timer_t *t) {
    (void)t;
    enter();
    fd.format->timeout(fd.decoder, codec_now());
    leave();
    arm();
}

static void feed(const uint8_t *p, size_t n, uint64_t time_ns) {
    fd.fed_time = time_ns;
    fd.fed_at_ns = clock_mono_ns();
    enter();
    fd.format->feed(fd.decoder, p, n, time_ns);
    leave();
    arm();
}

static size_t on_raw(void *ctx, const uint8_t *p, size_t n, uint64_t time_ns) {
    (void)ctx;
    feed(p, n, time_ns);
    return n;
}

static void on_state(const struct msg *m) {
    bool connected;
    if (!mp_get_bool(m->body, m->body_len, "connected", &connected) || connected)
        return;
    enter();
    fd.format->reset(fd.decoder);
    leave();
    arm();
}

static bool offer(const struct msg *m) {
    if (!fd.format->message)
        return false;
    enter();
    bool taken = fd.format->message(fd.decoder, m, codec_now());
    leave();
    arm();
    return taken;
}

static void on_msg(void *ctx, const struct msg *m) {
    const uint8_t *p;
    size_t n;
    (void)ctx;
    if (msg_is(m, "serial.rx") && mp_get_bin(m->body, m->body_len, "data", &p, &n)) {
        feed(p, n, m->time);
        return;
    }
    if (msg_is(m, "serial.state"))
        on_state(m);
    else if (offer(m))
        return;
    pub_relay(&fd.st.pub, m, NULL);
}

static int choose_format(struct err *e) {
    char known[256] = "";
    for (int i = 0; i < FORMATS; i++) {
        if (format_name && strcmp(format_name, formats[i]->name) == 0)
            fd.format = formats[i];
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "",
                 formats[i]->name);
    }
    if (fd.format)
        return 0;
    return format_name
               ? err_set(e, CAUSE_USAGE, "--format %s: unknown (there are: %s)", format_name, known)
               : err_set(e, CAUSE_USAGE, "--format is missing (there are: %s)", known);
}

static int open_decoder(struct err *e) {
    fd.decoder = fd.format->open(&fd.st, e);
    fd.fed_time = clock_wall_ns();
    fd.fed_at_ns = clock_mono_ns();
    uv_timer_init(&fd.st.loop, &fd.timer);
    pub_retain(&fd.st.pub, "serial.state");
    return fd.decoder ? 0 : -1;
}

static void list_tables(void) {
    int t = 0;
    program.tables[t++] = options;
    for (int i = 0; i < FORMATS; i++)
        if (formats[i]->options)
            program.tables[t++] = formats[i]->options;
    program.tables[t] = stage_common_options;
}

int main(int argc, char **argv) {
    struct err e = {0};
    fd.st.on_msg = on_msg;
    fd.st.on_raw = on_raw;
    fd.st.on_stop = on_stop;
    list_tables();
    int status = stage_options(&fd.st, &program, argc, argv, NULL);
    if (status >= 0)
        return status;
    if (choose_format(&e) < 0 || stage_open(&fd.st, &e) < 0 || open_decoder(&e) < 0)
        return stage_fail(&fd.st, &e);
    stage_ready(&fd.st);
    status = stage_run(&fd.st);
    uv_close((uv_handle_t *)&fd.timer, NULL);
    status = stage_close(&fd.st, status); /* its last report reads the decoder's counters */
    fd.format->close(fd.decoder);
    return status;
}
