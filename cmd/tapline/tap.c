/* tapline tap: show the messages of endpoints, or of standard input.
 *
 * In:   messages of the endpoints named, or of standard input.
 * Out:  one line of JSON a message, or lines for people, or the messages themselves.
 * Ends: after --count messages or --for a time, at the end of standard input, on SIGTERM, or when
 *       the reader of the output goes away.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "json.h"
#include "log.h"
#include "stage.h"

enum tap_format { TAP_JSON, TAP_PRETTY, TAP_MSGPACK };

static struct tap {
    struct stage st;
    struct outstream out;
    enum tap_format format;
    uint64_t shown, first_ns;
    uv_timer_t timer;
} tap;

static const char *format_name;
static int64_t count, duration_ms;
static bool hex;

static const struct opt options[] = {
    {"format", 'f', OPT_TEXT, &format_name, "NAME",
     "json (a line each), pretty (for people) or msgpack (as they are); pretty on a terminal", 0, 0},
    {"count", 'n', OPT_INT, &count, "N", "end after N messages (0: never)", 0, 0},
    {"for", 0, OPT_DURATION, &duration_ms, "TIME", "end after this time (0: never)", 0, 0},
    {"hex", 0, OPT_FLAG, &hex, NULL, "show binary data as hex instead of base64", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static struct opt_program program = {
    .name = "tapline tap",
    .summary = "show the messages that flow",
    .synopsis = "[ENDPOINT]...",
    .details = "  tapline tap decode --topic panel. | jq .\n"
               "  tapline tap serial ws -f pretty --hex\n"
               "  framedecode --format lines < file | tapline tap\n",
    .tables = {options},
};

static void put_pretty(struct buf *b, const struct msg *m) {
    if (!tap.first_ns)
        tap.first_ns = m->time;
    int64_t since = (int64_t)(m->time - tap.first_ns);
    buf_printf(b, "%+12.6f  %-10s %-18.*s #%-6llu ", (double)since / 1e9, tap.st.sub.from->ep.name,
               (int)m->topic_len, m->topic, (unsigned long long)m->seq);
    struct mp_cursor c = {m->body, m->body + m->body_len};
    json_from_mp(b, &c, &(struct json_style){true, hex ? JSON_BIN_HEX : JSON_BIN_BASE64});
}

static void put_json(struct buf *b, const struct msg *m) {
    json_put_msg(b, m, &(struct json_style){false, hex ? JSON_BIN_HEX : JSON_BIN_TAGGED});
}

static void on_msg(void *ctx, const struct msg *m) {
    (void)ctx;
    if (count && tap.shown == (uint64_t)count)
        return;
    struct buf *b = &tap.out.queue;
    if (tap.format == TAP_MSGPACK)
        buf_put(b, m->raw, m->raw_len);
    else if (tap.format == TAP_PRETTY)
        put_pretty(b, m);
    else
        put_json(b, m);
    if (tap.format != TAP_MSGPACK)
        buf_putc(b, '\n');
    outstream_flush(&tap.out);
    if (++tap.shown == (uint64_t)count)
        stage_stop(&tap.st, 0);
}

static void on_blocked(void *ctx, bool blocked) {
    (void)ctx;
    sub_pause(&tap.st.sub, blocked);
}

static void on_broken(void *ctx, int error) {
    (void)ctx;
    if (error != EPIPE)
        log_error("standard output: %s", strerror(error));
    stage_stop(&tap.st, error == EPIPE ? 0 : 1);
}

static void on_timer(uv_timer_t *t) {
    (void)t;
    stage_stop(&tap.st, 0);
}

static int choose_format(struct err *e) {
    const char *f = format_name ? format_name : isatty(STDOUT_FILENO) ? "pretty" : "json";
    if (strcmp(f, "json") == 0)
        tap.format = TAP_JSON;
    else if (strcmp(f, "pretty") == 0)
        tap.format = TAP_PRETTY;
    else if (strcmp(f, "msgpack") == 0)
        tap.format = TAP_MSGPACK;
    else
        return err_set(e, CAUSE_USAGE, "--format %s: must be json, pretty or msgpack", f);
    return 0;
}

static int open_output(struct err *e) {
    tap.out.on_blocked = on_blocked;
    tap.out.on_broken = on_broken;
    uv_timer_init(&tap.st.loop, &tap.timer);
    if (duration_ms)
        uv_timer_start(&tap.timer, on_timer, (uint64_t)duration_ms, 0);
    return outstream_open(&tap.out, &tap.st.loop, STDOUT_FILENO, true, e);
}

static int take_operands(char **argv, int n, struct err *e) {
    for (int i = 1; i <= n; i++) {
        if (tap.st.inputs.n == OPT_LIST_MAX)
            return err_set(e, CAUSE_USAGE, "more than %d endpoints", OPT_LIST_MAX);
        tap.st.inputs.item[tap.st.inputs.n++] = argv[i];
    }
    if (tap.st.inputs.n == 0 && isatty(STDIN_FILENO))
        return err_set(e, CAUSE_USAGE, "which endpoint? (tapline status lists the stages)");
    return 0;
}

int tap_main(int argc, char **argv) {
    struct err e = {0};
    int operands;
    tap.st.on_msg = on_msg;
    tap.st.no_stdout = true;
    program.tables[1] = stage_common_options;
    int status = stage_options(&tap.st, &program, argc, argv, &operands);
    if (status >= 0)
        return status;
    if (take_operands(argv, operands, &e) < 0 || choose_format(&e) < 0 ||
        stage_open(&tap.st, &e) < 0 || open_output(&e) < 0)
        return stage_fail(&tap.st, &e);
    stage_ready(&tap.st);
    status = stage_run(&tap.st);
    outstream_close(&tap.out, 1000);
    uv_close((uv_handle_t *)&tap.timer, NULL);
    return stage_close(&tap.st, status);
}
