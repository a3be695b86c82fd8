#include "hub_camera.h"

#include <math.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

#include "hub_draw.h"
#include "hub_jpeg.h"
#include "json_scan.h"
#include "log.h"

enum {
    END_MS = 5000,    /* how long the last acknowledgements are waited for */
    TURN = 64,        /* detections in one turn of the loop */
    BEHIND_MS = 1000, /* a schedule that is later than this begins anew */
    INTERVAL_MIN = 100,
    INTERVAL_MAX = 10000
};

static const char FRAME_PATH[] = "/client_e32__http_post_to_serverhub__smartcam_video_stream";

static struct buf text, image; /* used up within one call */

/* ---- telling what happens ---- */

static void tell(const struct hub_camera *c, const char *state, const char *reason) {
    struct buf *b = stage_begin(c->plan->st, "sim.camera", 0, 3);
    mp_kv_str(b, "camera", c->name);
    mp_kv_str(b, "state", state);
    mp_kv_str(b, "reason", reason);
    stage_end(c->plan->st);
}

static void tell_tag(const struct hub_camera *c, unsigned id) {
    if (!pub_wanted(&c->plan->st->pub))
        return;
    struct buf *b = stage_begin(c->plan->st, "sim.tag", 0, 4);
    mp_kv_str(b, "camera", c->name);
    mp_kv_uint(b, "tag_id", id);
    mp_kv_uint(b, "number", c->seq);
    mp_kv_strn(b, "text", (const char *)buf_data(&text), buf_len(&text));
    stage_end(c->plan->st);
}

