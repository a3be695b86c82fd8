/* What WebSocket clients say: cameras, games, and our own pages.
 *
 * A connection is what its first identify says (data.type "esp32": a camera, anything else: a game)
 * and stays that. Whoever has not shown the token is no camera, whatever it calls itself.
 */
#include <stdio.h>
#include <string.h>

#include "hub.h"
#include "log.h"

static const char WELCOME[] = "{\"event\": \"connection_success\", \"message\": "
                              "\"WebSocket connected - send identify event\"}";
static const char ACK[] = "{\"event\": \"apriltag_ack\", \"status\": \"received\"}";
static const char NOTHING[] = "{\"event\": \"no_data_available\"}";
enum { POLICY = 1008, TRY_LATER = 1013 };

/* ---- steering wsfanout ---- */

static void join(uint64_t client, const char *group) {
    struct buf *b = stage_begin(hub.st, "ws.join", 0, 2);
    mp_kv_uint(b, "client", client);
    mp_kv_str(b, "group", group);
    stage_end(hub.st);
}

static void kick(uint64_t client, unsigned code, const char *reason) {
    struct buf *b = stage_begin(hub.st, "ws.kick", 0, 3);
    mp_kv_uint(b, "client", client);
    mp_kv_uint(b, "code", code);
    mp_kv_str(b, "reason", reason);
    stage_end(hub.st);
    hub.n.kicked++;
}

static void say_error(uint64_t client, const char *why) {
    char text[420], shown[380];
    size_t n = 0;
    for (const char *s = why; *s && n + 2 < sizeof shown; s++) {
        if (*s == '"' || *s == '\\')
            shown[n++] = '\\';
        shown[n++] = (uint8_t)*s < 0x20 ? ' ' : *s;
    }
    shown[n] = 0;
    snprintf(text, sizeof text, "{\"event\": \"error\", \"message\": \"%s\"}", shown);
    hub.n.errors_told++;
    hub_say_text(client, text);
}

static void refuse(uint64_t client, const char *error) {
    char text[160];
    snprintf(text, sizeof text,
             "{\"event\": \"auth_failed\", \"error\": \"%s\", \"message\": "
             "\"Authentication required - check your auth_token\"}",
             error);
    hub_say_text(client, text);
}

/* ---- coming and going ---- */

static struct hub_peer *add(uint64_t client, const char *peer) {
    static struct log_limit full;
    struct hub_peer *p = hub_peers_add(&hub.state->peers, client, peer);
    if (!p) {
        hub.n.refused_peers++;
        log_limited(&full, LOG_WARN, "%s refused: %d connections are open", peer, HUB_PEERS);
        kick(client, TRY_LATER, "too many clients");
    }
    return p;
}

void hub_ws_open(const struct msg *m) {
    uint64_t client;
    char peer[HUB_ADDR] = "?", group[16] = "";
    if (!mp_get_uint(m->body, m->body_len, "client", &client))
        return;
    mp_get_cstr(m->body, m->body_len, "peer", peer, sizeof peer);
    mp_get_cstr(m->body, m->body_len, "group", group, sizeof group);
    struct hub_peer *p = add(client, peer);
    if (!p)
        return;
    if (strcmp(group, "pages") == 0) {
        hub_peers_accept(&hub.state->peers, p, HUB_PAGE);
        hub_page_joined(client);
    } else {
        hub_say_text(client, WELCOME);
    }
    hub_counts_changed();
}

static struct hub_camera *camera_of(const struct hub_peer *p) {
    return p->camera ? &hub.state->cameras.camera[p->camera - 1] : NULL;
}

static void camera_leaves(struct hub_peer *p, uint64_t now_ns, const char *why) {
    struct hub_camera *c = camera_of(p);
    hub_history_end(&hub.state->history, p->session, now_ns);
    hub_file_changed();
    if (!c)
        return;
    if (c->connections)
        c->connections--;
    log_info("camera %s (%s) left%s%s", c->id, p->addr, *why ? ": " : "", why);
}

static void leave(struct hub_peer *p, uint64_t now_ns, const char *why) {
    if (p->kind == HUB_CAMERA && p->accepted)
        camera_leaves(p, now_ns, why);
    hub_peers_remove(&hub.state->peers, p);
    hub_counts_changed();
}

void hub_ws_closed(const struct msg *m) {
    uint64_t client = 0;
    char why[64] = "";
    mp_get_uint(m->body, m->body_len, "client", &client);
    mp_get_cstr(m->body, m->body_len, "reason", why, sizeof why);
    struct hub_peer *p = hub_peers_find(&hub.state->peers, client);
    if (p)
        leave(p, clock_wall_ns(), why);
}

