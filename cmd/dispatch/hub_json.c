/* What the hub knows, as JSON. The keys of the protocol with their types come compact and sorted,
 * as clients of the older hub know them; ours stand among them.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hub.h"
#include "json.h"

static const double NS = 1e9;

/* One map, written by `put`, as a line of JSON. */
static void line(struct buf *out, void (*put)(struct buf *)) {
    static struct buf map;
    buf_clear(&map);
    put(&map);
    struct mp_cursor at = {buf_data(&map), buf_data(&map) + buf_len(&map)};
    json_from_mp(out, &at, NULL);
    buf_putc(out, '\n');
}

static double now_s(void) {
    return (double)(clock_wall_ns() / 1000) / 1e6;
}

static uint64_t seconds_since(uint64_t ns) {
    uint64_t now = clock_wall_ns();
    return now > ns ? (now - ns) / 1000000000u : 0;
}

/* ---- /status ---- */

static void put_detections(struct buf *b) {
    mp_put_str(b, "detections");
    mp_put_map(b, 4);
    mp_kv_uint(b, "forwarded", hub.state->events);
    mp_kv_uint(b, "http", hub.state->http_events);
    mp_kv_uint(b, "refused", hub.n.tags_refused);
    mp_kv_uint(b, "udp", hub.state->udp_events);
}

static void put_status(struct buf *b) {
    const struct hub_peers *p = &hub.state->peers;
    mp_put_map(b, 6);
    put_detections(b);
    mp_kv_uint(b, "frames", hub.n.frames);
    mp_kv_str(b, "protocol", "websockets_async");
    mp_kv_str(b, "server", "online");
    mp_kv_uint(b, "uptime_seconds", seconds_since(hub.state->started_ns));
    mp_put_str(b, "websocket");
    mp_put_map(b, 5);
    mp_kv_uint(b, "active_connections", p->n - p->accepted[HUB_PAGE]);
    mp_kv_uint(b, "cameras", p->accepted[HUB_CAMERA]);
    mp_kv_bool(b, "esp32_connected", p->accepted[HUB_CAMERA] > 0);
    mp_kv_uint(b, "gdevelop_clients", p->accepted[HUB_GAME]);
    mp_kv_uint(b, "pages", p->accepted[HUB_PAGE]);
}

void hub_json_status(struct buf *out) {
    line(out, put_status);
}

/* ---- /video_fps, /video_stats ---- */

/* Asked about: one camera, or none that ever sent a picture. */
static const struct hub_camera *asked;
static const struct hub_video no_video;

static const struct hub_video *video(void) {
    return asked ? &asked->video : &no_video;
}

static void put_resolution(struct buf *b) {
    char text[32] = "Unknown";
    if (video()->width)
        snprintf(text, sizeof text, "%ux%u", video()->width, video()->height);
    mp_kv_str(b, "resolution", text);
}

static void put_video_fps(struct buf *b) {
    struct hub_figures f;
    hub_video_figures(video(), now_s(), &f);
    double target = hub_round(f.target_fps, 1);
    mp_put_map(b, 7);
    mp_kv_str(b, "camera", asked ? asked->id : NULL);
    mp_kv_double(b, "fps", hub_round(f.fps, 2));
    mp_kv_uint(b, "height", video()->height);
    mp_kv_uint(b, "interval_ms", target > 0 ? (uint64_t)(1000 / target) : 0);
    put_resolution(b);
    mp_kv_double(b, "target_fps", target);
    mp_kv_uint(b, "width", video()->width);
}

enum { FIGURE_KEYS = 24 };

