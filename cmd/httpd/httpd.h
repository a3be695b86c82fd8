/* httpd: what its parts share. */
#ifndef HTTPD_H
#define HTTPD_H

#include <microhttpd.h>

#include "action.h"
#include "route.h"
#include "stage.h"

struct conn;

struct httpd_counters {
    uint64_t requests, connections, suspended, cut;
    uint64_t responses_2xx, responses_3xx, responses_4xx, responses_5xx;
    uint64_t sent_bytes; /* bodies that were sent completely */
    uint64_t upgrades, upgrades_refused, upgrades_crowded;
    uint64_t asks, ask_timeouts;
    uint64_t sse_viewers, sse_skipped;
    uint64_t images_kept, images_bytes, images_dropped;
    uint64_t mjpeg_viewers, mjpeg_images, mjpeg_skipped;
    uint64_t refused;               /* wrong tokens and passwords */
    uint64_t proxied, proxy_faults; /* connections with a PROXY header, and without a right one */
};

struct httpd {
    struct stage st;
    /* Options. */
    struct opt_list listen, proxy_listen, proxy_from;
    const char *system, *admin_token_file;
    bool admin_here; /* programs and pages of this machine need no token */
    const char *token_file, *token_env, *protect, *login_file, *login_env;
    bool token_open, cors;
    struct opt_list routes, origins, hosts;
    int64_t ask_timeout_ms, timeout_ms, connections, max_body;
    int64_t images, image_bytes, viewers;
    /* Running. */
    struct route_table table;
    struct MHD_Daemon *mhd;
    bool adopting_secure; /* of the connection that is being given to MHD */
    uv_poll_t poll;
    uv_timer_t timer, stop_timer;
    bool running; /* inside MHD_run */
    bool again;   /* MHD has something left to do that no event will tell */
    bool stopping;
    struct conn *first, *last;    /* every connection */
    struct conn *oldest, *newest; /* those whose request is not here yet, by how long they wait */
    struct buf out; /* one request to another stage being encoded, or JSON being written */
    struct httpd_counters n;
};

#endif