void hub_ws_left(bool (*has_left)(uint64_t client)) {
    struct hub_peers *t = &hub.state->peers;
    uint64_t now = clock_wall_ns();
    for (size_t i = 0; i < HUB_SLOTS && t->n; i++)
        while (t->slot[i].id && has_left(t->slot[i].id))
            leave(&t->slot[i], now, "");
}

static bool everybody(uint64_t client) {
    (void)client;
    return true;
}

/* It has gone and come back, or the last one has left. */
void hub_ws_nobody(void) {
    hub_ws_left(everybody);
}

/* ---- identify ---- */

static void camera_joins(struct hub_peer *p, struct hub_camera *c) {
    p->camera = (uint16_t)(hub_cameras_index(&hub.state->cameras, c) + 1);
    c->connections++;
    p->session = hub_history_begin(&hub.state->history, (uint16_t)(p->camera - 1), c->name, p->addr,
                                   clock_wall_ns());
    hub_peers_accept(&hub.state->peers, p, HUB_CAMERA);
    join(p->id, "cameras");
    hub_file_changed();
    hub_counts_changed();
    log_info("camera %s identified at %s", c->id, p->addr);
}

/* What it calls itself. */
static void name_of(const struct json_object *data, char name[HUB_NAME]) {
    static const char *const key[] = {"camera_name", "device"};
    for (size_t i = 0; i < sizeof key / sizeof *key; i++)
        if (json_raw_text(json_get(data, key[i]), name, HUB_NAME) && *name)
            return;
    snprintf(name, HUB_NAME, "camera");
}

static void accept_camera(struct hub_peer *p, const struct json_object *data) {
    char name[HUB_NAME];
    bool made;
    if (!p->accepted) {
        name_of(data, name);
        struct hub_camera *c =
            hub_cameras_get(&hub.state->cameras, name, p->addr, clock_wall_ns(), &made);
        if (!c) {
            say_error(p->id, "too many cameras are connected");
            return;
        }
        camera_joins(p, c);
    }
    hub_say_text(p->id, "{\"event\": \"identify_success\", \"client_type\": \"esp32\"}");
}

static void identify_camera(struct hub_peer *p, const struct json_object *data) {
    switch (hub_token_judge(p->addr, json_get(data, "auth_token"))) {
    case HUB_RIGHT:
        p->wrong = 0;
        accept_camera(p, data);
        return;
    case HUB_MISSING:
        refuse(p->id, "Missing auth_token");
        return;
    case HUB_TOO_OFTEN:
    case HUB_WRONG:
        refuse(p->id, "Invalid auth_token");
    }
    if (++p->wrong >= HUB_WRONG_TOKENS)
        kick(p->id, POLICY, "too many wrong tokens");
}

static void register_game(struct hub_peer *p) {
    if (p->kind == HUB_GAME && p->accepted)
        return;
    hub_peers_accept(&hub.state->peers, p, HUB_GAME);
    join(p->id, "games");
    hub_counts_changed();
}

static void identify_game(struct hub_peer *p) {
    register_game(p);
    hub_say_text(p->id, "{\"event\": \"identify_success\", \"client_type\": \"gdevelop\"}");
    hub_tag_latest(p->id);
}

static void on_identify(struct hub_peer *p, const struct json_object *o) {
    static struct json_object data;
    const struct json_raw *raw = json_get(o, "data");
    char type[16] = "";
    data.n = 0;
    if (raw && raw->kind == RAW_OBJECT)
        json_scan(&data, raw->p, raw->n, NULL);
    const struct json_raw *given = json_get(&data, "type");
    if (given && !json_raw_text(given, type, sizeof type))
        snprintf(type, sizeof type, "other");
    if (p->kind == HUB_NEW && given)
        p->kind = strcmp(type, "esp32") == 0 ? HUB_CAMERA : HUB_GAME;
    if (p->kind == HUB_CAMERA)
        identify_camera(p, &data);
    else
        identify_game(p);
}

/* ---- the rest ---- */

static void on_ping(struct hub_peer *p) {
    char text[80];
    snprintf(text, sizeof text, "{\"event\": \"pong\", \"timestamp\": %.6f}",
             (double)(clock_wall_ns() / 1000) / 1e6);
    hub_say_text(p->id, text);
}

static void on_latest(struct hub_peer *p) {
    if (!hub_tag_latest(p->id))
        hub_say_text(p->id, NOTHING);
}

static void unauthorised(struct hub_peer *p) {
    hub.n.unauthorised++;
    refuse(p->id, "Missing auth_token");
}

