/* tapline put: publish messages made of JSON.
 *
 * In:   one JSON object a line on standard input: the body of a message.
 * Out:  messages on standard output, or on the endpoints given by -o; with --to a running stage is
 *       asked to publish them as if they were its own.
 * Ends: at the end of standard input.
 */
#include <stdio.h>
#include <string.h>

#include "codec/lines.h"
#include "commands.h"
#include "json.h"
#include "log.h"
#include "stage.h"

enum { LINE_BYTES = 1 << 20, ANSWER_MS = 3000 };

static struct put {
    struct stage st;
    struct lines lines;
    const char *topic;
    unsigned line;
    bool failed;
} put;

static const char *to;
static int64_t linger_ms;

static const struct opt options[] = {
    {"to", 't', OPT_TEXT, &to, "STAGE", "ask this running stage to publish it", 0, 0},
    {"linger", 0, OPT_DURATION, &linger_ms, "TIME",
     "with -o: wait this long for subscribers before and after", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static struct opt_program program = {
    .name = "tapline put",
    .summary = "publish messages made of JSON",
    .synopsis = "TOPIC",
    .details = "  echo '{\"id\":5}' | tapline put panel.press | dispatch panel\n"
               "  echo '{\"id\":5}' | tapline put panel.press --to decode\n",
};

static void complain(const char *text) {
    put.failed = true;
    log_error("line %u: %s", put.line, text);
}

static void ask_stage(const struct buf *body) {
    struct buf request = {0}, reply = {0};
    struct err e;
    rpc_request_begin(&request, "put", 2);
    mp_kv_str(&request, "topic", put.topic);
    mp_put_str(&request, "body");
    buf_put(&request, buf_data(body), buf_len(body));
    if (rpc_ask(to, &request, ANSWER_MS, &reply, &e) < 0)
        complain(e.text);
    buf_free(&request);
    buf_free(&reply);
}

static void publish(const struct buf *body) {
    struct mp_value map;
    struct mp_cursor c = {buf_data(body), buf_data(body) + buf_len(body)};
    mp_read(&c, &map);
    struct buf *b = stage_begin(&put.st, put.topic, 0, map.len);
    buf_put(b, c.at, (size_t)(c.end - c.at));
    stage_end(&put.st);
}

static void on_line(void *ctx, const char *s, size_t n) {
    static struct buf body;
    struct err e;
    (void)ctx;
    put.line++;
    buf_clear(&body);
    if (!s)
        complain("longer than 1 MB");
    else if (n == 0)
        return;
    else if (json_to_mp(&body, s, n, &e) < 0)
        complain(e.text);
    else if ((*buf_data(&body) & 0xf0) != 0x80 && *buf_data(&body) < 0xde)
        complain("a message's body is a JSON object, like {\"id\": 5}");
    else if (to)
        ask_stage(&body);
    else
        publish(&body);
}

static size_t on_raw(void *ctx, const uint8_t *p, size_t n, uint64_t time_ns) {
    (void)time_ns;
    lines_feed(&put.lines, p, n, on_line, ctx);
    return n;
}

static void on_timer(uv_timer_t *t) {
    (void)t;
    stage_stop(&put.st, put.failed);
}

static uv_timer_t timer;

static void on_end(void *ctx) {
    lines_feed(&put.lines, (const uint8_t *)"\n", 1, on_line, ctx);
    uv_timer_start(&timer, on_timer, (uint64_t)linger_ms, 0);
}

static void on_start(uv_timer_t *t) {
    (void)t;
    sub_pause(&put.st.sub, false);
}

static int bad_topic(const char *topic) {
    char shown[80];
    size_t n = strlen(topic);
    return opt_usage_error(&program,
                           "\"%s\" is no topic: words of a-z 0-9 _ - with a dot between them, at"
                           " most %d bytes, such as panel.press",
                           log_quote(shown, sizeof shown, topic, n < 70 ? n : 70), MSG_TOPIC_MAX);
}

int put_main(int argc, char **argv) {
    struct err e = {0};
    int operands;
    put.st.on_raw = on_raw;
    put.st.on_end = on_end;
    program.tables[0] = options;
    program.tables[1] = stage_common_options;
    int status = stage_options(&put.st, &program, argc, argv, &operands);
    if (status >= 0)
        return status;
    if (operands != 1)
        return opt_usage_error(&program, "give one topic, such as panel.press");
    if (!msg_topic_valid(argv[1], strlen(argv[1])))
        return bad_topic(argv[1]);
    put.topic = argv[1];
    put.st.no_stdout = to != NULL;
    lines_init(&put.lines, LINE_BYTES);
    if (stage_open(&put.st, &e) < 0)
        return stage_fail(&put.st, &e);
    uv_timer_init(&put.st.loop, &timer);
    if (linger_ms) {
        sub_pause(&put.st.sub, true);
        uv_timer_start(&timer, on_start, (uint64_t)linger_ms, 0);
    }
    stage_ready(&put.st);
    status = stage_run(&put.st);
    lines_free(&put.lines);
    uv_close((uv_handle_t *)&timer, NULL);
    return stage_close(&put.st, status);
}
