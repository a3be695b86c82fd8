/* hub_post: HTTP POST as the cameras' firmware does it: a connection for each request, closed by
 * whoever is first, at most HUB_POST_MS, and of the answer only the status is looked at.
 */
#ifndef DEVSIM_HUB_POST_H
#define DEVSIM_HUB_POST_H

#include "hub_tcp.h"
#include "hub_url.h"

enum { HUB_POST_MS = 5000 };

struct hub_post {
    /* Set by the owner. */
    const struct hub_url *url;
    const char *token; /* Authorization header; "" = none */
    /* status 0: no answer, why says the reason. Another request may follow from then on. */
    void (*on_answer)(void *ctx, unsigned status, const char *why);
    void *ctx;

    bool busy;

    /* Its own. */
    uv_loop_t *loop;
    uv_timer_t timer;
    struct hub_tcp tcp;
    struct buf request;
    char line[16]; /* the start of the answer */
    size_t len;
    unsigned status;
    bool quit;
};

void hub_post_init(struct hub_post *p, uv_loop_t *loop);
/* Only while it is not busy. The data is copied. path: with its query, plain ASCII. */
void hub_post_send(struct hub_post *p, const char *path, const char *type, const void *data,
                   size_t n);
/* Memory must live until the loop has run its close callbacks; on_answer is not called any more. */
void hub_post_close(struct hub_post *p);
/* When the loop has run. */
void hub_post_free(struct hub_post *p);

#endif