/* The fields lie beside `event`, or all of them in `data`. */
static void on_tag(struct hub_peer *p, const struct json_object *o, const struct msg *m) {
    static struct json_object inner;
    const struct json_raw *data = json_get(o, "data");
    struct hub_source from = {.via = "ws", .addr = p->addr, .time_ns = m->time};
    struct err e = {0};
    bool nested = data && data->kind == RAW_OBJECT;
    if (nested && json_scan(&inner, data->p, data->n, &e) < 0)
        say_error(p->id, e.text);
    else if (hub_tag_take(nested ? &inner : o, camera_of(p), &from, &e) < 0)
        say_error(p->id, e.text);
    else
        hub_say(p->id, ACK, sizeof ACK - 1);
}

static void camera_says(struct hub_peer *p, const char *event, const struct json_object *o,
                        const struct msg *m) {
    if (strcmp(event, "ping") == 0)
        on_ping(p);
    else if (strcmp(event, "apriltag_data") == 0 && p->accepted)
        on_tag(p, o, m);
    else if (strcmp(event, "apriltag_data") == 0)
        unauthorised(p);
}

static void game_says(struct hub_peer *p, const char *event) {
    if (strcmp(event, "ping") == 0)
        on_ping(p);
    else if (strcmp(event, "request_latest_data") == 0)
        on_latest(p);
}

static void new_says(struct hub_peer *p, const char *event) {
    if (strcmp(event, "apriltag_data") == 0) {
        unauthorised(p);
        return;
    }
    if (strcmp(event, "request_latest_data") == 0 || strcmp(event, "event_FromGDevelop") == 0)
        register_game(p);
    game_says(p, event);
}

static void on_event(struct hub_peer *p, const char *event, const struct json_object *o,
                     const struct msg *m) {
    if (strcmp(event, "identify") == 0)
        on_identify(p, o);
    else if (p->kind == HUB_CAMERA)
        camera_says(p, event, o, m);
    else if (p->kind == HUB_GAME)
        game_says(p, event);
    else
        new_says(p, event);
}

/* Whoever said it; one whose coming we have missed is taken as new. */
static struct hub_peer *speaker(const struct msg *m) {
    uint64_t client = 0;
    mp_get_uint(m->body, m->body_len, "client", &client);
    struct hub_peer *p = hub_peers_find(&hub.state->peers, client);
    return p || client == 0 ? p : add(client, "?");
}

/* Whatever is no camera with the token could make work for everybody by talking. */
static bool is_heard(struct hub_peer *p) {
    static struct log_limit limit;
    if (p->kind == HUB_CAMERA && p->accepted)
        return true;
    enum hub_hearing h = hub_peer_asks(p, clock_mono_ns());
    if (h == HUB_HEARD)
        return true;
    hub.n.texts_ignored++;
    log_limited(&limit, LOG_WARN, "%s: client %llu talks too much: not all of it is heard", p->addr,
                (unsigned long long)p->id);
    if (h == HUB_TOO_MUCH) {
        p->unheard = 0; /* what is on its way still does not ask for this again */
        kick(p->id, POLICY, "too many messages");
    }
    return false;
}

void hub_ws_text(const struct msg *m) {
    static struct json_object o;
    struct hub_peer *p = speaker(m);
    const char *text = "";
    size_t n = 0;
    char event[32];
    struct err e;
    if (!p || !mp_get_str(m->body, m->body_len, "text", &text, &n) || !is_heard(p))
        return;
    if (p->kind == HUB_PAGE) {
        hub_page_text(p->id, text, n);
    } else if (json_scan(&o, text, n, &e) < 0) {
        hub.n.bad_texts++;
        say_error(p->id, e.text);
    } else if (!json_raw_text(json_get(&o, "event"), event, sizeof event)) {
        hub.n.bad_texts++;
        say_error(p->id, "event: a known word is wanted");
    } else {
        on_event(p, event, &o, m);
    }
}

void hub_ws_binary(const struct msg *m) {
    struct hub_peer *p = speaker(m);
    const uint8_t *data;
    size_t n;
    struct err e;
    if (!p || p->kind == HUB_PAGE || !mp_get_bin(m->body, m->body_len, "data", &data, &n) ||
        !is_heard(p))
        return;
    struct hub_camera *c = p->accepted ? camera_of(p) : NULL;
    if (p->kind == HUB_GAME)
        say_error(p->id, "a game sends no pictures");
    else if (!c)
        unauthorised(p);
    else if (hub_frame_take(c, data, n, m->time, &e) < 0)
        say_error(p->id, e.text);
}