/* In the order of their names, from avg_fps to width. */
static void put_figures(struct buf *b, const struct hub_figures *f, uint64_t dropped) {
    mp_kv_double(b, "avg_fps", hub_round(f->avg_fps, 3));
    mp_kv_double(b, "avg_interval", hub_round(f->avg_interval, 3));
    mp_kv_double(b, "avg_processing", hub_round(f->avg_processing, 2));
    mp_kv_uint(b, "avg_size", (uint64_t)f->avg_size);
    mp_kv_str(b, "camera", asked ? asked->id : NULL);
    mp_kv_double(b, "current_fps", hub_round(f->fps, 2));
    mp_kv_uint(b, "dropped_frames", dropped);
    mp_kv_double(b, "efficiency", hub_round(f->efficiency, 1));
    mp_kv_uint(b, "height", video()->height);
    mp_kv_double(b, "jitter", hub_round(f->jitter, 3));
    mp_kv_uint(b, "late_frames", video()->late);
    mp_kv_uint(b, "lost_frames", video()->lost);
    mp_kv_double(b, "max_interval", hub_round(f->max_interval, 3));
    mp_kv_double(b, "max_processing", hub_round(f->max_processing, 2));
    mp_kv_uint(b, "max_size", (uint64_t)f->max_size);
    mp_kv_double(b, "min_interval", hub_round(f->min_interval, 3));
    mp_kv_uint(b, "min_size", (uint64_t)f->min_size);
    mp_kv_str(b, "recommendation", f->recommendation);
    put_resolution(b);
    mp_kv_bool(b, "steady", f->steady);
    mp_kv_double(b, "target_fps", hub_round(f->target_fps, 1));
    mp_kv_uint(b, "total_frames", f->waiting ? 0 : video()->frames);
    mp_kv_bool(b, "waiting", f->waiting);
    mp_kv_uint(b, "width", video()->width);
}

static void put_video_stats(struct buf *b) {
    struct hub_figures f;
    hub_video_figures(video(), now_s(), &f);
    mp_put_map(b, FIGURE_KEYS);
    put_figures(b, &f, asked ? asked->frames_refused : 0);
}

void hub_json_video_fps(struct buf *out, const struct hub_camera *c) {
    asked = c;
    line(out, put_video_fps);
}

void hub_json_video_stats(struct buf *out, const struct hub_camera *c) {
    asked = c;
    line(out, put_video_stats);
}

/* ---- /connection_uptime, /connection_history ---- */

/* Leading units that are zero are left out, seconds are always there. */
static void uptime_text(uint64_t s, char *out, size_t size) {
    const unsigned d = (unsigned)(s / 86400), h = (unsigned)(s / 3600 % 24),
                   m = (unsigned)(s / 60 % 60);
    int n = 0;
    out[0] = 0;
    if (d)
        n += snprintf(out + n, size - (size_t)n, "%ud ", d);
    if (d || h)
        n += snprintf(out + n, size - (size_t)n, "%uh ", h);
    if (d || h || m)
        n += snprintf(out + n, size - (size_t)n, "%um ", m);
    snprintf(out + n, size - (size_t)n, "%us", (unsigned)(s % 60));
}

static void put_uptime(struct buf *b) {
    uint64_t since = hub_history_since(&hub.state->history, -1);
    uint64_t s = since ? seconds_since(since) : 0;
    char text[64] = "Not connected";
    if (since)
        uptime_text(s, text, sizeof text);
    mp_put_map(b, 7);
    mp_kv_bool(b, "connected", since != 0);
    mp_kv_uint(b, "days", s / 86400);
    mp_kv_uint(b, "hours", s / 3600 % 24);
    mp_kv_uint(b, "minutes", s / 60 % 60);
    mp_kv_uint(b, "seconds", s % 60);
    mp_kv_str(b, "uptime_formatted", text);
    mp_kv_uint(b, "uptime_seconds", s);
}

void hub_json_uptime(struct buf *out) {
    line(out, put_uptime);
}

