/* images: the newest image of every camera (or whatever the key stands for), for the routes that
 * show it.
 *
 * An image is copied once, when its message comes, and from then on shared by everybody it is sent
 * to. At most --images keys and --image-bytes are kept, of all routes together: the image that was
 * renewed longest ago makes room, and is counted. What is still being sent is freed after that.
 */
#ifndef HTTPD_IMAGES_H
#define HTTPD_IMAGES_H

#include "request.h"

enum { IMAGE_KEY = 64 };

#define IMAGE_BOUNDARY "tapline-frame"

/* One part of multipart/x-mixed-replace, with the boundary behind it, because a browser shows a
 * picture when it sees where it ends. */
struct image {
    unsigned refs;
    uint64_t time_ns; /* of the message */
    uint64_t serial;  /* no other image has it */
    uint64_t nth;     /* of its key, since the key was first seen */
    uint64_t nth_any; /* of its feed, whatever the key */
    const char *type;
    size_t head, size; /* bytes in front of the picture, and of it */
    size_t part;       /* bytes in all */
    char bytes[];
};

struct image_feed; /* one ENDPOINT, TOPIC and KEY */

/* Check the words ENDPOINT TOPIC KEY of a route and put its feed into r->own; routes with the same
 * words share one. Its path has one parameter, the key, or none: then the newest of any key is
 * meant. more: the word that may follow them, or NULL. */
int images_declare(struct route *r, const char *more, struct err *e);
/* Subscribe, unless -i has done so. */
int images_open(struct httpd *h, struct route *r, struct err *e);
void images_close(struct httpd *h);
/* The stage's on_msg. */
void images_message(void *ctx, const struct msg *m);

/* The parameter of q as keys are compared: in lower case, without : and -; "" when its path has
 * none. False when it can be no key. */
bool images_key(const struct request *q, char key[IMAGE_KEY]);

/* The newest of that key, or of any when key is "". NULL when there is none. Take a reference
 * (image_hold) to keep it beyond the callback. */
struct image *images_newest(const struct image_feed *f, const char *key);
struct image *image_hold(struct image *im);
void image_drop(struct image *im);

/* Whether somebody who asked for key `wanted` means images of `key`. */
bool images_key_means(const char *wanted, const char *key);

/* Called with each image that comes; one watcher. */
void images_watch(void (*on_new)(const struct image_feed *f, const char *key));

#endif
