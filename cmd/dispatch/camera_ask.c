/* Requests to camctl. It is asked every two seconds how it is, and for the limits of its settings;
 * what pages and people want of it (set, restart) is passed on, and so is the answer.
 */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "camera.h"
#include "json.h"
#include "log.h"

enum {
    ANSWER_MS = 1500, /* less than httpd waits for us */
    ASK_MS = 2000,
    LOOK_MS = 10, /* after a change */
    ASKING = 16,  /* requests under way */
    TEXT_MAX = 500
};

static struct rpc_client server;
static struct asked {
    struct rpc_call *call; /* NULL = free */
    bool http;
} asking[ASKING];

/* ---- how it is ---- */

static void ask_soon(unsigned ms);

static void keep(struct buf *into, const uint8_t *p, size_t n) {
    if (buf_len(into) == n && memcmp(buf_data(into), p, n) == 0)
        return;
    buf_clear(into);
    buf_put(into, p, n);
    camera_changed();
}

/* What topics tell better, and a counter that would make each answer another one. */
static bool is_told_elsewhere(const struct mp_value *key) {
    return mp_is(key, "processes") || mp_is(key, "clients") || mp_is(key, "pictures") ||
           mp_is(key, "ok");
}

static void keep_about(const struct rpc_result *r) {
    static struct buf pairs, map;
    struct mp_cursor c = {r->body, r->body + r->len};
    struct mp_value v, key;
    uint32_t kept = 0;
    buf_clear(&pairs);
    buf_clear(&map);
    if (mp_read(&c, &v) != 1 || v.type != MP_MAP)
        return;
    for (uint32_t i = 0; i < v.len; i++) {
        const uint8_t *pair = c.at;
        if (mp_read(&c, &key) != 1 || key.type != MP_STR || mp_skip(&c) != 1)
            return;
        if (is_told_elsewhere(&key))
            continue;
        buf_put(&pairs, pair, (size_t)(c.at - pair));
        kept++;
    }
    mp_put_map(&map, kept);
    buf_put(&map, buf_data(&pairs), buf_len(&pairs));
    keep(&camera.about, buf_data(&map), buf_len(&map));
}

static void on_trouble(const struct rpc_result *r) {
    static struct log_limit limit;
    if (!camera.asked || camera.control)
        camera_changed();
    camera.asked = true;
    camera.control = false;
    snprintf(camera.trouble, sizeof camera.trouble, "%s", r->error);
    stage_cause(camera.st, CAUSE_ABSENT, "camctl does not answer");
    log_limited(&limit, LOG_WARN, "camctl does not answer: %s", r->error);
    ask_soon(ASK_MS / 2);
}

static void on_limits(void *ctx, const struct rpc_result *r) {
    (void)ctx;
    if (r->ok)
        keep(&camera.limits, r->body, r->len);
    ask_soon(ASK_MS);
}

static void ask(const char *op, rpc_done done) {
    static struct buf question;
    buf_clear(&question);
    rpc_request_begin(&question, op, 0);
    rpc_request(&server, &question, ANSWER_MS, done, NULL);
}

static void on_about(void *ctx, const struct rpc_result *r) {
    (void)ctx;
    if (!r->ok) {
        on_trouble(r);
        return;
    }
    if (!camera.control) {
        camera.asked = camera.control = true;
        camera.trouble[0] = 0;
        stage_cause(camera.st, CAUSE_OK, "");
        camera_changed();
    }
    keep_about(r);
    ask("settings", on_limits);
}

static void on_ask_timer(uv_timer_t *t) {
    (void)t;
    ask("state", on_about);
}

static void ask_soon(unsigned ms) {
    uv_timer_start(&camera.ask_timer, on_ask_timer, ms, 0);
}

void camera_ask_look(void) {
    ask_soon(LOOK_MS);
}

/* ---- what is wanted of it ---- */

static void done(void *ctx, const struct rpc_result *r) {
    struct asked *a = ctx;
    if (r->ok) {
        struct buf *b = rpc_reply_begin(a->call, 1);
        mp_put_str(b, "body");
        buf_put(b, r->body, r->len);
        rpc_reply_end(a->call);
        camera_ask_look();
    } else {
        camera.requests_failed++;
        ask_refuse(a->call, a->http, r->cause == CAUSE_FAILED ? 409 : 503, r->error);
    }
    a->call = NULL;
}

/* The map that says what is wanted: of a page the JSON it posted, else the request itself. NULL
 * after a refusal. */
