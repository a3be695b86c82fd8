/* panel: the parts of the selection panel's rules and what they share. */
#ifndef DISPATCH_PANEL_H
#define DISPATCH_PANEL_H

#include "panel_clients.h"
#include "panel_media.h"
#include "panel_state.h"
#include "rules.h"
#include "serial.h"

struct panel_options {
    int64_t buttons;
    const char *media;
    bool local_led;     /* the panel lights the LED of a pressed button by itself */
    bool state_at_join; /* send what plays to every browser that joins */
};

struct panel_rules {
    struct stage *st;
    struct panel_options opt;
    struct panel_state *state; /* survives a restart of this program */
    struct panel_media media;
    struct panel_clients clients;
    struct serial serial;
    char firmware[128];
    uint64_t ws_clients;
    bool clear_owed; /* an LEDCLR could not be delivered; it is sent when the panel is back */
    uint64_t presses, ended, ended_late, ended_other, bad_texts, out_of_range;
};

extern struct panel_rules panel;

/* A press of button id (1..buttons) that happened at time_ns: stop, then play. */
void panel_press(uint64_t id, uint64_t time_ns);
/* What plays ends: LED off, nothing current. With broadcast the browsers are told to stop. */
void panel_clear(uint64_t time_ns, bool broadcast);
/* Something that pages show has changed; they are told soon, off the path of the press. */
void panel_changed(void);

/* panel_page.c: the state as pages get it, and what browsers say. */
void panel_page_hello(uint64_t client);
void panel_page_broadcast(void);
void panel_page_text(const struct msg *m);

/* Pieces of the state that /status and the pages share. An id of 0 is written as nil. */
const char *panel_mode(void);
void panel_put_id(struct buf *b, const char *key, uint64_t id);
void panel_put_missing(struct buf *b, unsigned limit); /* array of file names */
/* The map as JSON text; valid until the next call. */
const struct buf *panel_json(const struct buf *map);

/* panel_http.c */
void panel_http_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                        size_t n);

#endif
