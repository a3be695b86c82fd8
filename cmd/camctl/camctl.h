/* camctl: what the parts of the camera server share.
 *
 *   main.c      options, opening, closing
 *   config.c    command line, environment, JSON file and defaults, in this order
 *   entrance.c  who is let in at the three ports
 *   conn.c      a connection that sends packets: bytes in, answers out, deadlines
 *   auth.c      what is said at the authentication port
 *   control.c   what is said at the settings port
 *   viewers.c   the data stream: one packet for all, 24 times a second
 *   store.c     the settings: changed one after another, each stored before it counts
 *   video.c     camera program, publisher and preview, joined by the stream
 *   bus.c       topics and requests
 * and pure or self-contained: session, settings, command, annexb, jpeg, proc, logfile
 *
 * Sections named here are those of campacket.md in lib/codec.
 */
#ifndef CAMCTL_CAMCTL_H
#define CAMCTL_CAMCTL_H

#include <netinet/in.h>

#include "annexb.h"
#include "codec/campacket.h"
#include "crowd.h"
#include "doors.h"
#include "guard.h"
#include "proc.h"
#include "secret.h"
#include "session.h"
#include "settings.h"
#include "stage.h"
#include "tries.h"

enum {
    RATE_HZ = 24,          /* section 3 */
    READ_MS = 5000,        /* a packet must be whole by then (sections 1 and 2) */
    STALL_MS = 10000,      /* a viewer that takes nothing for so long is cut */
    LINGER_MS = 1000,      /* a client may take so long to read its last answer */
    PASSWORD_MAX = 512,    /* bytes of a packet's payload at the authentication port */
    COMMAND_MAX = 64,      /* and at the settings port */
    CONNS = 128,           /* open connections at each of these two; one more ends the oldest of
                            * the address that has most */
    ANSWER_BYTES = 512,    /* answers that wait for a client; then it is not read any more */
    CHANGES = 256,         /* changes of the settings that wait; one more is refused */
    CHANGE_PAUSE_MS = 500, /* between the end of the camera programs and their new start */
    FEED_BYTES = 1 << 20, /* waiting for the publisher or the preview; then pictures are left out */
    JPEG_BYTES = 4 << 20  /* of one preview picture */
};

enum port { PORT_DATA, PORT_SETTINGS, PORT_AUTH, PORTS };

struct camctl;

/* ---- config.c ---- */

struct config {
    /* As given: command line, environment, file, or default. */
    const char *host, *port_text[PORTS], *log_level, *log_file, *password_file, *mode, *source,
        *settings_file, *rtsp_url, *camera, *publisher, *preview, *value;
    const char *file; /* --config */
    int64_t session_ms, silence_ms, viewers, per_address, width, height, fps, preview_fps;

    /* What that means. */
    int64_t port[PORTS];
    bool level_by_option;
    bool open;                                /* mode */
    bool test;                                /* source */
    char topic[MSG_TOPIC_MAX + 1], field[64]; /* of value; "" = none */
    struct buf text;                          /* what the file's values lie in */
};

void config_defaults(struct config *f);
/* After the command line. Fills in what it left open, and checks all of it. */
int config_take(struct config *f, struct err *e);
void config_free(struct config *f);
struct doors_place config_place(const struct config *f);

/* ---- store.c ---- */

/* A change of the settings on its way. */
struct change {
    struct change *next;
    struct camsettings want;
    unsigned mask;
    /* Called once: why is NULL when it is stored and counts, or when it changes nothing. */
    void (*done)(void *ctx, const struct err *why);
    void *ctx;
};

struct store {
    struct camctl *c;
    struct camsettings now, next; /* next: being stored */
    const char *source;           /* "default", "file", "client" */
    uint64_t changed_ns;
    char problem[200]; /* with the file; "" = none */
    struct change *first, *last;
    size_t waiting;
    bool busy, closed;
    uv_timer_t turn;
    uv_work_t work;
    struct buf text;
    int error; /* errno of the work */
    const char *step;
};

void store_open(struct store *s, struct camctl *c);
/* Change the settings in mask, which are within their limits. -1 when too much waits. The change
 * is the caller's until done is called: clear its ctx through store_forget to hear nothing. */
struct change *store_change(struct store *s, const struct camsettings *want, unsigned mask,
                            void (*done)(void *ctx, const struct err *why), void *ctx);
void store_forget(struct change *c);
/* What waits is refused; what is being stored is stored, if the loop still runs. */
void store_close(struct store *s);
void store_free(struct store *s);

/* ---- conn.c ---- */

struct conn {
    struct camctl *c;
    enum port port;
    int fd, events;
    struct sockaddr_storage peer;
    uint64_t who;  /* its address, see tries.h */
    char name[64]; /* of the peer, with its port */
    uint8_t in[PASSWORD_MAX + CAMPACKET_OVERHEAD];
    size_t have;
    uint8_t out[ANSWER_BYTES];
    size_t out_len;
    bool eof;     /* it says nothing any more */
    bool leaving; /* its last answer is on its way */
    bool gone;
    struct change *change; /* its answer waits for that */
    struct conn *next, *prev;
    unsigned handles; /* still open */
    uv_poll_t poll;
    uv_timer_t timer;
};

struct conns {
    struct conn *first, *last; /* oldest first */
    size_t n;
};

