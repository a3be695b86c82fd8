/* The rules of the tag hub (lib/codec/hub.md): cameras that have shown the token send detections
 * and pictures, every game gets every detection, nothing goes anywhere else.
 */
#include "hub.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "log.h"
#include "statefile.h"

/* Of what lies in the state file: another number, another layout. */
enum { STATE_VERSION = 2 };

struct hub_rules hub;

static const struct opt options[] = {
    {"token-file", 0, OPT_TEXT, &hub.opt.token_file, "FILE",
     "whose first line is the token that cameras must show; without it the environment's "
     "AUTH_TOKEN",
     0, 0},
    {"open", 0, OPT_FLAG, &hub.opt.open, NULL,
     "start without a token: then whoever says so is a camera", 0, 0},
    {"history", 0, OPT_TEXT, &hub.opt.history_file, "FILE",
     "keep the history of connections there, so that it survives the pipeline", 0, 0},
    {"engines", 0, OPT_TEXT, &hub.opt.engines, "ENDPOINT",
     "of wsfanout, which is asked how long detections take to the games, and after a crash who is "
     "still connected",
     0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

/* ---- saying ---- */

static void say(uint64_t client, const char *group, const char *text, size_t n) {
    struct buf *b = stage_begin(hub.st, "hub.say", 0, 2);
    if (client)
        mp_kv_uint(b, "to", client);
    else
        mp_kv_str(b, "to", group);
    mp_kv_strn(b, "text", text, n);
    stage_end(hub.st);
}

void hub_say(uint64_t client, const char *text, size_t n) {
    say(client, NULL, text, n);
}

void hub_say_text(uint64_t client, const char *text) {
    hub_say(client, text, strlen(text));
}

void hub_put_number(struct buf *out, double v) {
    if (v == floor(v) && fabs(v) < 1e15)
        json_put_int(out, (int64_t)v);
    else
        json_put_double(out, v);
}

bool hub_command_interval(double ms) {
    static struct buf text;
    struct hub_cameras *t = &hub.state->cameras;
    if (hub.state->peers.accepted[HUB_CAMERA] == 0)
        return false;
    buf_clear(&text);
    buf_puts(&text, "{\"event\": \"set_video_interval\", \"interval_ms\": ");
    hub_put_number(&text, ms);
    buf_putc(&text, '}');
    say(0, "cameras", (const char *)buf_data(&text), buf_len(&text));
    for (size_t i = 0; i < HUB_CAMERAS; i++)
        if (t->camera[i].connections)
            hub_video_changed(&t->camera[i].video);
    hub.state->interval_ms = (uint64_t)ms;
    log_info("cameras are told to send a picture every %.0f ms", ms);
    hub_page_changed();
    return true;
}

/* ---- what comes in ---- */

void hub_counts_changed(void) {
    const struct hub_peers *p = &hub.state->peers;
    hub.n.connections = p->n;
    hub.n.cameras = p->accepted[HUB_CAMERA];
    hub.n.games = p->accepted[HUB_GAME];
    hub.n.pages = p->accepted[HUB_PAGE];
    hub_page_changed();
}

static void on_clients(const struct msg *m) {
    uint64_t count;
    if (mp_get_uint(m->body, m->body_len, "count", &count) && count == 0)
        hub_ws_nobody();
}

static void on_msg(void *ctx, const struct msg *m) {
    (void)ctx;
    if (msg_is(m, "ws.text"))
        hub_ws_text(m);
    else if (msg_is(m, "ws.binary"))
        hub_ws_binary(m);
    else if (msg_is(m, "ws.open"))
        hub_ws_open(m);
    else if (msg_is(m, "ws.closed"))
        hub_ws_closed(m);
    else if (msg_is(m, "ws.clients"))
        on_clients(m);
    else if (msg_is(m, "udp.rx"))
        hub_udp_take(m);
}

/* ---- life ---- */

static void open_counters(struct stage *st) {
    const struct stage_counter all[] = {{"detections", &hub.n.tags},
                                        {"detections_refused", &hub.n.tags_refused},
                                        {"pictures", &hub.n.frames},
                                        {"pictures_refused", &hub.n.frames_refused},
                                        {"unauthorised", &hub.n.unauthorised},
                                        {"wrong_tokens", &hub.n.wrong_tokens},
                                        {"tokens_unread", &hub.n.tokens_unread},
                                        {"kicked", &hub.n.kicked},
                                        {"clients_refused", &hub.n.refused_peers},
                                        {"connections", &hub.n.connections},
                                        {"cameras", &hub.n.cameras},
                                        {"games", &hub.n.games},
                                        {"pages", &hub.n.pages},
                                        {"polls", &hub.n.polls},
                                        {"polls_dropped", &hub.n.polls_dropped},
                                        {"errors_told", &hub.n.errors_told},
                                        {"page_texts", &hub.n.page_texts},
                                        {"texts_ignored", &hub.n.texts_ignored},
                                        {"page_states_deferred", &hub.n.pages_deferred},
                                        {"bad_texts", &hub.n.bad_texts}};
    stage_counters(st, all, sizeof all / sizeof *all);
}

/* Connections outlive this process (wsfanout has them), so what is known of each must, too. */
static void check_state(struct hub_state *s) {
    if (s->version != STATE_VERSION)
        memset(s, 0, sizeof *s);
    s->version = STATE_VERSION;
    hub_peers_check(&s->peers);
    hub_history_check(&s->history);
    hub_cameras_check(&s->cameras);
    for (size_t i = 0; i < HUB_CAMERAS; i++)
        s->cameras.camera[i].connections = 0;
    for (struct hub_peer *p = s->peers.slot; p < s->peers.slot + HUB_SLOTS; p++) {
        if (p->camera > HUB_CAMERAS)
            p->camera = 0;
        if (p->id && p->camera && p->accepted && p->kind == HUB_CAMERA)
            s->cameras.camera[p->camera - 1].connections++;
    }
}

static int open_rules(struct stage *st, struct err *e) {
    hub.st = st;
    hub.state = statefile_open(st->name, sizeof *hub.state);
    check_state(hub.state);
    bool fresh = hub.state->started_ns == 0;
    if (fresh)
        hub.state->started_ns = clock_wall_ns();
    hub_page_open(&st->loop);
    hub_file_open(&st->loop, fresh);
    open_counters(st);
    hub_counts_changed();
    if (hub.opt.open)
        log_warn("--open: whoever says it is a camera is one");
    return hub_engines_open(&st->loop, e);
}

static void close_rules(struct stage *st) {
    (void)st;
    hub_engines_close();
    hub_file_close();
    hub_page_close();
    hub_poll_free();
    statefile_close(hub.state, sizeof *hub.state);
}

const struct rules rules_hub = {
    .name = "hub",
    .summary = "the rules of the tag hub: detections and pictures of cameras for games and pages",
    .options = options,
    .details =
        "In: ws.open, ws.text, ws.binary, ws.closed, ws.clients, udp.rx.\n"
        "Out: hub.tag, hub.frame, hub.say, hub.page, ws.join, ws.kick, udp.tx. Give wsfanout\n"
        "--topic ws. --topic hub.tag --topic hub.say --topic hub.page: the rest is not for every\n"
        "client.\n"
        "Requests: status, uptime, history, video_fps, video_stats, cameras, apriltag, frame, "
        "poll,\ninterval.\n"
        "Who is connected and what is known of cameras survives this process, in the run\n"
        "directory.\n",
    .check = hub_token_load,
    .open = open_rules,
    .on_msg = on_msg,
    .on_request = hub_http_request,
    .close = close_rules,
};
