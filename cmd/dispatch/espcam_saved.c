/* The saved pictures. imgwrite knows them; pages ask us, because they speak in query strings and
 * milliseconds: saved {query: "mac=..&before=US&after=US&limit=N"} -> body {images: [{name, mac,
 * time_us, bytes}], more, total}, newest first. Microseconds since the epoch fit a browser's
 * numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "espcam.h"
#include "log.h"

enum {
    ANSWER_MS = 1500,     /* less than httpd waits for us */
    ASKED_AT_START = 500, /* pictures that are looked through for cameras */
    ASK_AGAIN_MS = 1000,
    ASKING = 32 /* questions under way */
};

static struct rpc_client imgwrite;
static struct rpc_call *asking[ASKING]; /* NULL = free */
static uv_timer_t ask_timer;

static void on_ask_timer(uv_timer_t *t);

/* ---- the question ---- */

static void put_question(struct buf *b, const char *query) {
    char mac[CAM_MAC];
    uint64_t before, after, limit;
    bool has_mac = ask_query(query, "mac", mac, sizeof mac) && mac[0];
    bool has_before = ask_query_number(query, "before", &before) && before < UINT64_MAX / 1000,
         has_after = ask_query_number(query, "after", &after) && after < UINT64_MAX / 1000,
         has_limit = ask_query_number(query, "limit", &limit);
    rpc_request_begin(b, "list", has_mac + has_before + has_after + has_limit);
    if (has_mac)
        mp_kv_str(b, "mac", mac);
    if (has_before)
        mp_kv_uint(b, "before", before * 1000);
    if (has_after)
        mp_kv_uint(b, "after", after * 1000);
    if (has_limit)
        mp_kv_uint(b, "limit", limit);
}

/* ---- the answer ---- */

struct entry {
    const char *name, *mac;
    size_t name_len, mac_len;
    uint64_t time_ns, bytes;
};

/* The next of the list at *c, which moves on; false at its end. */
static bool next_entry(struct mp_cursor *c, struct entry *out) {
    struct mp_cursor from = *c;
    if (mp_skip(c) != 1)
        return false;
    const uint8_t *p = from.at;
    size_t n = (size_t)(c->at - p);
    *out = (struct entry){.name = "", .mac = ""};
    mp_get_uint(p, n, "time", &out->time_ns);
    mp_get_uint(p, n, "bytes", &out->bytes);
    mp_get_str(p, n, "mac", &out->mac, &out->mac_len);
    return mp_get_str(p, n, "name", &out->name, &out->name_len);
}

/* The list in a reply; its length, 0 when there is none. */
static uint32_t find_list(const struct rpc_result *r, struct mp_cursor *at) {
    struct mp_value list;
    if (!r->ok || !mp_find(r->body, r->len, "images", &list, at) || list.type != MP_ARRAY)
        return 0;
    mp_read(at, &list);
    return list.len;
}

static void put_answer(struct buf *b, const struct rpc_result *r) {
    struct mp_cursor at;
    struct entry e;
    uint64_t total = 0;
    bool more = false;
    uint32_t n = find_list(r, &at);
    mp_get_bool(r->body, r->len, "more", &more);
    mp_get_uint(r->body, r->len, "total", &total);
    mp_put_map(b, 3);
    mp_kv_bool(b, "more", more);
    mp_kv_uint(b, "total", total);
    mp_put_str(b, "images");
    mp_put_array(b, n);
    for (uint32_t i = 0; i < n; i++) {
        if (!next_entry(&at, &e))
            e = (struct entry){.name = "", .mac = ""};
        mp_put_map(b, 4);
        mp_kv_strn(b, "name", e.name, e.name_len);
        mp_kv_strn(b, "mac", e.mac, e.mac_len);
        mp_kv_uint(b, "time_us", e.time_ns / 1000);
        mp_kv_uint(b, "bytes", e.bytes);
    }
}

static void done(void *ctx, const struct rpc_result *r) {
    struct rpc_call **slot = ctx, *call = *slot;
    *slot = NULL;
    if (!r->ok) {
        rpc_reply_error(call, "%s", r->error);
        return;
    }
    struct buf *b = rpc_reply_begin(call, 1);
    mp_put_str(b, "body");
    put_answer(b, r);
    rpc_reply_end(call);
}

void cam_saved_request(struct rpc_call *call, const uint8_t *body, size_t n) {
    static struct buf question;
    char query[256] = "";
    size_t i = 0;
    while (i < ASKING && asking[i])
        i++;
    if (i == ASKING) {
        rpc_reply_error(call, "%d such questions are being answered already", ASKING);
        return;
    }
    asking[i] = call;
    mp_get_cstr(body, n, "query", query, sizeof query);
    buf_clear(&question);
    put_question(&question, query);
    rpc_request(&imgwrite, &question, ANSWER_MS, done, &asking[i]);
}

/* ---- at the start ---- */

/* The list is newest first. What was saved while this program was away is learnt too. */
static void learn(const struct entry *e) {
    char mac[CAM_MAC];
    if (!cam_mac(e->mac, e->mac_len, mac) || e->name_len >= CAM_FILE)
        return;
    struct cam_camera *c = cam_find(cams.table, mac);
    if (!c && cams.table->n >= (uint64_t)cams.opt.cameras)
        return;
    if (!c) { /* of earlier days: shown with its last picture, as a silent one */
        c = cam_get(cams.table, mac, (size_t)cams.opt.cameras);
        snprintf(c->name, sizeof c->name, "%s", cam_name(mac));
        c->heard_ns = c->picture_ns = e->time_ns;
        c->bytes = e->bytes;
        c->was_silent = true; /* without a line in the log */
    } else if (e->time_ns <= c->saved_ns) {
        return;
    }
    snprintf(c->saved_name, sizeof c->saved_name, "%.*s", (int)e->name_len, e->name);
    c->saved_ns = e->time_ns;
    cams_changed();
}

/* Asked until it has been answered once: imgwrite may start later than we, or again. */
static void learn_all(void *ctx, const struct rpc_result *r) {
    static struct log_limit limit;
    struct mp_cursor at;
    struct entry e;
    (void)ctx;
    if (!r->ok) {
        log_limited(&limit, LOG_WARN, "which pictures are saved is not known yet: %s", r->error);
        uv_timer_start(&ask_timer, on_ask_timer, ASK_AGAIN_MS, 0);
    }
    for (uint32_t n = find_list(r, &at); n > 0 && next_entry(&at, &e); n--)
        learn(&e);
}

static void on_ask_timer(uv_timer_t *t) {
    struct buf question = {0};
    (void)t;
    rpc_request_begin(&question, "list", 1);
    mp_kv_uint(&question, "limit", ASKED_AT_START);
    rpc_request(&imgwrite, &question, 10 * ANSWER_MS, learn_all, NULL);
    buf_free(&question);
}

int cam_saved_open(struct err *e) {
    if (rpc_client_open(&imgwrite, &cams.st->loop, cams.opt.saved, e) < 0)
        return -1;
    uv_timer_init(&cams.st->loop, &ask_timer);
    on_ask_timer(&ask_timer);
    return 0;
}

void cam_saved_close(void) {
    rpc_client_close(&imgwrite);
    uv_close((uv_handle_t *)&ask_timer, NULL);
    for (size_t i = 0; i < ASKING; i++)
        if (asking[i])
            rpc_reply_error(asking[i], "the rules are being stopped");
}