static const struct buf *wanted(struct rpc_call *call, const uint8_t *body, size_t n) {
    static struct buf map;
    const char *text, *why = NULL;
    size_t len;
    buf_clear(&map);
    if (ask_from_stranger(body, n))
        why = ask_stranger_text;
    else if (!ask_is_http(body, n))
        buf_put(&map, body, n);
    else if (!mp_get_str(body, n, "text", &text, &len) || len > TEXT_MAX ||
             json_to_mp(&map, text, len, NULL) < 0)
        why = "the body must be a JSON object of at most 500 bytes";
    if (!why)
        return &map;
    ask_refuse(call, ask_is_http(body, n), 400, why);
    return NULL;
}

static void pass_on(struct rpc_call *call, bool http, const struct buf *question) {
    size_t i = 0;
    while (i < ASKING && asking[i].call)
        i++;
    if (i == ASKING) {
        ask_refuse(call, http, 503, "too many requests are under way");
        return;
    }
    asking[i] = (struct asked){call, http};
    camera.requests++;
    rpc_request(&server, question, ANSWER_MS, done, &asking[i]);
}

/* ---- settings ---- */

static const char *const settings[] = {"shutter",  "gain",     "awb_red",
                                       "awb_blue", "contrast", "brightness"};
enum { SETTINGS = sizeof settings / sizeof *settings };

/* The pairs that name a setting and are numbers, which camctl checks. */
static uint32_t put_settings(struct buf *b, const struct buf *map) {
    uint32_t found = 0;
    for (int i = 0; i < SETTINGS; i++) {
        struct mp_value v;
        if (!mp_find(buf_data(map), buf_len(map), settings[i], &v, NULL))
            continue;
        found += v.type == MP_UINT || v.type == MP_INT || v.type == MP_DOUBLE;
        if (v.type == MP_UINT)
            mp_kv_uint(b, settings[i], v.u);
        else if (v.type == MP_INT)
            mp_kv_int(b, settings[i], v.i);
        else if (v.type == MP_DOUBLE)
            mp_kv_double(b, settings[i], v.d);
    }
    return found;
}

static uint32_t pairs_of(const struct buf *map) {
    struct mp_cursor c = {buf_data(map), buf_data(map) + buf_len(map)};
    struct mp_value v;
    return mp_read(&c, &v) == 1 && v.type == MP_MAP ? v.len : 0;
}

void camera_ask_set(struct rpc_call *call, const uint8_t *body, size_t n) {
    static struct buf pairs, question;
    bool http = ask_is_http(body, n);
    const struct buf *map = wanted(call, body, n);
    if (!map)
        return;
    buf_clear(&pairs);
    uint32_t found = put_settings(&pairs, map);
    if (!found || found != pairs_of(map) - !http) { /* a request of people has "op", too */
        ask_refuse(call, http, 400,
                   "numbers named shutter, gain, awb_red, awb_blue, contrast, brightness are "
                   "taken, and nothing else");
        return;
    }
    buf_clear(&question);
    rpc_request_begin(&question, "set", found);
    buf_put(&question, buf_data(&pairs), buf_len(&pairs));
    pass_on(call, http, &question);
}

/* ---- restart ---- */

void camera_ask_restart(struct rpc_call *call, const uint8_t *body, size_t n) {
    static struct buf question;
    char name[CAMERA_NAME];
    bool http = ask_is_http(body, n);
    const struct buf *map = wanted(call, body, n);
    if (!map)
        return;
    if (!mp_get_cstr(buf_data(map), buf_len(map), "name", name, sizeof name)) {
        ask_refuse(call, http, 400, "name: which process (camera, publisher, preview)?");
        return;
    }
    buf_clear(&question);
    rpc_request_begin(&question, "restart", 1);
    mp_kv_str(&question, "name", name);
    pass_on(call, http, &question);
}

/* ---- life ---- */

int camera_ask_open(struct err *e) {
    if (rpc_client_open(&server, &camera.st->loop, camera.opt.requests, e) < 0)
        return -1;
    uv_timer_init(&camera.st->loop, &camera.ask_timer);
    ask_soon(0);
    return 0;
}

void camera_ask_close(void) {
    rpc_client_close(&server);
    uv_close((uv_handle_t *)&camera.ask_timer, NULL);
    for (size_t i = 0; i < ASKING; i++)
        if (asking[i].call)
            rpc_reply_error(asking[i].call, "the rules are being stopped");
}
