/* Requests of httpd, and of people (tapline req rules status). The texts are the protocol's.
 *
 *   status, uptime, history            GET /status, /connection_uptime, /connection_history
 *   video_fps, video_stats             GET; ?camera=ID: of this one, else of the newest picture's
 *   cameras                            GET: all that our pages show
 *   apriltag                           POST; the route must ask for the token
 *   frame                              POST of a JPEG; of the camera last heard there, or
 * ?camera=NAME poll                               GET: older games fetch detections one by one
 *   interval                           POST {"interval_ms": N}
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "hub.h"
#include "json.h"

static const char JSON[] = "application/json";

/* ---- answering ---- */

static void reply(struct rpc_call *call, unsigned status, const char *text, size_t n) {
    struct buf *b = rpc_reply_begin(call, 3);
    mp_kv_uint(b, "status", status);
    mp_kv_str(b, "type", JSON);
    mp_kv_strn(b, "text", text, n);
    rpc_reply_end(call);
}

static void reply_text(struct rpc_call *call, unsigned status, const char *text) {
    reply(call, status, text, strlen(text));
}

/* {"error":"..."} */
static void reply_error(struct rpc_call *call, unsigned status, const char *why) {
    static struct buf out;
    buf_clear(&out);
    buf_puts(&out, "{\"error\":");
    json_put_str(&out, why, strlen(why));
    buf_puts(&out, "}\n");
    reply(call, status, (const char *)buf_data(&out), buf_len(&out));
}

/* {"message":"...","status":"error"} */
static void reply_message(struct rpc_call *call, unsigned status, const char *why) {
    static struct buf out;
    buf_clear(&out);
    buf_puts(&out, "{\"message\":");
    json_put_str(&out, why, strlen(why));
    buf_puts(&out, ",\"status\":\"error\"}\n");
    reply(call, status, (const char *)buf_data(&out), buf_len(&out));
}

/* ---- what was asked ---- */

struct asked {
    struct rpc_call *call;
    const uint8_t *body;
    size_t n;
    char query[512], addr[HUB_ADDR];
    bool head; /* only the head of the answer is wanted: nothing may be done */
};

static void read_asked(struct asked *a, struct rpc_call *call, const uint8_t *body, size_t n) {
    char method[8] = "", peer[HUB_ADDR] = "";
    *a = (struct asked){.call = call, .body = body, .n = n};
    mp_get_cstr(body, n, "method", method, sizeof method);
    mp_get_cstr(body, n, "query", a->query, sizeof a->query);
    mp_get_cstr(body, n, "peer", peer, sizeof peer);
    hub_peer_addr(peer, a->addr);
    a->head = strcmp(method, "HEAD") == 0;
}

/* What was posted; httpd gives well-formed text as text. */
static void posted(const struct asked *a, const char **p, size_t *n) {
    *p = "";
    *n = 0;
    if (!mp_get_str(a->body, a->n, "text", p, n))
        mp_get_bin(a->body, a->n, "data", (const uint8_t **)p, n);
}

static const struct hub_camera *camera_asked(const struct asked *a) {
    char id[HUB_ID];
    if (ask_query(a->query, "camera", id, sizeof id))
        return hub_cameras_find(&hub.state->cameras, id);
    return hub_cameras_newest_frame(&hub.state->cameras);
}

/* ---- GET ---- */

static void on_look(const struct asked *a, void (*put)(struct buf *)) {
    static struct buf out;
    buf_clear(&out);
    put(&out);
    reply(a->call, 200, (const char *)buf_data(&out), buf_len(&out));
}

static void on_video(const struct asked *a,
                     void (*put)(struct buf *out, const struct hub_camera *c)) {
    static struct buf out;
    buf_clear(&out);
    put(&out, camera_asked(a));
    reply(a->call, 200, (const char *)buf_data(&out), buf_len(&out));
}

/* Any page may ask: that is what the older games are. */
static void on_poll(const struct asked *a) {
    static struct buf out;
    buf_clear(&out);
    hub_poll_take(&out, a->head);
    struct buf *b = rpc_reply_begin(a->call, 3);
    mp_kv_str(b, "type", JSON);
    mp_kv_strn(b, "text", (const char *)buf_data(&out), buf_len(&out));
    mp_put_str(b, "headers");
    mp_put_map(b, 2);
    mp_kv_str(b, "Access-Control-Allow-Origin", "*");
    mp_kv_str(b, "Cache-Control", "no-store");
    rpc_reply_end(a->call);
}

/* ---- POST ---- */