/* Takes fd over. */
void conn_add(struct camctl *c, enum port port, int fd, const struct sockaddr_storage *peer);
/* An answer without or with a payload of at most 9 bytes. */
void conn_answer(struct conn *x, uint8_t id, uint8_t type, const void *payload, size_t n);
/* No more is read; it is closed when the client has its answers, or soon. */
void conn_leave(struct conn *x);
/* What it waited for has come: go on with what it has sent. */
void conn_go_on(struct conn *x);
void conn_drop(struct conn *x);
void conns_close(struct camctl *c);
/* Tell fd, which has been let in nowhere, that it is not served, and close it. */
void conn_refuse(int fd, enum port port);

/* ---- auth.c, control.c: what a packet, or a broken one, means ---- */

void auth_packet(struct conn *x, enum campacket_found found, const struct campacket *p);
void auth_timeout(struct conn *x);
void control_packet(struct conn *x, enum campacket_found found, const struct campacket *p);

/* ---- viewers.c ---- */

struct viewer {
    struct camctl *c;
    int fd;
    size_t index;
    uint64_t who; /* its address, see tries.h */
    struct sockaddr_storage peer;
    char name[64];
    uint8_t rest[CAMPACKET_SHORT]; /* of a packet that was half taken */
    size_t rest_len;
    uint64_t progress_ms;
    bool gone;
    uv_poll_t poll;
};

struct viewers {
    struct viewer **item;
    size_t n, max;
    struct crowd crowd; /* by address */
    int timer_fd;
    uv_poll_t timer;
    uint64_t base_ns; /* monotonic; tick k is due at base + k / RATE_HZ */
    uint64_t tick;
    double value; /* newest on the bus */
    uint64_t random;
};

int viewers_open(struct camctl *c, struct err *e);
void viewer_add(struct camctl *c, int fd, const struct sockaddr_storage *peer);
/* The numeric field of a message, if it is the one that is streamed. */
void viewers_message(struct camctl *c, const struct msg *m);
/* Once a second: the addresses of those who are served are seen; who takes nothing is cut. */
void viewers_watch(struct camctl *c);
void viewers_close(struct camctl *c);

/* ---- video.c ---- */

enum feed_name { FEED_PUBLISHER, FEED_PREVIEW, FEEDS };
enum video_phase { VIDEO_RUN, VIDEO_CHANGE, VIDEO_PAUSE, VIDEO_STOP };

/* Publisher or preview: what is fed with the stream. */
struct feed {
    struct camctl *c;
    struct proc proc;
    bool wanted;
    bool dropping;        /* pictures are left out until the next key picture */
    uint64_t fed, taken;  /* bytes given to it in this life, and gone into its pipe */
    uint64_t progress_ms; /* when it took something, or nothing waited */
    uint64_t left_out;    /* bytes */
};

struct video {
    struct camctl *c;
    struct proc camera;
    struct feed feed[FEEDS];
    enum video_phase phase;
    struct annexb scan;
    uint64_t bytes, pictures, keys, previews;
    uint64_t seen_ms;         /* when the camera last gave something */
    struct camsettings shown; /* that the camera runs with */
    uv_timer_t timer;
    uv_signal_t child;
};

void video_open(struct camctl *c);
/* Stop the programs, wait CHANGE_PAUSE_MS, start them with the settings as they are then. */
void video_change(struct camctl *c);
/* One of them by name ("camera": all, as they hang on it). False when there is none of the name. */
bool video_restart(struct camctl *c, const char *name);
void video_watch(struct camctl *c);
/* Stop them for good, then stage_stopped. */
void video_stop(struct camctl *c);
void video_close(struct camctl *c);
void video_free(struct camctl *c);

/* ---- bus.c ---- */

enum { PROCS = 1 + FEEDS };

void bus_open(struct camctl *c);
/* Publish what has changed since the last time. */
void bus_tell(struct camctl *c);
/* Once a second: what the programs have said since. */
void bus_lines(struct camctl *c);
void bus_settings(struct camctl *c);
void bus_auth(struct camctl *c, const char *peer, bool ok, const char *reason);
void bus_data(struct camctl *c, uint8_t value, uint64_t time_ms);
void bus_image(struct camctl *c, const uint8_t *p, size_t n, unsigned width, unsigned height);
void bus_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body, size_t n);

/* ---- entrance.c ---- */

/* Outlives the process (statefile.h): who has authenticated need not do so again because a killed
 * camctl was started anew. */
struct kept {
    char owner[SECRET_DERIVED]; /* with another password everybody has to */
    struct sessions sessions;
};

void kept_open(struct camctl *c);
void kept_close(struct camctl *c);
/* Listen at the ports. */
int entrance_open(struct camctl *c, struct err *e);

/* ---- all of it ---- */

struct counts {
    uint64_t viewers, opened, refused, crowded, displaced, cut, skipped, packets, missed; /* data */
    uint64_t requests, sets, bad_packets, garbage; /* settings and authentication */
    uint64_t right, wrong, limited;                /* passwords */
    uint64_t frames_left_out;
};

struct camctl {
    struct stage st;
    struct config cfg;
    struct counts n;
    struct secret password;
    struct tries tries;
    struct kept *kept;
    struct store store;
    struct doors doors;
    struct conns conns[PORTS];
    struct viewers viewers;
    struct guard guard; /* a camera program that goes on after kill -9 would hold the camera */
    struct video video;
    size_t told_clients[4];
    bool clients_told, proc_changed[PROCS], stopping;
};

static inline uint64_t camctl_ms(const struct camctl *c) {
    return uv_now(&c->st.loop);
}

/* Whether this peer is served at the data and settings ports. */
bool camctl_admits(struct camctl *c, const struct sockaddr_storage *peer);
/* A peer that was let in there has been connected until now: its session goes on. */
void camctl_keep(struct camctl *c, const struct sockaddr_storage *peer);

#endif
