/* What our own pages get. A page opens a WebSocket on a route that puts it into the group "pages";
 * nothing is asked of it. It is sent
 *
 *   {"type": "hub", ...}    at once, when something changes (at most five times a second), and
 * every five seconds, so that it can tell a dead link; also GET, request `cameras` now_ms, version,
 * interval_ms (told to cameras last, or null) status    as GET /status             history   as GET
 * /connection_history uptime    as GET /connection_uptime cameras   [{id, name, address, via,
 * connections, since_ms, heard_ms, tags, tags_refused, tag_ms, tag_rate (a second), hub_us_p50,
 * _p99, _max (arrival to leaving for the games), delay_ms, delay_ms_max (on top of its fastest
 * message), frame_ms, frame_bytes, frames_refused, video: as GET /video_stats}] id is the picture's
 * name in the routes of images: /cameras/ID.jpg
 *   {"type": "tags", "tags": [{camera, via, at_ms, hub_us, delay_ms, tag}]}
 *                           at most 25 times a second: the newest detection of each camera that
 * sent one; tag is the very object that games get
 *
 * It may say {"type": "hello"}, and is sent the first again.
 */
#include <string.h>

#include "hub.h"
#include "json.h"
#include "pace.h"
#include "pages.h"

/* ALONE: states a second for single pages; who comes when there were so many gets it with all
 * others.
 */
enum { TAGS_MS = 40, ALONE = 50 };

static uv_timer_t tags_timer;
static bool tagged, is_new[HUB_CAMERAS];

/* ---- sending ---- */

/* to: a client, or 0 for every page. */
static void send_state(uint64_t to) {
    static struct buf text;
    buf_clear(&text);
    hub_json_state(&text);
    pages_send(hub.st, "hub.page", to, "pages", &text, 0);
}

static void put_tag(struct buf *out, const struct hub_camera *c) {
    buf_puts(out, "{\"camera\":");
    json_put_str(out, c->id, strlen(c->id));
    buf_printf(out, ",\"via\":\"%s\",\"at_ms\":%llu,\"hub_us\":%llu,\"delay_ms\":", c->via,
               (unsigned long long)(c->tag_ns / 1000000u), (unsigned long long)c->tag_us);
    if (c->delay.known)
        json_put_double(out, hub_round(c->delay.last_ms, 1));
    else
        buf_puts(out, "null");
    buf_puts(out, ",\"tag\":");
    buf_put(out, hub_cameras_latest(&hub.state->cameras, c), c->latest_len);
    buf_putc(out, '}');
}

static void send_tags(void) {
    static struct buf text;
    bool first = true;
    buf_clear(&text);
    buf_puts(&text, "{\"type\":\"tags\",\"tags\":[");
    for (size_t i = 0; i < HUB_CAMERAS; i++) {
        const struct hub_camera *c = &hub.state->cameras.camera[i];
        if (is_new[i] && c->id[0]) {
            buf_puts(&text, first ? "" : ",");
            put_tag(&text, c);
            first = false;
        }
        is_new[i] = false;
    }
    buf_puts(&text, "]}");
    if (!first)
        pages_send(hub.st, "hub.page", 0, "pages", &text, 0);
}

/* ---- when ---- */

static bool somebody_looks(void) {
    return hub.state->peers.accepted[HUB_PAGE] > 0;
}

static void tell(void) {
    send_state(0);
}

static struct pace pace = {
    .change_ms = 30, .apart_ms = 200, .heartbeat_ms = 5000, .tell = tell, .wanted = somebody_looks};

static void on_tags_timer(uv_timer_t *t) {
    (void)t;
    tagged = false;
    if (somebody_looks())
        send_tags();
}

void hub_page_changed(void) {
    pace_changed(&pace);
}

void hub_page_tag(const struct hub_camera *c) {
    if (!somebody_looks())
        return;
    is_new[hub_cameras_index(&hub.state->cameras, c)] = true;
    if (!tagged)
        uv_timer_start(&tags_timer, on_tags_timer, TAGS_MS, 0);
    tagged = true;
    hub_page_changed();
}

static bool may_send_alone(uint64_t now_ms) {
    static uint64_t since_ms, sent;
    if (now_ms - since_ms >= 1000) {
        since_ms = now_ms;
        sent = 0;
    }
    return sent++ < ALONE;
}

static void answer(uint64_t client) {
    if (may_send_alone(uv_now(&hub.st->loop))) {
        send_state(client);
        return;
    }
    hub.n.pages_deferred++;
    hub_page_changed();
}

void hub_page_joined(uint64_t client) {
    answer(client);
    hub_page_changed();
}

void hub_page_text(uint64_t client, const char *text, size_t n) {
    static struct json_object o;
    char type[16];
    hub.n.page_texts++;
    if (json_scan(&o, text, n, NULL) == 0 &&
        json_raw_text(json_get(&o, "type"), type, sizeof type) && strcmp(type, "hello") == 0)
        answer(client);
    else
        hub.n.bad_texts++;
}

void hub_page_open(uv_loop_t *loop) {
    pace_open(&pace, loop);
    uv_timer_init(loop, &tags_timer);
}

void hub_page_close(void) {
    pace_close(&pace);
    uv_close((uv_handle_t *)&tags_timer, NULL);
}