static void put_time(struct buf *b, const char *key, uint64_t ns) {
    char text[32];
    struct tm tm;
    time_t t = (time_t)(ns / 1000000000u);
    localtime_r(&t, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    mp_kv_str(b, key, text);
}

static void put_duration(struct buf *b, uint64_t from_ns, uint64_t to_ns) {
    char text[40];
    uint64_t s = to_ns > from_ns ? (to_ns - from_ns) / 1000000000u : 0;
    snprintf(text, sizeof text, "%llum %llus", (unsigned long long)(s / 60),
             (unsigned long long)(s % 60));
    mp_kv_str(b, "duration_formatted", text);
    mp_kv_uint(b, "duration_seconds", s);
}

/* An open one lacks its end. */
static void put_session(struct buf *b, const struct hub_session *s, bool open) {
    mp_put_map(b, open ? 7 : 9);
    mp_kv_str(b, "address", s->addr);
    mp_kv_str(b, "camera", s->name);
    put_time(b, "connect_time", s->began_ns);
    mp_kv_double(b, "connect_timestamp", (double)s->began_ns / NS);
    if (!open) {
        put_time(b, "disconnect_time", s->ended_ns);
        mp_kv_double(b, "disconnect_timestamp", (double)s->ended_ns / NS);
    }
    put_duration(b, s->began_ns, open ? clock_wall_ns() : s->ended_ns);
    mp_kv_str(b, "status", open ? "connected" : "disconnected");
}

static void put_open(struct buf *b, const struct hub_history *h) {
    uint32_t n = 0;
    for (size_t i = 0; i < HUB_OPEN; i++)
        n += h->open[i].number != 0;
    mp_put_str(b, "open_sessions");
    mp_put_array(b, n);
    for (size_t i = 0; i < HUB_OPEN; i++)
        if (h->open[i].number)
            put_session(b, &h->open[i], true);
}

void hub_json_put_history(struct buf *b) {
    const struct hub_history *h = &hub.state->history;
    mp_put_map(b, 4);
    put_open(b, h);
    put_time(b, "server_start_time", hub.state->started_ns);
    mp_put_str(b, "sessions");
    mp_put_array(b, h->ended_n);
    for (uint32_t i = 0; i < h->ended_n; i++)
        put_session(b, &h->ended[i], false);
    mp_kv_uint(b, "total_sessions", h->ended_n);
}

void hub_json_history(struct buf *out) {
    line(out, hub_json_put_history);
}

/* ---- for our own pages ---- */

/* Milliseconds, because a browser's numbers have 53 bits; nil for never. */
static void put_ms(struct buf *b, const char *key, uint64_t ns) {
    if (ns)
        mp_kv_uint(b, key, ns / 1000000u);
    else
        mp_kv_nil(b, key);
}

enum { CAMERA_KEYS = 20 };

static void put_tags(struct buf *b, const struct hub_camera *c) {
    mp_kv_uint(b, "tags", c->tags);
    mp_kv_uint(b, "tags_refused", c->refused);
    put_ms(b, "tag_ms", c->tag_ns);
    mp_kv_double(b, "tag_rate", hub_round(hub_camera_tag_rate(c, now_s()), 2));
    mp_kv_uint(b, "hub_us_p50", hist_quantile(&c->hub, 0.5));
    mp_kv_uint(b, "hub_us_p99", hist_quantile(&c->hub, 0.99));
    mp_kv_uint(b, "hub_us_max", c->hub.max_us);
    if (c->delay.known)
        mp_kv_double(b, "delay_ms", hub_round(c->delay.last_ms, 1));
    else
        mp_kv_nil(b, "delay_ms");
    mp_kv_double(b, "delay_ms_max", hub_round(c->delay.worst_ms, 1));
}

static void put_camera(struct buf *b, const struct hub_camera *c) {
    int index = (int)hub_cameras_index(&hub.state->cameras, c);
    mp_put_map(b, CAMERA_KEYS);
    mp_kv_str(b, "id", c->id);
    mp_kv_str(b, "name", c->name);
    mp_kv_str(b, "address", c->addr);
    mp_kv_str(b, "via", c->via[0] ? c->via : NULL);
    mp_kv_uint(b, "connections", c->connections);
    put_ms(b, "since_ms", hub_history_since(&hub.state->history, index));
    put_ms(b, "heard_ms", c->heard_ns);
    put_tags(b, c);
    put_ms(b, "frame_ms", c->frame_ns);
    mp_kv_uint(b, "frame_bytes", c->frame_bytes);
    mp_kv_uint(b, "frames_refused", c->frames_refused);
    asked = c;
    mp_put_str(b, "video");
    put_video_stats(b);
}

static void put_state(struct buf *b) {
    const struct hub_cameras *t = &hub.state->cameras;
    mp_put_map(b, 9);
    mp_kv_str(b, "type", "hub");
    put_ms(b, "now_ms", clock_wall_ns());
    mp_kv_str(b, "version", TAPLINE_VERSION);
    if (hub.state->interval_ms)
        mp_kv_uint(b, "interval_ms", hub.state->interval_ms);
    else
        mp_kv_nil(b, "interval_ms");
    hub_engines_put(b);
    mp_put_str(b, "status");
    put_status(b);
    mp_put_str(b, "uptime");
    put_uptime(b);
    mp_put_str(b, "history");
    hub_json_put_history(b);
    mp_put_str(b, "cameras");
    mp_put_array(b, (uint32_t)hub_cameras_count(t));
    for (const struct hub_camera *c = t->camera; c < t->camera + HUB_CAMERAS; c++)
        if (c->id[0])
            put_camera(b, c);
}

void hub_json_state(struct buf *out) {
    line(out, put_state);
}
