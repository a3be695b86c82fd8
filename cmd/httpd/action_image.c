/* GET PATH image ENDPOINT TOPIC KEY [age] [else TEXT]: the newest image of that topic whose body
 * has, as KEY, what the path's {name} says; "24:6F:28:A1:B2:C3" and "246f28a1b2c3" are the same.
 * Without a {name} the newest of all. 404 until one comes, with TEXT.
 *
 * age: for pages that ask again and again. The answer says how old the image is (X-Frame-Age: 0.1s)
 * and is never to be kept anywhere; without it a browser that has the newest is told so (304).
 */
#include <stdio.h>
#include <string.h>

#include "cond.h"
#include "images.h"
#include "reply.h"

static void free_image(void *cls) {
    image_drop(cls);
}

static struct MHD_Response *make(struct image *im, unsigned status) {
    if (status == 304)
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *r = MHD_create_response_from_buffer_with_free_callback_cls(
        im->size, im->bytes + im->head, free_image, image_hold(im));
    if (!r)
        image_drop(im);
    reply_header(r, "Content-Type", im->type);
    return r;
}

static void send_image(struct request *q, struct image *im) {
    char text[COND_TEXT];
    struct cond_file is = {im->time_ns, im->size};
    struct cond_ask ask = {request_header(q, "If-None-Match"),
                           request_header(q, "If-Modified-Since"), NULL, NULL};
    struct cond_part part;
    cond_decide(&is, &ask, &part);
    struct MHD_Response *r = make(im, part.status);
    reply_header(r, "ETag", cond_etag(&is, text));
    reply_header(r, "Last-Modified", cond_date(&is, text));
    reply_header(r, "Cache-Control", "no-cache");
    reply_header(r, "X-Content-Type-Options", "nosniff");
    request_answer(q, part.status, r, part.status == 304 ? 0 : im->size);
}

static void send_with_age(struct request *q, struct image *im) {
    char age[32];
    uint64_t now = clock_wall_ns();
    double s = now > im->time_ns ? (double)(now - im->time_ns) / 1e9 : 0;
    struct MHD_Response *r = make(im, 200);
    snprintf(age, sizeof age, "%.1fs", s);
    reply_header(r, "X-Frame-Age", age);
    reply_header(r, "Cache-Control", "no-cache, no-store, must-revalidate");
    reply_header(r, "Pragma", "no-cache");
    reply_header(r, "Expires", "0");
    reply_header(r, "X-Content-Type-Options", "nosniff");
    request_answer(q, 200, r, im->size);
}

static void send_none(struct request *q) {
    const char *text = q->route->otherwise;
    if (text)
        reply_bytes(q, 404, "text/html; charset=utf-8", text, strlen(text));
    else
        reply_error(q, 404, "no image of this name has come yet");
}

static void serve(struct request *q) {
    char key[IMAGE_KEY];
    struct image *im = images_key(q, key) ? images_newest(q->route->own, key) : NULL;
    if (!im)
        send_none(q);
    else if (q->route->args > 3)
        send_with_age(q, im);
    else
        send_image(q, im);
}

static int declare(struct httpd *h, struct route *r, struct err *e) {
    (void)h;
    return images_declare(r, "age", e);
}

static void close_all(struct httpd *h, struct route *r) {
    (void)r;
    images_close(h);
}

const struct action action_image = {.name = "image",
                                    .usage = "image ENDPOINT TOPIC KEY [age] [else TEXT]",
                                    .words = 3,
                                    .methods = METHOD_GET | METHOD_HEAD,
                                    .has_else = true,
                                    .declare = declare,
                                    .open = images_open,
                                    .serve = serve,
                                    .close = close_all};