static bool is_empty(const char *p, size_t n) {
    static const char *const none[] = {"null", "[]"};
    static const char blanks[] = " \t\r\n";
    while (n && strchr(blanks, p[n - 1]))
        n--;
    while (n && strchr(blanks, *p)) {
        p++;
        n--;
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (n == strlen(none[i]) && memcmp(p, none[i], n) == 0)
            return true;
    return n == 0;
}

static void on_apriltag(const struct asked *a) {
    static struct json_object o;
    struct hub_source from = {.via = "http", .addr = a->addr, .time_ns = clock_wall_ns()};
    struct err e = {0};
    const char *p;
    size_t n;
    posted(a, &p, &n);
    if (ask_from_stranger(a->body, a->n))
        reply_error(a->call, 415, ask_stranger_text);
    else if (is_empty(p, n))
        reply_error(a->call, 400, "No JSON body");
    else if (json_scan(&o, p, n, &e) < 0)
        reply_error(a->call, 400, e.text);
    else if (o.n == 0)
        reply_error(a->call, 400, "No JSON body");
    else if (hub_tag_take(&o, NULL, &from, &e) < 0)
        reply_error(a->call, 400, e.text);
    else
        reply_text(a->call, 200, "{\"event\":\"apriltag_ack\",\"status\":\"received\"}\n");
}

/* The one of that name there, or the one last heard from there. Nobody may have shown a token, so
 * an address makes one camera at most, and only with a picture. */
static struct hub_camera *camera_posting(const struct asked *a, uint64_t now_ns, bool make) {
    struct hub_cameras *t = &hub.state->cameras;
    struct hub_camera *c = NULL;
    char name[HUB_NAME];
    bool made;
    if (ask_query(a->query, "camera", name, sizeof name))
        c = hub_cameras_known(t, name, a->addr);
    if (!c)
        c = hub_cameras_at(t, a->addr);
    return c || !make ? c : hub_cameras_get(t, "camera", a->addr, now_ns, &made);
}

/* A picture needs no JSON, and often no token, so any page of the internet could make the browser
 * of a user post one. Cameras are no browsers. */
static bool is_foreign(const struct asked *a) {
    bool foreign;
    return mp_get_bool(a->body, a->n, "foreign", &foreign) && foreign;
}

static void on_frame(const struct asked *a) {
    uint64_t now = clock_wall_ns();
    char text[64];
    struct err e;
    const char *p;
    size_t n;
    posted(a, &p, &n);
    if (is_foreign(a)) {
        reply_message(a->call, 403, "pages of other sites may not post pictures");
        return;
    }
    const char *fault = hub_frame_fault((const uint8_t *)p, n);
    struct hub_camera *c = n ? camera_posting(a, now, !fault) : NULL;
    if (n == 0) {
        reply_message(a->call, 400, "No data received");
    } else if (!c && fault) {
        hub.n.frames_refused++;
        reply_message(a->call, 400, "this is no picture");
    } else if (!c) {
        reply_message(a->call, 503, "too many cameras are connected");
    } else if (hub_frame_take(c, (const uint8_t *)p, n, now, &e) < 0) {
        reply_message(a->call, 400, e.text);
    } else {
        snprintf(text, sizeof text, "{\"size\":%zu,\"status\":\"success\"}\n", n);
        reply_text(a->call, 200, text);
    }
}

/* N as it came; false when it is no number. */
static bool interval_of(const struct asked *a, double *ms, struct err *e) {
    static struct json_object o;
    const char *p;
    size_t n;
    *ms = HUB_INTERVAL;
    posted(a, &p, &n);
    if (json_scan(&o, p, n, e) < 0)
        return false;
    const struct json_raw *v = json_get(&o, "interval_ms");
    if (v && !json_raw_number(v, ms)) {
        err_set(e, CAUSE_USAGE, "interval_ms: a number is wanted");
        return false;
    }
    return true;
}

static void reply_interval(struct rpc_call *call, double ms) {
    static struct buf out;
    buf_clear(&out);
    buf_puts(&out, "{\"fps\":");
    json_put_double(&out, hub_round(1000 / ms, 2));
    buf_puts(&out, ",\"interval_ms\":");
    hub_put_number(&out, ms);
    buf_puts(&out, ",\"status\":\"success\"}\n");
    reply(call, 200, (const char *)buf_data(&out), buf_len(&out));
}

static void on_interval(const struct asked *a) {
    struct err e;
    double ms;
    if (ask_from_stranger(a->body, a->n)) {
        reply_message(a->call, 400, ask_stranger_text);
    } else if (!interval_of(a, &ms, &e)) {
        reply_message(a->call, 400, e.text);
    } else if (ms < HUB_INTERVAL_MIN || ms > HUB_INTERVAL_MAX) {
        reply_message(a->call, 400, "Interval must be 100-10000ms");
    } else if (!hub_command_interval(ms)) {
        reply_message(a->call, 503, "ESP32 not connected");
    } else {
        reply_interval(a->call, ms);
    }
}

/* ---- all ---- */

static bool look(const struct asked *a, const char *op) {
    static const struct {
        const char *op;
        void (*put)(struct buf *);
    } all[] = {{"status", hub_json_status},
               {"uptime", hub_json_uptime},
               {"history", hub_json_history},
               {"cameras", hub_json_state}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(op, all[i].op) == 0) {
            on_look(a, all[i].put);
            return true;
        }
    return false;
}

void hub_http_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                      size_t n) {
    struct asked a;
    (void)ctx;
    read_asked(&a, call, body, n);
    if (look(&a, op))
        return;
    if (strcmp(op, "video_fps") == 0)
        on_video(&a, hub_json_video_fps);
    else if (strcmp(op, "video_stats") == 0)
        on_video(&a, hub_json_video_stats);
    else if (strcmp(op, "poll") == 0)
        on_poll(&a);
    else if (strcmp(op, "apriltag") == 0)
        on_apriltag(&a);
    else if (strcmp(op, "frame") == 0)
        on_frame(&a);
    else if (strcmp(op, "interval") == 0)
        on_interval(&a);
    else
        rpc_reply_error(call, "dispatch hub does not know the request \"%s\"", op);
}
