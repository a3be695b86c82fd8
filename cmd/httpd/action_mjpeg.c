/* GET PATH mjpeg ENDPOINT TOPIC KEY: the images that action image shows, one after another (where
 * the path has no {name}: those of every key), as multipart/x-mixed-replace, which every browser
 * and most viewers of cameras play.
 *
 * A viewer gets the newest image at once and then each one that comes while it is not busy with an
 * earlier one: what it is too slow for is skipped, and counted; an image is never cut. One that
 * nothing has come of yet is waited for. Not chunked, for simple viewers, so the connection ends
 * with the stream.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "crowd.h"
#include "endless.h"
#include "images.h"
#include "reply.h"
#include "server.h"
#include "tries.h"

enum { BLOCK = 64 << 10 /* bytes that MHD sends at a time: most pictures in one piece */ };

static const char TYPE[] = "multipart/x-mixed-replace; boundary=" IMAGE_BOUNDARY;
static const char FIRST[] = "--" IMAGE_BOUNDARY "\r\n";

struct viewer {
    struct endless on; /* the first */
    const struct image_feed *feed;
    char key[IMAGE_KEY];
    uint64_t who;          /* its address, see tries.h */
    struct image *sending; /* NULL: it waits for the next */
    size_t sent;           /* bytes of it, or of FIRST at the beginning */
    bool begun;
    uint64_t serial, nth; /* of the image taken last; 0 = none yet */
};

static struct {
    struct httpd *h;
    struct endless *first;
    struct crowd crowd; /* viewers by address; of all routes */
    bool ending;
} hub;

/* ---- waking ---- */

static struct viewer *viewer_of(struct endless *on) {
    return (struct viewer *)on;
}

static void on_new(const struct image_feed *f, const char *key) {
    bool any = false;
    for (struct endless *on = hub.first; on; on = on->next) {
        const struct viewer *v = viewer_of(on);
        if (on->suspended && v->feed == f && images_key_means(v->key, key)) {
            endless_resume(on);
            any = true;
        }
    }
    if (any)
        server_run(hub.h);
}

/* ---- sending: MHD asks ---- */

/* Take the newest, if it is another one than the last. */
static void take_newest(struct viewer *v) {
    struct image *im = images_newest(v->feed, v->key);
    if (!im || im->serial == v->serial)
        return;
    uint64_t nth = *v->key ? im->nth : im->nth_any;
    if (v->nth && nth > v->nth) /* it counts anew when its key was forgotten meanwhile */
        hub.h->n.mjpeg_skipped += nth - v->nth - 1;
    v->serial = im->serial;
    v->nth = nth;
    v->sending = image_hold(im);
    v->sent = 0;
    hub.h->n.mjpeg_images++;
}

static size_t copy_first(struct viewer *v, char *out, size_t room) {
    size_t n = endless_copy(FIRST, sizeof FIRST - 1, &v->sent, out, room);
    v->begun = v->sent == sizeof FIRST - 1;
    return n;
}

static size_t copy_some(struct viewer *v, char *out, size_t room) {
    size_t n = endless_copy(v->sending->bytes, v->sending->part, &v->sent, out, room);
    if (v->sent == v->sending->part) {
        image_drop(v->sending);
        v->sending = NULL;
    }
    return n;
}

static ssize_t read_on(void *cls, uint64_t pos, char *out, size_t room) {
    struct viewer *v = cls;
    size_t n = 0;
    (void)pos;
    if (v->on.cut)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (!v->begun)
        n = copy_first(v, out, room);
    if (v->begun && !v->sending && !hub.ending)
        take_newest(v);
    if (v->begun && v->sending)
        n += copy_some(v, out + n, room - n);
    else if (n == 0 && hub.ending)
        return MHD_CONTENT_READER_END_OF_STREAM;
    return endless_gave(&v->on, n);
}

/* The response is freed: the connection has gone, or never took it. */
static void ended(void *cls) {
    struct viewer *v = cls;
    endless_unlink(&v->on, &hub.first);
    hub.h->n.mjpeg_viewers--;
    crowd_leave(&hub.crowd, v->who);
    image_drop(v->sending);
    free(v);
}

/* ---- beginning ---- */

/* Whether there is room for another one of its address; else it has been answered. */
static bool may_view(struct request *q, uint64_t who) {
    enum crowd_room room = crowd_enter(&hub.crowd, who);
    char why[80];
    if (room == CROWD_FULL)
        snprintf(why, sizeof why, "%lld viewers are connected already, the most there may be",
                 (long long)q->h->viewers);
    else
        snprintf(why, sizeof why, "%u viewers of this address are connected already",
                 crowd_each(&hub.crowd));
    if (room != CROWD_ROOM)
        reply_error(q, room == CROWD_FULL ? 503 : 429, why);
    return room == CROWD_ROOM;
}

static void stream(struct request *q, const char *key) {
    uint64_t who = tries_who(conn_address(q->conn));
    if (!may_view(q, who))
        return;
    struct viewer *v = mem_alloc(sizeof *v);
    v->who = who;
    v->feed = q->route->own;
    strcpy(v->key, key);
    endless_link(&v->on, &hub.first, q);
    hub.h->n.mjpeg_viewers++;
    struct MHD_Response *r = endless_response(&v->on, TYPE, BLOCK, read_on, ended);
    if (!r)
        return;
    MHD_set_response_options(r, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    request_answer(q, 200, r, 0);
}

static void serve(struct request *q) {
    char key[IMAGE_KEY];
    struct httpd *h = hub.h = q->h;
    if (h->stopping) {
        reply_error(q, 503, "the server is being stopped");
    } else if (!images_key(q, key)) {
        reply_error(q, 404, "no image has such a name");
    } else if (strcmp(q->method, "HEAD") == 0) {
        reply_bytes(q, 200, TYPE, "", 0);
    } else {
        stream(q, key);
    }
}

/* ---- once a second, and the end ---- */

static void tick(struct httpd *h, struct route *r) {
    bool cut = false;
    for (struct endless *on = hub.first; on; on = on->next)
        if (viewer_of(on)->feed == r->own && on->suspended && endless_gone(on)) {
            on->cut = cut = true;
            endless_resume(on);
        }
    if (cut)
        server_run(h);
}

static int mjpeg_open(struct httpd *h, struct route *r, struct err *e) {
    hub.h = h;
    if (!hub.crowd.head)
        crowd_open(&hub.crowd, NULL, (uint32_t)h->viewers, 0);
    images_watch(on_new);
    return images_open(h, r, e);
}

/* Every stream ends after the picture it is sending. */
static void stop(struct httpd *h, struct route *r) {
    (void)h;
    (void)r;
    hub.ending = true;
    endless_resume_all(hub.first);
}

static void close_all(struct httpd *h, struct route *r) {
    (void)r;
    crowd_close(&hub.crowd); /* the first of the routes: all viewers have gone with the server */
    images_close(h);
}

static int declare(struct httpd *h, struct route *r, struct err *e) {
    (void)h;
    return images_declare(r, NULL, e);
}

const struct action action_mjpeg = {.name = "mjpeg",
                                    .usage = "mjpeg ENDPOINT TOPIC KEY",
                                    .words = 3,
                                    .methods = METHOD_GET | METHOD_HEAD,
                                    .declare = declare,
                                    .open = mjpeg_open,
                                    .serve = serve,
                                    .tick = tick,
                                    .stop = stop,
                                    .close = close_all};
