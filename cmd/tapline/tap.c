/* tapline tap: show the messages of endpoints, of the running pipeline, or of standard input.
 *
 * In:   messages of the endpoints named, of standard input, or of every endpoint of the pipeline.
 * Out:  one line of JSON a message, or lines for people, or the messages themselves, or with --rate
 *       a table once a second. What was lost on the way is told on standard error.
 * Ends: after --count messages or --for a time (1 when nobody published what was asked for), at the
 * end of standard input, on SIGTERM, or when the reader of the output goes away.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "json.h"
#include "log.h"
#include "sources.h"
#include "tap.h"
#include "tls.h"

enum tap_format { TAP_JSON, TAP_PRETTY, TAP_MSGPACK };
enum {
    RATE_MS = 1000,
    SILENT_MS = 1000, /* a publisher answers within half of it */
    CLOSE_MS = 500,
    CLOSE_S = 3 /* whatever hangs, the process ends */
};

static struct tap {
    struct stage st;
    struct outstream out;
    enum tap_format format;
    struct tap_pretty pretty;
    struct tap_rate rate;
    uint64_t shown;
    bool failed; /* to write */
    uv_timer_t end_timer, rate_timer, silent_timer;
} tap;

static const char *format_name;
static int64_t count, duration_ms;
static bool hex, rate, all;

