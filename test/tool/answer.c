/* answer: a stand-in for the stages that httpd asks. `answer -o NAME` replies by the op:
 *   echo    the request itself as `body`           play    acts (see count), "OK: play ID"
 *   count   how often play has acted               slow    never, and counts it as `kept`
 *   refuse  {ok: false} with `status` 418          error   {ok: false} with a text
 *   json    one value of each type                 data    bytes 0..255 as image/png
 *   big     200000 bytes of text                   empty   nothing but {ok: true}
 *   none    bytes that are no reply                degraded  a body with status 503
 */
#include <stdlib.h>
#include <string.h>

#include "stage.h"

static struct stage stage;
static uint64_t acted;
static struct rpc_call *kept[1024]; /* never answered */
static uint64_t kept_count;

static void text(struct rpc_call *call, const char *s, size_t n) {
    struct buf *b = rpc_reply_begin(call, 1);
    mp_kv_strn(b, "text", s, n);
    rpc_reply_end(call);
}

static void echo(struct rpc_call *call, const uint8_t *body, size_t n) {
    struct buf *b = rpc_reply_begin(call, 1);
    mp_put_str(b, "body");
    buf_put(b, body, n);
    rpc_reply_end(call);
}

static void play(struct rpc_call *call, const uint8_t *body, size_t n) {
    char id[64] = "?", method[16] = "", out[96];
    struct mp_value params;
    struct mp_cursor at;
    if (mp_find(body, n, "params", &params, &at))
        mp_get_cstr(at.at, (size_t)(at.end - at.at), "id", id, sizeof id);
    mp_get_cstr(body, n, "method", method, sizeof method);
    acted += strcmp(method, "HEAD") != 0;
    snprintf(out, sizeof out, "OK: play %s", id);
    text(call, out, strlen(out));
}

static void count(struct rpc_call *call) {
    struct buf *b = rpc_reply_begin(call, 1);
    mp_kv_uint(b, "body", acted);
    rpc_reply_end(call);
}

static void json(struct rpc_call *call) {
    struct buf *b = rpc_reply_begin(call, 1);
    mp_put_str(b, "body");
    mp_put_map(b, 4);
    mp_kv_str(b, "version", "2.4.2");
    mp_kv_nil(b, "current");
    mp_kv_bool(b, "up", true);
    mp_put_str(b, "list");
    mp_put_array(b, 2);
    mp_put_int(b, -1);
    mp_put_double(b, 5.0);
    rpc_reply_end(call);
}

static void data(struct rpc_call *call) {
    uint8_t all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    struct buf *b = rpc_reply_begin(call, 2);
    mp_kv_str(b, "type", "image/png");
    mp_kv_bin(b, "data", all, sizeof all);
    rpc_reply_end(call);
}

static void degraded(struct rpc_call *call) {
    struct buf *b = rpc_reply_begin(call, 2);
    mp_kv_uint(b, "status", 503);
    mp_put_str(b, "body");
    mp_put_map(b, 1);
    mp_kv_str(b, "status", "degraded");
    rpc_reply_end(call);
}

static void big(struct rpc_call *call) {
    static char b[200000];
    memset(b, 'x', sizeof b);
    text(call, b, sizeof b);
}

/* The library has no refusal with a status: the reply is written over. */
static void refuse(struct rpc_call *call) {
    struct buf *b = rpc_reply_begin(call, 0);
    buf_clear(b);
    mp_put_map(b, 3);
    mp_kv_bool(b, "ok", false);
    mp_kv_uint(b, "status", 418);
    mp_kv_str(b, "error", "I am a teapot");
    rpc_reply_end(call);
}

static void none(struct rpc_call *call) {
    struct buf *b = rpc_reply_begin(call, 0);
    buf_clear(b);
    buf_puts(b, "\xc1\xc1 no msgpack");
    rpc_reply_end(call);
}

static void headers(struct rpc_call *call) {
    static const char *const pair[][2] = {
        {"X-Frame-Age", "0.3s"}, {"Access-Control-Allow-Origin", "*"},
        {"Content-Length", "5"}, {"Set-Cookie", "a=b"},
        {"X Bad", "name"},       {"X-Split", "a\r\nX-Evil: b"}};
    struct buf *b = rpc_reply_begin(call, 3);
    size_t n = sizeof pair / sizeof *pair;
    mp_kv_uint(b, "status", 404);
    mp_kv_str(b, "text", "not now");
    mp_put_str(b, "headers");
    mp_put_map(b, (uint32_t)n + 1);
    for (size_t i = 0; i < n; i++)
        mp_kv_str(b, pair[i][0], pair[i][1]);
    mp_kv_uint(b, "X-Number", 5);
    rpc_reply_end(call);
}

static void on_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                       size_t n) {
    (void)ctx;
    if (strcmp(op, "echo") == 0)
        echo(call, body, n);
    else if (strcmp(op, "play") == 0)
        play(call, body, n);
    else if (strcmp(op, "count") == 0)
        count(call);
    else if (strcmp(op, "json") == 0)
        json(call);
    else if (strcmp(op, "data") == 0)
        data(call);
    else if (strcmp(op, "degraded") == 0)
        degraded(call);
    else if (strcmp(op, "big") == 0)
        big(call);
    else if (strcmp(op, "refuse") == 0)
        refuse(call);
    else if (strcmp(op, "error") == 0)
        rpc_reply_error(call, "button 999 is not there");
    else if (strcmp(op, "empty") == 0)
        rpc_reply_ok(call);
    else if (strcmp(op, "headers") == 0)
        headers(call);
    else if (strcmp(op, "none") == 0)
        none(call);
    else if (kept_count < sizeof kept / sizeof *kept)
        kept[kept_count++] = call;
}

int main(int argc, char **argv) {
    static struct opt_program program = {.name = "answer", .summary = "answers for tests of httpd"};
    struct err e;
    program.tables[0] = stage_common_options;
    stage.on_request = on_request;
    stage.no_stdin = stage.no_stdout = true;
    int status = stage_options(&stage, &program, argc, argv, NULL);
    if (status >= 0)
        return status;
    if (stage_open(&stage, &e) < 0)
        return stage_fail(&stage, &e);
    stage_counter(&stage, "kept", &kept_count);
    stage_ready(&stage);
    return stage_close(&stage, stage_run(&stage));
}
