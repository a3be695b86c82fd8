/* hev: the parts of the ventilator's rules and what they share. */
#ifndef DISPATCH_HEV_H
#define DISPATCH_HEV_H

#include "hev_breath.h"
#include "hev_clock.h"
#include "hev_events.h"
#include "hev_ring.h"
#include "rules.h"
#include "serial.h"

struct vent_options {
    int64_t history_ms, stale_ms;
    const char *requests; /* endpoint of hevbcast */
};

/* What survives a restart of this program, in one file: this, then the ring. */
struct vent_memory {
    uint64_t magic;
    uint64_t pages; /* some page has said hello and not all have left */
    struct vent_events events;
};

/* The latest message of a kind, as it came. */
struct vent_kept {
    struct buf body;
    uint64_t time_ns; /* 0 = none yet */
};

enum vent_kind {
    VENT_DATA,
    VENT_READBACK,
    VENT_CYCLE,
    VENT_TARGET,
    VENT_BATTERY,
    VENT_LINK,
    VENT_SERVERS, /* hev.clients */
    VENT_KINDS
};

enum { VENT_ALARMS = 128 /* as many as hevbcast keeps */, VENT_NAME = 48 };

struct vent_alarm {
    char name[VENT_NAME];
    char type[24]; /* PRIORITY_HIGH; "" where the device does not say */
    uint64_t since_ns, count;
    double param;
};

struct vent_rules {
    struct stage *st;
    struct vent_options opt;
    struct vent_memory *memory;
    struct vent_ring *ring;
    struct vent_clock clock;
    struct vent_breaths breaths;
    struct serial serial;
    struct vent_kept kept[VENT_KINDS];
    struct vent_alarm alarm[VENT_ALARMS];
    size_t alarms;
    char state[VENT_NAME], mode[VENT_NAME]; /* as names; "" = unknown */
    bool raw;                               /* samples are counts of a converter */
    bool stale;
    uint64_t unsent_ns; /* when a command was given up that the device did not acknowledge */
    uint64_t sample_ns; /* arrival of the last sample, on the monotonic clock; 0 = none */
    double interval_ms; /* between samples, smoothed */
    uint64_t ws_clients;
    uv_timer_t batch_timer, watch_timer;
    uint64_t samples, unordered, batches, states, requests, requests_failed, bad_texts;
};

extern struct vent_rules vent;

/* Something of the state that pages show has changed; they are told soon. */
void vent_changed(void);
/* A sample has come: vent_data_watch is called from time to time until it says that none do. */
void vent_watch(void);
/* Into the history. */
void vent_event(const char *kind, const char *text);

/* hev_data.c: samples and what else the device tells. */
void vent_data_take(const struct msg *m);
/* Look whether samples still come; false when they do not. */
bool vent_data_watch(void);
/* The body of the latest message of a kind; n 0 when there is none. */
const uint8_t *vent_kept_body(enum vent_kind k, size_t *n);

/* hev_alarms.c */
void vent_alarms_take(const struct msg *m);
void vent_alarms_put(struct buf *b); /* an array */

/* hev_numbers.c: the figures of the screen. */
void vent_numbers_put(struct buf *b); /* a map of name to [value, source] */
void vent_targets_put(struct buf *b); /* a map of name to value */

/* hev_page.c: what pages are sent and what they say. */
void vent_page_open(uv_loop_t *loop);
void vent_page_sample(const struct vent_sample *s);
void vent_page_text(const struct msg *m);
void vent_page_put_state(struct buf *b); /* one map */
void vent_page_close(void);

/* hev_http.c: requests. */
int vent_http_open(struct err *e);
void vent_http_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                       size_t n);
void vent_http_close(void);

/* A number with so many decimals at most, null when it is none. */
void vent_put_number(struct buf *b, double v, int decimals);

#endif