static void tell_picture(const struct hub_camera *c) {
    struct sha256_ctx sum;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[2 * SHA256_DIGEST_SIZE + 1];
    if (!pub_wanted(&c->plan->st->pub))
        return;
    sha256_init(&sum);
    sha256_update(&sum, buf_len(&image), buf_data(&image));
    sha256_digest(&sum, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    struct buf *b = stage_begin(c->plan->st, "sim.frame", 0, 6);
    mp_kv_str(b, "camera", c->name);
    mp_kv_uint(b, "number", c->pictures);
    mp_kv_uint(b, "bytes", buf_len(&image));
    mp_kv_uint(b, "width", c->plan->width);
    mp_kv_uint(b, "height", c->plan->height);
    mp_kv_str(b, "sha256", hex);
    stage_end(c->plan->st);
}

/* ---- acknowledgements ---- */

static bool sent_all(const struct hub_camera *c) {
    return c->plan->ending || (c->plan->count && c->seq >= c->plan->count);
}

static void check_done(struct hub_camera *c) {
    if (c->done || !sent_all(c) || c->ack_n)
        return;
    c->done = true;
    uv_timer_stop(&c->end_timer);
    c->plan->on_done();
}

static void expect_ack(struct hub_camera *c) {
    if (c->ack_n == HUB_UNACKED) {
        c->ack_at = (c->ack_at + 1) % HUB_UNACKED;
        c->ack_n--;
        c->plan->unanswered++;
    }
    c->sent_ns[(c->ack_at + c->ack_n++) % HUB_UNACKED] = clock_mono_ns();
}

/* They come in the order of the detections. */
static uint64_t take_sent(struct hub_camera *c) {
    uint64_t ns = c->sent_ns[c->ack_at];
    c->ack_at = (c->ack_at + 1) % HUB_UNACKED;
    c->ack_n--;
    return ns;
}

static void acked(struct hub_camera *c, bool taken) {
    if (c->ack_n == 0)
        return; /* later than waited for */
    uint64_t sent = take_sent(c);
    if (taken) {
        c->plan->acked++;
        hist_add(&c->plan->ack, clock_mono_ns() - sent);
    } else {
        c->plan->refused++;
    }
    check_done(c);
}

static void forget_acks(struct hub_camera *c, uint64_t older_than_ns) {
    while (c->ack_n && c->sent_ns[c->ack_at] < older_than_ns) {
        take_sent(c);
        c->plan->unanswered++;
    }
    check_done(c);
}

static void on_end(uv_timer_t *t) {
    forget_acks(t->data, UINT64_MAX);
}

/* ---- detections ---- */

static uint32_t uptime_ms(const struct hub_camera *c) {
    return (uint32_t)uv_now(&c->plan->st->loop);
}

/* The firmware's fields in its order, then ours, by which simulated games tell what was lost and
 * how late it is. */
static void put_tag(struct hub_camera *c, unsigned id, const struct hub_pose *pose) {
    bool event = c->plan->url.scheme == HUB_WS;
    buf_clear(&text);
    buf_puts(&text, event ? "{\"event\":\"apriltag_data\"," : "{");
    hub_path_put(&text, pose, id, &c->luck);
    buf_printf(&text, ",\"timestamp\":%u,\"camera_name\":\"%s\",\"smartcam_ip\":\"%s\"",
               uptime_ms(c), c->name, c->plan->self);
    if (!c->plan->plain)
        buf_printf(&text, ",\"sim_run\":%llu,\"sim_seq\":%llu,\"sim_us\":%llu",
                   (unsigned long long)c->run, (unsigned long long)c->seq,
                   (unsigned long long)(clock_wall_ns() / 1000));
    buf_putc(&text, '}');
}

/* Whether another one may go now. */
static bool has_room(const struct hub_camera *c) {
    if (c->plan->url.scheme == HUB_HTTP)
        return !c->tag_post.busy;
    return c->plan->url.scheme == HUB_UDP || hub_tcp_waiting(&c->ws.tcp) < HUB_WAITING;
}

static void send_udp(struct hub_camera *c) {
    static struct log_limit limit;
    uv_buf_t b = uv_buf_init((char *)buf_data(&text), (unsigned)buf_len(&text));
    forget_acks(c, clock_mono_ns() - HUB_UDP_ACK_MS * 1000000ull);
    int r = uv_udp_try_send(&c->udp, &b, 1, (const struct sockaddr *)&c->plan->url.addr);
    if (r >= 0)
        return;
    log_limited(&limit, LOG_WARN, "cannot send to %s: %s", c->plan->url.authority, uv_strerror(r));
}

static void send_tag(struct hub_camera *c) {
    struct hub_pose pose;
    if (!has_room(c)) {
        c->plan->skipped++;
        return;
    }
    hub_path_at(&pose, (double)clock_mono_ns() / 1e9, c->number, c->plan->tags);
    unsigned id = hub_path_tag(&pose, c->plan->tags);
    c->seq++;
    c->plan->sent++;
    put_tag(c, id, &pose);
    expect_ack(c);
    if (c->plan->url.scheme == HUB_WS)
        hub_ws_text(&c->ws, buf_data(&text), buf_len(&text));
    else if (c->plan->url.scheme == HUB_HTTP)
        hub_post_send(&c->tag_post,
                      strcmp(c->plan->url.path, "/") ? c->plan->url.path : "/apriltag",
                      "application/json", buf_data(&text), buf_len(&text));
    else
        send_udp(c);
    tell_tag(c, id);
}

/* However fast it must be, the timer comes at most once a millisecond. */
static void on_tag_due(uv_timer_t *t) {
    struct hub_camera *c = t->data;
    uint64_t now = clock_mono_ns(), step = (uint64_t)(1e9 / c->plan->rate);
    if (now > c->due_ns + BEHIND_MS * 1000000ull)
        c->due_ns = now;
    for (int i = 0; i < TURN && c->accepted && c->due_ns <= now && !sent_all(c); i++) {
        send_tag(c);
        c->due_ns += step;
    }
    if (!c->accepted)
        return;
    uv_update_time(t->loop);
    if (sent_all(c))
        uv_timer_start(&c->end_timer, on_end, END_MS, 0);
    else
        uv_timer_start(t, on_tag_due, c->due_ns > now ? (c->due_ns - now + 999999) / 1000000 : 0,
                       0);
}

/* ---- pictures ---- */

static void draw(struct hub_camera *c) {
    static uint8_t grey[HUB_JPEG_SIDE * HUB_JPEG_SIDE];
    const struct hub_plan *p = c->plan;
    struct hub_pose pose;
    char comment[HUB_NAME + 32];
    hub_path_at(&pose, (double)clock_mono_ns() / 1e9, c->number, p->tags);
    hub_draw(grey, p->width, p->height, &pose, p->tags, p->noise, &c->luck);
    snprintf(comment, sizeof comment, "%s %llu", c->name, (unsigned long long)c->pictures);
    buf_clear(&image);
    hub_jpeg_put(&image, grey, p->width, p->height, p->quality, comment);
}

static void send_picture(struct hub_camera *c) {
    struct hub_plan *p = c->plan;
    char path[HUB_NAME + sizeof FRAME_PATH + 16];
    bool room = p->pictures_by_post ? !c->picture_post.busy
                                    : hub_tcp_waiting(&c->ws.tcp) < HUB_WAITING_FRAME;
    if (!room) {
        p->pictures_skipped++;
        return;
    }
    c->pictures++;
    draw(c);
    p->pictures++;
    p->picture_bytes += buf_len(&image);
    snprintf(path, sizeof path, "%s?camera=%s", FRAME_PATH, c->name);
    if (p->pictures_by_post)
        hub_post_send(&c->picture_post, path, "image/jpeg", buf_data(&image), buf_len(&image));
    else
        hub_ws_binary(&c->ws, buf_data(&image), buf_len(&image));
    tell_picture(c);
}

static void on_picture_due(uv_timer_t *t) {
    send_picture(t->data);
}

/* ---- starting and stopping to send ---- */

static void start_sending(struct hub_camera *c) {
    c->accepted = true;
    c->plan->accepted++;
    c->due_ns = clock_mono_ns();
    tell(c, "accepted", "");
    if (c->plan->rate > 0 && !sent_all(c))
        uv_timer_start(&c->tag_timer, on_tag_due, 0, 0);
    if (c->picture_ms)
        uv_timer_start(&c->picture_timer, on_picture_due, 0, c->picture_ms);
}

static void stop_sending(struct hub_camera *c) {
    c->plan->accepted -= c->accepted;
    c->accepted = false;
    uv_timer_stop(&c->tag_timer);
    uv_timer_stop(&c->picture_timer);
    forget_acks(c, UINT64_MAX);
}

/* ---- WebSocket ---- */

static void on_open(void *ctx) {
    struct hub_camera *c = ctx;
    c->plan->connected++;
    tell(c, "connected", "");
    buf_clear(&text);
    buf_printf(&text,
               "{\"event\":\"identify\",\"data\":{\"type\":\"esp32\",\"device\":\"tapline devsim\","
               "\"camera_name\":\"%s\"",
               c->name);
    if (*c->plan->token)
        buf_printf(&text, ",\"auth_token\":\"%s\"", c->plan->token);
    buf_puts(&text, "}}");
    hub_ws_text(&c->ws, buf_data(&text), buf_len(&text));
    buf_clear(&text);
}

static void on_closed(void *ctx, const char *why) {
    static struct log_limit limit;
    struct hub_camera *c = ctx;
    c->plan->connected -= c->ws.was_open;
    c->plan->lost++;
    log_limited(&limit, LOG_WARN, "%s: %s: %s (again in %.1f s)", c->name, c->plan->url.authority,
                why, (double)c->plan->retry_ms / 1000);
    stop_sending(c);
    tell(c, "closed", why);
}

static void on_interval(struct hub_camera *c, const struct json_object *o) {
    double ms;
    if (!json_raw_number(json_get(o, "interval_ms"), &ms) || ms < INTERVAL_MIN || ms > INTERVAL_MAX)
        return;
    c->picture_ms = (uint64_t)ms;
    if (uv_is_active((uv_handle_t *)&c->picture_timer))
        uv_timer_start(&c->picture_timer, on_picture_due, c->picture_ms, c->picture_ms);
    struct buf *b = stage_begin(c->plan->st, "sim.interval", 0, 2);
    mp_kv_str(b, "camera", c->name);
    mp_kv_uint(b, "interval_ms", c->picture_ms);
    stage_end(c->plan->st);
}

static void on_refused(struct hub_camera *c, const struct json_object *o) {
    static struct log_limit limit;
    char why[80] = "?";
    json_raw_text(json_get(o, "error"), why, sizeof why);
    log_limited(&limit, LOG_WARN, "%s: the hub refuses us: %s", c->name, why);
    tell(c, "refused", why);
}

static void on_error(struct hub_camera *c, const struct json_object *o) {
    static struct log_limit limit;
    char why[200] = "?";
    json_raw_text(json_get(o, "message"), why, sizeof why);
    log_limited(&limit, LOG_WARN, "%s: the hub says: %s", c->name, why);
    if (strncmp(why, "picture", 7) == 0)
        c->plan->pictures_refused++;
    else
        acked(c, false);
}

static void on_text(void *ctx, const char *p, size_t n) {
    static struct json_object o;
    struct hub_camera *c = ctx;
    char event[32];
    if (json_scan(&o, p, n, NULL) < 0 || !json_raw_text(json_get(&o, "event"), event, sizeof event))
        return;
    if (strcmp(event, "apriltag_ack") == 0)
        acked(c, true);
    else if (strcmp(event, "identify_success") == 0 && !c->accepted)
        start_sending(c);
    else if (strcmp(event, "auth_failed") == 0)
        on_refused(c, &o);
    else if (strcmp(event, "set_video_interval") == 0)
        on_interval(c, &o);
    else if (strcmp(event, "error") == 0)
        on_error(c, &o);
}

/* ---- HTTP and UDP ---- */

static void complain(struct log_limit *limit, const struct hub_camera *c, const char *what,
                     unsigned status, const char *why) {
    if (status)
        log_limited(limit, LOG_WARN, "%s: %s refused with status %u", c->name, what, status);
    else
        log_limited(limit, LOG_WARN, "%s: %s not taken: %s", c->name, what, why);
}

static void on_tag_answer(void *ctx, unsigned status, const char *why) {
    static struct log_limit limit;
    struct hub_camera *c = ctx;
    if (status != 200)
        complain(&limit, c, "detection", status, why);
    acked(c, status == 200);
}

static void on_picture_answer(void *ctx, unsigned status, const char *why) {
    static struct log_limit limit;
    struct hub_camera *c = ctx;
    if (status == 200)
        return;
    c->plan->pictures_refused++;
    complain(&limit, c, "picture", status, why);
}

static void give_memory(uv_handle_t *h, size_t n, uv_buf_t *b) {
    static char mem[2048];
    (void)h;
    (void)n;
    *b = uv_buf_init(mem, sizeof mem);
}

static void on_datagram(uv_udp_t *u, ssize_t n, const uv_buf_t *b, const struct sockaddr *from,
                        unsigned flags) {
    static struct json_object o;
    char event[32];
    (void)flags;
    if (n > 0 && from && json_scan(&o, b->base, (size_t)n, NULL) == 0 &&
        json_raw_text(json_get(&o, "event"), event, sizeof event) &&
        strcmp(event, "apriltag_ack") == 0)
        acked(u->data, true);
}

/* ---- life ---- */

static void start_ws(struct hub_camera *c) {
    c->ws.url = &c->plan->url;
    c->ws.camera = true;
    c->ws.retry_ms = c->plan->retry_ms;
    c->ws.on_open = on_open;
    c->ws.on_text = on_text;
    c->ws.on_closed = on_closed;
    c->ws.ctx = c;
    hub_ws_start(&c->ws, &c->plan->st->loop, 0);
}

static void init_post(struct hub_camera *c, struct hub_post *p, const struct hub_url *url,
                      void (*on_answer)(void *ctx, unsigned status, const char *why)) {
    p->url = url;
    p->token = c->plan->token;
    p->on_answer = on_answer;
    p->ctx = c;
    hub_post_init(p, &c->plan->st->loop);
}

static void init_timer(struct hub_camera *c, uv_timer_t *t) {
    uv_timer_init(&c->plan->st->loop, t);
    t->data = c;
}

void hub_camera_start(struct hub_camera *c, struct hub_plan *p, const char *name, unsigned number,
                      uint64_t seed) {
    c->plan = p;
    c->number = number;
    snprintf(c->name, sizeof c->name, "%s", name);
    c->luck.state = seed;
    c->run = chance_next(&c->luck);
    c->picture_ms = p->picture_ms;
    init_timer(c, &c->tag_timer);
    init_timer(c, &c->picture_timer);
    init_timer(c, &c->end_timer);
    uv_udp_init(&p->st->loop, &c->udp);
    c->udp.data = c;
    if (p->url.scheme == HUB_HTTP)
        init_post(c, &c->tag_post, &p->url, on_tag_answer);
    if (p->pictures_by_post)
        init_post(c, &c->picture_post, &p->picture_url, on_picture_answer);
    if (p->url.scheme == HUB_WS)
        start_ws(c);
    else
        start_sending(c);
    if (p->url.scheme != HUB_UDP)
        return;
    struct sockaddr_storage any = {.ss_family = p->url.addr.ss_family};
    uv_udp_bind(&c->udp, (struct sockaddr *)&any, 0);
    uv_udp_recv_start(&c->udp, give_memory, on_datagram);
}

void hub_camera_end(struct hub_camera *c) {
    uv_timer_stop(&c->tag_timer);
    uv_timer_stop(&c->picture_timer);
    check_done(c);
}

void hub_camera_stop(struct hub_camera *c) {
    if (!c->plan)
        return;
    hub_ws_stop(&c->ws);
    hub_post_close(&c->tag_post);
    hub_post_close(&c->picture_post);
    uv_close((uv_handle_t *)&c->tag_timer, NULL);
    uv_close((uv_handle_t *)&c->picture_timer, NULL);
    uv_close((uv_handle_t *)&c->end_timer, NULL);
    uv_close((uv_handle_t *)&c->udp, NULL);
}

void hub_camera_free(struct hub_camera *c) {
    hub_ws_free(&c->ws);
    hub_post_free(&c->tag_post);
    hub_post_free(&c->picture_post);
    buf_free(&text);
    buf_free(&image);
}
