/* WS PATH ws ENDPOINT [GROUP]: the WebSocket handshake, then the connection goes to the stage that
 * listens on $TAPLINE_RUN/ENDPOINT.sock (handover.h). No extension is ever agreed to.
 */
#include <limits.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "crowd.h"
#include "handover.h"
#include "log.h"
#include "reply.h"
#include "rundir.h"
#include "site.h"
#include "tries.h"
#include "unixsock.h"

enum { KEY_BYTES = 16, KEY_TEXT = 24, ACCEPT_TEXT = BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE) };

static int declare(struct httpd *h, struct route *r, struct err *e) {
    struct handover *limit;
    (void)h;
    if (r->args < 1 || r->args > 2)
        return action_misused(r, e);
    if (!endpoint_name_valid(r->arg[0]))
        return err_set(e, CAUSE_USAGE, "route \"%s\": \"%s\" is no name of an endpoint", r->shown,
                       r->arg[0]);
    if (r->args == 2 && strlen(r->arg[1]) >= sizeof limit->group)
        return err_set(e, CAUSE_USAGE, "route \"%s\": the group's name is too long", r->shown);
    return 0;
}

/* ---- the handshake ---- */

static bool key_ok(const char *key) {
    struct base64_decode_ctx ctx;
    uint8_t raw[BASE64_DECODE_LENGTH(KEY_TEXT)];
    size_t n = sizeof raw;
    if (!key || strlen(key) != KEY_TEXT)
        return false;
    base64_decode_init(&ctx);
    return base64_decode_update(&ctx, &n, raw, KEY_TEXT, key) && base64_decode_final(&ctx) &&
           n == KEY_BYTES;
}

static const char *accept_text(const char *key, char out[ACCEPT_TEXT + 1]) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455, section 1.3 */
    struct sha1_ctx ctx;
    uint8_t digest[SHA1_DIGEST_SIZE];
    sha1_init(&ctx);
    sha1_update(&ctx, KEY_TEXT, (const uint8_t *)key);
    sha1_update(&ctx, sizeof guid - 1, (const uint8_t *)guid);
    sha1_digest(&ctx, sizeof digest, digest);
    base64_encode_raw(out, sizeof digest, digest);
    out[ACCEPT_TEXT] = 0;
    return out;
}

/* A browser can be told "503" only before 101, so see first whether anybody takes connections. */
static bool somebody_listens(const char *name) {
    char path[PATH_MAX];
    struct err e;
    if (rundir_file(path, sizeof path, name, "sock", &e) < 0)
        return false;
    int fd = unix_dial(path, SOCK_SEQPACKET);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* ---- handing over ---- */

static void hand_over(struct request *q, int fd, const char *extra, size_t extra_len) {
    static struct log_limit limit;
    struct handover o = {.extra = (const uint8_t *)extra, .extra_len = extra_len};
    const struct route *r = q->route;
    const char *origin = request_header(q, "Origin");
    struct err e;
    conn_peer(q->conn, o.peer, sizeof o.peer);
    snprintf(o.path, sizeof o.path, "%.*s", (int)q->raw_path_len, q->raw_path);
    snprintf(o.query, sizeof o.query, "%s", q->query);
    snprintf(o.group, sizeof o.group, "%s", r->args > 1 ? r->arg[1] : "");
    snprintf(o.user, sizeof o.user, "%s", q->user);
    snprintf(o.origin, sizeof o.origin, "%s", origin ? origin : "");
    if (handover_send(r->arg[0], fd, &o, &e) == 0) {
        q->h->n.upgrades++;
        return;
    }
    q->h->n.upgrades_refused++;
    log_limited(&limit, LOG_WARN, "%s: connection of %s closed after its handshake: %s", r->arg[0],
                o.peer, e.text);
}

static void upgraded(void *cls, struct MHD_Connection *c, void *ctx, const char *extra,
                     size_t extra_len, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle) {
    struct request *q = ctx;
    (void)cls;
    (void)c;
    hand_over(q, fd, extra, extra_len);
    MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
    q->h->again = true; /* MHD closes its copy only when it is run once more */
}

static void switch_protocols(struct request *q, const char *key) {
    char accept[ACCEPT_TEXT + 1];
    struct MHD_Response *r = MHD_create_response_for_upgrade(upgraded, q->h);
    reply_header(r, "Upgrade", "websocket");
    reply_header(r, "Sec-WebSocket-Accept", accept_text(key, accept));
    request_answer(q, 101, r, 0);
}

static void refuse(struct request *q, unsigned status, const char *why) {
    q->h->n.upgrades_refused++;
    if (status == 426)
        reply_error_with(q, status, "Sec-WebSocket-Version", "13");
    else
        reply_error(q, status, why);
}

static void nobody_there(struct request *q) {
    char why[128];
    snprintf(why, sizeof why, "%s: nobody takes connections there", q->route->arg[0]);
    refuse(q, 503, why);
}

/* Whether wsfanout has room for another one of this address; else it has been answered. */
static bool is_crowded(struct request *q) {
    static struct log_limit limit;
    char table[80], who[64];
    snprintf(table, sizeof table, "%s.crowd", q->route->arg[0]);
    enum crowd_room room = crowd_look(table, tries_who(conn_address(q->conn)));
    if (room == CROWD_ROOM)
        return false;
    bool of_address = room == CROWD_TOO_MANY;
    log_limited(&limit, LOG_WARN, "%s: connection of %s refused: %s", q->route->arg[0],
                conn_peer(q->conn, who, sizeof who),
                of_address ? "its address has as many as it may (wsfanout --per-address)"
                           : "all places are taken (wsfanout --clients)");
    q->h->n.upgrades_crowded++;
    refuse(q, of_address ? 429 : 503,
           of_address ? "too many connections of this address" : "too many connections");
    return true;
}

static bool too_long(const struct request *q) {
    const struct handover *limit = NULL;
    return q->raw_path_len >= sizeof limit->path || strlen(q->query) >= sizeof limit->query;
}

/* MHD switches protocols with HTTP/1.1 only and would cut others without a word. */
static bool is_old(const struct request *q) {
    return strncmp(q->version, "HTTP/1.", 7) != 0 || q->version[7] == '0';
}

static void serve(struct request *q) {
    const char *version = request_header(q, "Sec-WebSocket-Version");
    const char *key = request_header(q, "Sec-WebSocket-Key");
    if (strcmp(q->method, "GET") != 0 || !request_has_token(q, "Upgrade", "websocket") ||
        !request_has_token(q, "Connection", "upgrade"))
        refuse(q, 400, "this is a WebSocket; no \"Upgrade: websocket\" came");
    else if (is_old(q))
        refuse(q, 400, "a WebSocket needs HTTP/1.1");
    else if (!version || strcmp(version, "13") != 0)
        refuse(q, 426, NULL);
    else if (!key_ok(key))
        refuse(q, 400, "Sec-WebSocket-Key is not 16 bytes in base64");
    else if (too_long(q))
        refuse(q, 414, NULL);
    else if (!site_origin_ok(q))
        refuse(q, 403, "pages of this origin may not connect");
    else if (q->h->stopping)
        refuse(q, 503, "the server is being stopped");
    else if (!somebody_listens(q->route->arg[0]))
        nobody_there(q);
    else if (!is_crowded(q))
        switch_protocols(q, key);
}

const struct action action_ws = {.name = "ws",
                                 .usage = "ws ENDPOINT [GROUP]",
                                 .words = 1,
                                 .methods = METHOD_WS,
                                 .declare = declare,
                                 .serve = serve};