static const struct opt options[] = {
    {"format", 'f', OPT_TEXT, &format_name, "NAME",
     "json (a line each), pretty (for people) or msgpack (as they are); pretty on a terminal", 0,
     0},
    {"rate", 'r', OPT_FLAG, &rate, NULL, "a table of the topics once a second instead", 0, 0},
    {"all", 'a', OPT_FLAG, &all, NULL, "every endpoint of the running pipeline", 0, 0},
    {"count", 'n', OPT_INT, &count, "N", "end after N messages (0: never)", 0, 0},
    {"for", 0, OPT_DURATION, &duration_ms, "TIME", "end after this time (0: never)", 0, 0},
    {"hex", 0, OPT_FLAG, &hex, NULL, "binary data as hex; in pretty the first 4096 bytes below", 0,
     0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static struct opt_program program = {
    .name = "tapline tap",
    .summary = "show the messages that flow",
    .synopsis = "[ENDPOINT]...",
    .details = "  tapline tap                           the whole running pipeline\n"
               "  tapline tap --rate\n"
               "  tapline tap decode --topic panel. | jq .\n"
               "  tapline tap serial ws -f pretty --hex\n"
               "  framedecode --format lines < file | tapline tap\n"
               "A tap does not disturb: if it is too slow it loses messages, and says so.\n",
    .tables = {options},
};

/* ---- showing ---- */

static void put(const char *from, const struct msg *m) {
    struct buf *b = &tap.out.queue;
    if (tap.format == TAP_MSGPACK) {
        buf_put(b, m->raw, m->raw_len);
    } else if (tap.format == TAP_PRETTY) {
        tap_pretty(&tap.pretty, b, from, m);
    } else {
        json_put_msg(b, m, &(struct json_style){false, hex ? JSON_BIN_HEX : JSON_BIN_TAGGED});
        buf_putc(b, '\n');
    }
    outstream_flush(&tap.out);
}

static void on_msg(void *ctx, const struct msg *m) {
    const char *from = tap.st.sub.from->ep.name;
    (void)ctx;
    if (count && tap.shown == (uint64_t)count)
        return;
    if (rate)
        tap_rate_count(&tap.rate, from, m);
    else
        put(from, m);
    if (++tap.shown == (uint64_t)count)
        stage_stop(&tap.st, 0);
}

/* A reader that does not keep up sees the next table, not all of them. */
static void show_rate(uv_timer_t *t) {
    (void)t;
    if (!tap.out.broken && buf_len(&tap.out.queue) == 0)
        tap_rate_show(&tap.rate, &tap.out.queue);
    outstream_flush(&tap.out);
}

static void on_blocked(void *ctx, bool blocked) {
    (void)ctx;
    if (!tap.st.stopped)
        sub_pause(&tap.st.sub, blocked);
}

static void on_broken(void *ctx, int error) {
    (void)ctx;
    tap.failed = error != EPIPE;
    if (tap.failed)
        log_error("standard output: %s", strerror(error));
    stage_stop(&tap.st, tap.failed);
}

/* Where nothing comes, no error of a closed terminal would ever end us. */
static void on_hangup(void *ctx) {
    (void)ctx;
    stage_stop(&tap.st, 0);
}

static void on_timer(uv_timer_t *t) {
    (void)t;
    stage_stop(&tap.st, 0);
}

/* ---- when there is nothing to show ---- */

static bool any_joined(void) {
    bool any = false;
    for (size_t i = 0; i < tap.st.sub.inputs; i++)
        any |= sub_joined(&tap.st.sub, i);
    return any;
}

/* The endpoints that nobody has answered at, "a, b"; "" = there are none. */
static const char *absent(char *out, size_t size) {
    const struct sub *s = &tap.st.sub;
    out[0] = 0;
    for (size_t i = 0; i < s->inputs; i++) {
        size_t at = strlen(out);
        if (!sub_joined(s, i) && at + strlen(s->in[i]->ep.name) + 3 < size)
            snprintf(out + at, size - at, "%s%s", at ? ", " : "", s->in[i]->ep.name);
    }
    return out;
}

/* It may come yet, so we wait; but a slip of the pen never comes. */
static void on_silent(uv_timer_t *t) {
    char names[200], known[200];
    struct err e;
    (void)t;
    if (!absent(names, sizeof names)[0])
        return;
    if (strstr(names, "://"))
        log_warn("waiting for %s: %s", names, tls_silence(names));
    else if (sources_names(known, sizeof known, &e) == 0)
        log_warn("waiting for %s: nothing publishes it (there are: %s)", names, known);
    else
        log_warn("waiting for %s: %s", names, e.text);
}

static int nothing_came(int status) {
    char names[200];
    if (status != 0 || any_joined() || !(duration_ms || count))
        return status;
    log_error("nothing publishes %s", absent(names, sizeof names));
    return 1;
}

/* ---- opening and closing ---- */

static bool colour_is_wanted(void) {
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
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
    tap.pretty.hex = hex;
    tap.pretty.colour = colour_is_wanted();
    tap.rate.in_place = isatty(STDOUT_FILENO);
    return 0;
}

static int open_output(struct err *e) {
    tap.out.on_blocked = on_blocked;
    tap.out.on_broken = on_broken;
    uv_timer_init(&tap.st.loop, &tap.end_timer);
    uv_timer_init(&tap.st.loop, &tap.rate_timer);
    uv_timer_init(&tap.st.loop, &tap.silent_timer);
    uv_timer_start(&tap.silent_timer, on_silent, SILENT_MS, 0);
    if (duration_ms)
        uv_timer_start(&tap.end_timer, on_timer, (uint64_t)duration_ms, 0);
    if (rate)
        uv_timer_start(&tap.rate_timer, show_rate, RATE_MS, RATE_MS);
    return outstream_open(&tap.out, &tap.st.loop, STDOUT_FILENO, true, e);
}

static void widths(void) {
    for (size_t i = 0; i < tap.st.sub.inputs; i++) {
        int n = (int)strlen(tap.st.sub.in[i]->ep.name);
        if (n > tap.pretty.from_width)
            tap.pretty.from_width = n;
    }
}

static void tell_losses(void) {
    const struct sub *s = &tap.st.sub;
    if (s->lost)
        log_warn("%llu messages in all were lost before they came here",
                 (unsigned long long)s->lost);
    if (s->skipped_bytes)
        log_warn("%llu bytes that came in were no messages", (unsigned long long)s->skipped_bytes);
}

/* What was asked for is written to the end, however slow the reader is; only whoever sends a signal
 * waits for us. */
static void write_out(void) {
    if (rate)
        show_rate(NULL);
    alarm(0);
    while (!tap.st.signalled && !tap.out.broken && buf_len(&tap.out.queue))
        uv_run(&tap.st.loop, UV_RUN_ONCE);
    alarm(CLOSE_S);
    size_t left = outstream_close(&tap.out, CLOSE_MS);
    if (left)
        log_warn("the last %zu bytes were not read", left);
}

static int close_all(int status) {
    write_out();
    tell_losses();
    status = tap.failed ? 1 : nothing_came(status);
    uv_close((uv_handle_t *)&tap.end_timer, NULL);
    uv_close((uv_handle_t *)&tap.rate_timer, NULL);
    uv_close((uv_handle_t *)&tap.silent_timer, NULL);
    status = stage_close(&tap.st, status);
    tap_rate_free(&tap.rate);
    return status;
}

int tap_main(int argc, char **argv) {
    struct err e = {0};
    int operands;
    tap.st.on_msg = on_msg;
    tap.st.on_hangup = isatty(STDOUT_FILENO) ? on_hangup : NULL;
    tap.st.no_stdout = true;
    program.tables[1] = stage_common_options;
    int status = stage_options(&tap.st, &program, argc, argv, &operands);
    if (status >= 0)
        return status;
    if (choose_format(&e) < 0 || sources_choose(&tap.st, argv, operands, all, &e) < 0 ||
        stage_open(&tap.st, &e) < 0 || open_output(&e) < 0)
        return stage_fail(&tap.st, &e);
    widths();
    stage_ready(&tap.st);
    status = stage_run(&tap.st);
    return close_all(status);
}
