/* hub: the parts of the tag hub's rules (lib/codec/hub.md) and what they share.
 *
 *   hub.c          options, what comes in, opening, closing
 *   hub_peers.c    the open WebSockets          hub_cameras.c  what is known of each camera
 *   hub_video.c    figures of its pictures      hub_delay.c    how late its messages are
 *   hub_history.c  when cameras were connected  hub_file.c     the same in a file
 *   hub_token.c    who may be a camera          hub_ws.c       what WebSocket clients say
 *   hub_tag.c      detections                   hub_frame.c    pictures
 *   hub_poll.c     games that ask for detections one by one
 *   hub_udp.c      what comes by UDP            hub_http.c     requests of httpd
 *   hub_json.c     their answers                hub_page.c     our own pages
 *   hub_engines.c  what wsfanout is asked
 *
 * Published:
 *   hub.tag    {to: "games", text, camera, via, peer, tag_id, hub_us, delay_ms}  a detection; text
 * is what games are sent; tag_id is a number or nil, delay_ms (hub_delay.h) too hub.frame  {camera,
 * bytes, width, height, data}  a picture, any JPEG hub.say    {to, text}   an answer to one client,
 * or a command to the group "cameras" hub.page   {to, text}   to the group "pages" or one of it,
 * see hub_page.c udp.tx     {peer, port, data} ws.join, ws.kick wsfanout must be given --topic ws.
 * --topic hub.tag --topic hub.say --topic hub.page, for pictures and datagrams are not for every
 * client.
 */
#ifndef DISPATCH_HUB_H
#define DISPATCH_HUB_H

#include "hub_cameras.h"
#include "hub_history.h"
#include "json_scan.h"
#include "rules.h"

enum {
    HUB_FRAME_MAX = 1 << 20, /* bytes of a picture */
    HUB_INTERVAL_MIN = 100,  /* ms between two pictures, as cameras may be told */
    HUB_INTERVAL_MAX = 10000,
    HUB_INTERVAL = 1000 /* what a camera does that was told nothing */
};

struct hub_options {
    const char *token_file, *history_file, *engines;
    bool open;
};

/* What outlives this process. */
struct hub_state {
    uint64_t version;
    uint64_t started_ns; /* wall clock: when the hub began, whichever process it was */
    uint64_t events, http_events, udp_events; /* detections forwarded: all, by HTTP, by UDP */
    uint64_t interval_ms;                     /* that cameras were told last; 0 = none */
    struct hub_peers peers;
    struct hub_history history;
    struct hub_cameras cameras;
};

struct hub_counts {
    uint64_t tags, tags_refused, frames, frames_refused, errors_told;
    uint64_t unauthorised, wrong_tokens, tokens_unread, kicked, refused_peers;
    uint64_t polls, polls_dropped, page_texts, bad_texts, cameras, games, pages, connections;
    uint64_t texts_ignored, pages_deferred;
};

struct hub_rules {
    struct stage *st;
    struct hub_options opt;
    struct hub_state *state;
    struct hub_counts n;
};

extern struct hub_rules hub;

/* ---- hub.c ---- */
/* Send text to one client. */
void hub_say(uint64_t client, const char *text, size_t n);
void hub_say_text(uint64_t client, const char *text);
/* How many there are of each kind has changed. */
void hub_counts_changed(void);

/* ---- hub_token.c ---- */
enum hub_verdict { HUB_RIGHT, HUB_MISSING, HUB_WRONG, HUB_TOO_OFTEN };
int hub_token_load(struct err *e);
/* Whether the peer at addr may be a camera; token: the value it has shown, NULL = none. */
enum hub_verdict hub_token_judge(const char *addr, const struct json_raw *token);

/* ---- hub_ws.c ---- */
void hub_ws_open(const struct msg *m);
void hub_ws_closed(const struct msg *m);
void hub_ws_text(const struct msg *m);
void hub_ws_binary(const struct msg *m);
/* wsfanout has no clients (any more). */
void hub_ws_nobody(void);
/* Those have gone of whom has_left says so. */
void hub_ws_left(bool (*has_left)(uint64_t client));

/* ---- hub_tag.c ---- */
struct hub_source {
    const char *via, *addr; /* "ws", "http", "udp"; address without port */
    uint64_t time_ns;       /* arrival */
    bool own_addr;          /* smartcam_ip becomes addr */
};
/* Forward a detection; fields: its members. camera: of which, NULL = found by what it says. -1 with
 * the reason when it is refused. */
int hub_tag_take(const struct json_object *fields, struct hub_camera *camera,
                 const struct hub_source *from, struct err *e);
/* Send the newest detection to a game; false when there is none. */
bool hub_tag_latest(uint64_t client);

/* ---- hub_poll.c ---- */
void hub_poll_add(const char *text, size_t n, uint64_t time_ns);
/* Append the oldest detection as the older games want it, and forget it; or what they get when
 * there is none. keep: look only. */
void hub_poll_take(struct buf *out, bool keep);
void hub_poll_free(void);

/* ---- hub_frame.c ---- */
/* Why these bytes are no picture; NULL when they look like one. */
const char *hub_frame_fault(const uint8_t *p, size_t n);
/* A picture of the camera; -1 with the reason when it is none. */
int hub_frame_take(struct hub_camera *c, const uint8_t *p, size_t n, uint64_t time_ns,
                   struct err *e);

/* ---- hub_udp.c ---- */
void hub_udp_take(const struct msg *m);

/* ---- hub_file.c: the history in a file, JSON ---- */
/* fresh: nothing of it outlived the last process, so it is read in. */
void hub_file_open(uv_loop_t *loop, bool fresh);
/* The history has changed: it is written soon. */
void hub_file_changed(void);
void hub_file_close(void);

/* ---- hub_engines.c ---- */
int hub_engines_open(uv_loop_t *loop, struct err *e);
/* The pair "engines" of what pages are told. */
void hub_engines_put(struct buf *map);
void hub_engines_close(void);

/* ---- hub_http.c ---- */
void hub_http_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                      size_t n);

/* ---- hub_json.c: answers, appended as JSON ---- */
void hub_json_status(struct buf *out);
/* c: of this camera; NULL = none has sent a picture. */
void hub_json_video_fps(struct buf *out, const struct hub_camera *c);
void hub_json_video_stats(struct buf *out, const struct hub_camera *c);
void hub_json_uptime(struct buf *out);
void hub_json_history(struct buf *out);
/* All that pages show, see hub_page.c. */
void hub_json_state(struct buf *out);
/* The history as one msgpack map. */
void hub_json_put_history(struct buf *map);

/* ---- hub_page.c ---- */
void hub_page_open(uv_loop_t *loop);
/* Something that pages show has changed. */
void hub_page_changed(void);
/* A detection of this camera went out. */
void hub_page_tag(const struct hub_camera *c);
/* A page has come, or said something. */
void hub_page_joined(uint64_t client);
void hub_page_text(uint64_t client, const char *text, size_t n);
void hub_page_close(void);

/* ---- hub.c again ---- */
/* Tell every camera the interval of its pictures; false when none is connected. */
bool hub_command_interval(double ms);
/* 500 for 500.0, else as a double. */
void hub_put_number(struct buf *out, double v);

#endif
