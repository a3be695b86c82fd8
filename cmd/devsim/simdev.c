#include "simdev.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"

static const char *link_path, *script_path;

static const struct opt options[] = {
    {"link", 0, OPT_TEXT, &link_path, "PATH", "symbolic link to the device, replaced when there", 0,
     0},
    {"script", 0, OPT_TEXT, &script_path, "FILE", "commands at their times", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

/* ---- the line ---- */

enum { PORT_KEYS = 4 };

static void say_port(struct simdev *d) {
    struct buf *b = stage_begin(&d->st, "sim.port", 0, PORT_KEYS);
    mp_kv_str(b, "link", d->tty.link ? d->tty.link : "");
    mp_kv_str(b, "node", d->tty.node);
    mp_kv_bool(b, "plugged", d->tty.plugged);
    mp_kv_bool(b, "host", d->tty.host);
    stage_end(&d->st);
}

static void on_power(void *ctx, bool on) {
    struct simdev *d = ctx;
    d->on_power(d->ctx, on);
    say_port(d);
}

static void on_host(void *ctx, bool open) {
    struct simdev *d = ctx;
    d->on_host(d->ctx, open);
    say_port(d);
}

static void on_bytes(void *ctx, const uint8_t *p, size_t n) {
    struct simdev *d = ctx;
    d->on_bytes(d->ctx, p, n);
}

static void on_room(void *ctx) {
    struct simdev *d = ctx;
    if (d->on_room)
        d->on_room(d->ctx);
}

/* ---- commands ---- */

static int run_common(struct simdev *d, const char *word, const char *text, bool dry,
                      struct err *e) {
    int r = d->no_line ? 0 : simcmd_run(&d->tty, d->line_end, text, dry, e);
    if (r == 0)
        return err_set(e, CAUSE_USAGE,
                       "unknown command \"%s\" (%s, send, raw, unplug, plug, stop-reading, "
                       "start-reading, quit)",
                       word, d->commands);
    return r < 0 ? -1 : 0;
}

static int run_command(void *ctx, const char *text, bool dry, struct err *e) {
    struct simdev *d = ctx;
    char word[32];
    const char *rest = simcmd_split(text, word);
    enum simdev_answer a = d->on_command(d->ctx, word, rest, dry, e);
    if (a != SIMDEV_UNKNOWN)
        return a == SIMDEV_ERROR ? -1 : 0;
    if (strcmp(word, "quit") != 0)
        return run_common(d, word, text, dry, e);
    if (!dry)
        stage_stop(&d->st, 0);
    return 0;
}

static int run_text(struct simdev *d, const char *p, size_t n, struct err *e) {
    char text[SIMCMD_MAX];
    if (n >= sizeof text)
        return err_set(e, CAUSE_LIMIT, "a command has at most %d bytes", SIMCMD_MAX - 1);
    memcpy(text, p, n);
    text[n] = 0;
    char *command = simcmd_trim(text);
    return *command && *command != '#' ? run_command(d, command, false, e) : 0;
}

/* ---- standard input and messages ---- */

static void on_line(void *ctx, const char *p, size_t n) {
    struct err e;
    if (!p)
        log_warn("a command has at most %d bytes", SIMCMD_MAX - 1);
    else if (run_text(ctx, p, n, &e) < 0)
        log_warn("%s", e.text);
}

static size_t on_raw(void *ctx, const uint8_t *p, size_t n, uint64_t time_ns) {
    struct simdev *d = ctx;
    (void)time_ns;
    lines_feed(&d->input, p, n, on_line, d);
    return n;
}

static void on_msg(void *ctx, const struct msg *m) {
    const char *text;
    size_t n;
    if (msg_is(m, "sim.do") && mp_get_str(m->body, m->body_len, "text", &text, &n))
        on_line(ctx, text, n);
}

/* A last command may lack its line end. */
static void on_end(void *ctx) {
    struct simdev *d = ctx;
    if (d->input.len)
        on_line(d, d->input.tail, d->input.len);
    lines_reset(&d->input);
}

/* ---- requests ---- */

static int answer_common(struct simdev *d, const char *op, const uint8_t *body, size_t n,
                         struct err *e) {
    const char *text;
    size_t len;
    uint64_t ms = 0;
    if (strcmp(op, "do") == 0)
        return mp_get_str(body, n, "text", &text, &len)
                   ? run_text(d, text, len, e)
                   : err_set(e, CAUSE_USAGE, "do needs \"text\", a command");
    if (strcmp(op, "plug") == 0 && !d->no_line)
        return simtty_plug(&d->tty, e);
    if (strcmp(op, "unplug") != 0 || d->no_line)
        return err_set(e, CAUSE_USAGE, "%s does not know the request \"%s\"", d->program->name, op);
    mp_get_uint(body, n, "ms", &ms);
    simtty_unplug(&d->tty, ms);
    return 0;
}

static void on_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                       size_t n) {
    struct simdev *d = ctx;
    struct err e;
    enum simdev_answer a = d->on_request(d->ctx, call, op, body, n, &e);
    if (a == SIMDEV_UNKNOWN)
        a = answer_common(d, op, body, n, &e) < 0 ? SIMDEV_ERROR : SIMDEV_DONE;
    if (a == SIMDEV_ERROR)
        rpc_reply_error(call, "%s", e.text);
    else if (a == SIMDEV_DONE)
        rpc_reply_ok(call);
}

/* ---- life ---- */

static void bind_parts(struct simdev *d) {
    d->st.ctx = d->tty.ctx = d->script.ctx = d;
    d->st.on_msg = on_msg;
    d->st.on_raw = on_raw;
    d->st.on_request = on_request;
    d->st.on_end = on_end;
    d->st.no_stdout = true;
    d->tty.on_bytes = on_bytes;
    d->tty.on_power = on_power;
    d->tty.on_host = on_host;
    d->tty.on_room = on_room;
    d->script.run = run_command;
    d->program->tables[1] = options;
    d->program->tables[2] = stage_common_options;
}

static int read_options(struct simdev *d, int argc, char **argv) {
    struct err e;
    int status = stage_options(&d->st, d->program, argc, argv, NULL);
    if (status < 0)
        status = d->check(d->ctx);
    if (status < 0 && script_path && script_load(&d->script, script_path, &e) < 0)
        return opt_usage_error(d->program, "%s", e.text);
    return status;
}

static int open_device(struct simdev *d, struct err *e) {
    stage_counter(&d->st, "rx_bytes", &d->tty.rx_bytes);
    stage_counter(&d->st, "tx_bytes", &d->tty.tx_bytes);
    stage_counter(&d->st, "tx_dropped_bytes", &d->tty.out_dropped);
    pub_retain(&d->st.pub, "sim.port");
    lines_init(&d->input, SIMCMD_MAX - 1);
    d->tty.link = link_path;
    if (d->open(d->ctx, e) < 0 || (!d->no_line && simtty_open(&d->tty, &d->st.loop, e) < 0))
        return -1;
    if (script_path)
        script_start(&d->script, &d->st.loop);
    return 0;
}

static void close_device(struct simdev *d) {
    d->close(d->ctx);
    script_close(&d->script);
    if (!d->no_line)
        simtty_close(&d->tty);
    lines_free(&d->input);
}

int simdev_run(struct simdev *d, int argc, char **argv) {
    struct err e;
    bind_parts(d);
    int status = read_options(d, argc, argv);
    if (status >= 0)
        return status;
    if (!getenv("TAPLINE_STAGE"))
        d->st.name = "devsim"; /* sys.NAME has no blanks */
    if (stage_open(&d->st, &e) < 0 || open_device(d, &e) < 0)
        return stage_fail(&d->st, &e);
    stage_ready(&d->st);
    status = stage_run(&d->st);
    close_device(d);
    return stage_close(&d->st, status);
}
