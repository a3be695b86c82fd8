/* camera: the parts of the rules of a controlled camera's page and what they share.
 *
 * What camctl tells is passed on to pages as it came, so that its bodies are described in one
 * place: there.
 */
#ifndef DISPATCH_CAMERA_H
#define DISPATCH_CAMERA_H

#include "rules.h"

enum {
    CAMERA_PROCESSES = 6,
    CAMERA_NAME = 24,
    CAMERA_EVENTS = 24,   /* attempts to authenticate that are kept */
    CAMERA_SAMPLES = 2048 /* of the data stream; a minute has 1440 */
};

struct camera_options {
    const char *requests; /* endpoint of camctl */
    int64_t history_ms;   /* of the data stream */
};

/* Attempts of one address that ended alike, one behind the other. */
struct camera_event {
    uint64_t time_ms, count;
    bool ok;
    char peer[64], reason[80];
};

struct camera_sample {
    uint64_t time_ms;
    double value;
};

/* What survives a restart of this program. Places are counted from the start, modulo the size. */
struct camera_memory {
    uint64_t magic;
    uint64_t pages; /* some page has said hello and not all have left */
    uint64_t events, samples;
    struct camera_event event[CAMERA_EVENTS];
    struct camera_sample sample[CAMERA_SAMPLES];
};

struct camera_process {
    char name[CAMERA_NAME];
    struct buf body; /* as it came */
    bool changed;    /* pages have not been told yet */
};

struct camera_rules {
    struct stage *st;
    struct camera_options opt;
    struct camera_memory *memory;
    struct buf settings, servers; /* bodies of cam.settings and cam.clients; empty = none yet */
    struct buf about, limits;     /* what camctl answers to `state`, in part, and `settings` */
    struct camera_process process[CAMERA_PROCESSES];
    size_t processes;
    bool asked, control; /* camctl has been asked; it has answered */
    char trouble[160];   /* why not */
    uint64_t ws_clients;
    uv_timer_t batch_timer, ask_timer;
    uint64_t values, attempts, refused, batches, states, requests, requests_failed, bad_texts;
    uint64_t unknown_processes; /* beyond CAMERA_PROCESSES: not shown */
};

extern struct camera_rules camera;

/* Something that pages show has changed; they are told soon. */
void camera_changed(void);

/* camera_data.c: the data stream and the attempts to authenticate. */
void camera_data_take(const struct msg *m);
void camera_auth_take(const struct msg *m);
void camera_auth_put(struct buf *b); /* an array, oldest first */
/* Samples from number `from` (as camera_memory.samples counts) on, as the text of a message. */
void camera_data_text(struct buf *b, uint64_t from, bool all);
/* The number of the first sample that is still worth telling. */
uint64_t camera_data_oldest(void);

/* camera_page.c: what pages are sent and what they say. */
void camera_page_open(uv_loop_t *loop);
void camera_page_sample(void); /* one has been taken */
void camera_page_text(const struct msg *m);
void camera_page_put_state(struct buf *b, bool processes); /* one map, with the processes or not */
void camera_page_close(void);

/* camera_ask.c: requests to camctl: how it is, and what pages want of it. */
int camera_ask_open(struct err *e);
/* Something has changed there: do not wait for the next turn. */
void camera_ask_look(void);
void camera_ask_set(struct rpc_call *call, const uint8_t *body, size_t n);
void camera_ask_restart(struct rpc_call *call, const uint8_t *body, size_t n);
void camera_ask_close(void);

#endif
