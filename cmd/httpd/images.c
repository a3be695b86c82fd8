#include "images.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

struct image_feed {
    const char *endpoint, *topic, *key; /* words of the first route that names them */
    uint64_t count;
};

struct slot {
    const struct image_feed *feed;
    char key[IMAGE_KEY];
    struct image *newest;
    uint64_t count;
};

static struct {
    struct image_feed feed[ROUTE_MAX];
    size_t feeds;
    struct slot *slot; /* owned */
    size_t slots, cap;
    uint64_t bytes, came;
    void (*on_new)(const struct image_feed *f, const char *key);
} all;

/* ---- declaring ---- */

static size_t params_of(const struct route *r) {
    size_t n = 0;
    for (size_t i = 0; i < r->segments; i++)
        n += r->param[i];
    return n;
}

static struct image_feed *feed_of(char *const word[3]) {
    for (size_t i = 0; i < all.feeds; i++)
        if (strcmp(all.feed[i].endpoint, word[0]) == 0 && strcmp(all.feed[i].topic, word[1]) == 0 &&
            strcmp(all.feed[i].key, word[2]) == 0)
            return &all.feed[i];
    all.feed[all.feeds] = (struct image_feed){word[0], word[1], word[2], 0};
    return &all.feed[all.feeds++];
}

int images_declare(struct route *r, const char *more, struct err *e) {
    struct endpoint ep;
    bool fits = r->args == 3 || (r->args == 4 && more && strcmp(r->arg[3], more) == 0);
    if (!fits)
        return action_misused(r, e);
    if (params_of(r) > 1)
        return err_set(
            e, CAUSE_USAGE,
            "route \"%s\": the path has at most one {name}, which of the images is meant",
            r->shown);
    if (endpoint_parse(&ep, r->arg[0], e) < 0)
        return -1;
    if (ep.kind != ENDPOINT_NNG || ep.prefix[0])
        return err_set(e, CAUSE_USAGE, "route \"%s\": \"%s\" is no name or URL of an endpoint",
                       r->shown, r->arg[0]);
    if (!msg_topic_valid(r->arg[1], strlen(r->arg[1])))
        return err_set(e, CAUSE_USAGE, "route \"%s\": \"%s\" is no topic", r->shown, r->arg[1]);
    r->own = feed_of(r->arg);
    return 0;
}

static bool is_subscribed(const struct sub *s, const struct image_feed *f) {
    for (size_t i = 0; i < s->inputs; i++)
        if (strcmp(s->in[i]->ep.name, f->endpoint) == 0 &&
            strncmp(f->topic, s->in[i]->ep.prefix, strlen(s->in[i]->ep.prefix)) == 0)
            return true;
    return false;
}

int images_open(struct httpd *h, struct route *r, struct err *e) {
    const struct image_feed *f = r->own;
    char input[320];
    if (is_subscribed(&h->st.sub, f))
        return 0;
    snprintf(input, sizeof input, "%s?%s", f->endpoint, f->topic);
    return sub_add(&h->st.sub, input, e);
}

void images_watch(void (*on_new)(const struct image_feed *f, const char *key)) {
    all.on_new = on_new;
}

/* ---- keys ---- */

/* n bytes as keys are compared; false when they are none. */
static bool key_of(const char *s, size_t n, char out[IMAGE_KEY]) {
    size_t o = 0;
    for (size_t i = 0; i < n && o < IMAGE_KEY; i++)
        if (s[i] != ':' && s[i] != '-')
            out[o++] = (char)tolower((unsigned char)s[i]);
    if (o == 0 || o == IMAGE_KEY || memchr(out, 0, o))
        return false;
    out[o] = 0;
    return true;
}

bool images_key(const struct request *q, char key[IMAGE_KEY]) {
    const struct route *r = q->route;
    size_t i = 0, n;
    while (i < r->segments && !r->param[i])
        i++;
    key[0] = 0;
    if (i == r->segments)
        return true;
    const char *text = route_param(r, &q->path, i, &n);
    return key_of(text, n, key);
}

bool images_key_means(const char *wanted, const char *key) {
    return !*wanted || strcmp(wanted, key) == 0;
}

static struct slot *find(const struct image_feed *f, const char *key) {
    for (size_t i = 0; i < all.slots; i++)
        if (all.slot[i].feed == f && strcmp(all.slot[i].key, key) == 0)
            return &all.slot[i];
    return NULL;
}

struct image *images_newest(const struct image_feed *f, const char *key) {
    struct image *newest = NULL;
    for (const struct slot *s = all.slot; s < all.slot + all.slots; s++)
        if (s->feed == f && images_key_means(key, s->key) &&
            (!newest || s->newest->serial > newest->serial))
            newest = s->newest;
    return newest;
}

/* ---- images ---- */

struct image *image_hold(struct image *im) {
    im->refs++;
    return im;
}

void image_drop(struct image *im) {
    if (im && --im->refs == 0)
        free(im);
}

static const char *type_of(const uint8_t *p, size_t n) {
    static const struct {
        const char *magic, *type;
        size_t n;
    } known[] = {{"\xff\xd8\xff", "image/jpeg", 3},
                 {"\x89PNG\r\n\x1a\n", "image/png", 8},
                 {"GIF8", "image/gif", 4}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (n >= known[i].n && memcmp(p, known[i].magic, known[i].n) == 0)
            return known[i].type;
    return "application/octet-stream";
}

static struct image *image_make(const uint8_t *p, size_t n, uint64_t time_ns) {
    static const char tail[] = "\r\n--" IMAGE_BOUNDARY "\r\n";
    char head[160];
    const char *type = type_of(p, n);
    int len = snprintf(head, sizeof head,
                       "Content-Type: %s\r\nContent-Length: %zu\r\nX-Timestamp: %llu.%06llu\r\n"
                       "\r\n",
                       type, n, (unsigned long long)(time_ns / 1000000000u),
                       (unsigned long long)(time_ns / 1000 % 1000000));
    struct image *im = malloc(sizeof *im + (size_t)len + n + sizeof tail - 1);
    if (!im)
        return NULL;
    *im = (struct image){.refs = 1,
                         .time_ns = time_ns,
                         .type = type,
                         .head = (size_t)len,
                         .size = n,
                         .part = (size_t)len + n + sizeof tail - 1};
    memcpy(im->bytes, head, (size_t)len);
    memcpy(im->bytes + len, p, n);
    memcpy(im->bytes + (size_t)len + n, tail, sizeof tail - 1);
    return im;
}

/* ---- keeping ---- */

static void slot_empty(struct slot *s) {
    if (s->newest)
        all.bytes -= s->newest->size;
    image_drop(s->newest);
    s->newest = NULL;
}

static void forget_oldest(struct httpd *h, const struct slot *but) {
    struct slot *oldest = NULL;
    for (struct slot *s = all.slot; s < all.slot + all.slots; s++)
        if (s != but && (!oldest || s->newest->serial < oldest->newest->serial))
            oldest = s;
    h->n.images_dropped++;
    slot_empty(oldest);
    *oldest = all.slot[--all.slots];
}

static struct slot *slot_for(struct httpd *h, const struct image_feed *f, const char *key) {
    static struct log_limit limit;
    struct slot *s = find(f, key);
    if (s)
        return s;
    if (all.slots == (size_t)h->images) {
        log_limited(&limit, LOG_WARN,
                    "more than %zu different images: the one not renewed longest is forgotten "
                    "(raise --images)",
                    all.slots);
        forget_oldest(h, NULL);
    }
    if (all.slots == all.cap) {
        all.cap = all.cap ? 2 * all.cap : 8;
        all.slot = mem_resize(all.slot, all.cap * sizeof *all.slot);
    }
    s = &all.slot[all.slots++];
    *s = (struct slot){.feed = f};
    strcpy(s->key, key);
    return s;
}

static bool has_room(struct httpd *h, size_t n) {
    static struct log_limit limit;
    if (n <= (uint64_t)h->image_bytes)
        return true;
    h->n.images_dropped++;
    log_limited(&limit, LOG_WARN,
                "an image of %zu bytes is not kept: --image-bytes allows %lld in all", n,
                (long long)h->image_bytes);
    return false;
}

static void keep(struct httpd *h, struct image_feed *f, const char *key, struct image *im) {
    struct slot *s = slot_for(h, f, key);
    slot_empty(s);
    s->newest = im;
    im->serial = ++all.came;
    im->nth = ++s->count;
    im->nth_any = ++f->count;
    all.bytes += im->size;
    while (all.bytes > (uint64_t)h->image_bytes) {
        forget_oldest(h, s);
        s = find(f, key); /* it may have moved */
    }
    h->n.images_kept = all.slots;
    h->n.images_bytes = all.bytes;
}

/* ---- messages ---- */

static bool message_key(const struct image_feed *f, const struct msg *m, char key[IMAGE_KEY]) {
    char number[24];
    const char *text;
    uint64_t u;
    size_t n;
    if (mp_get_str(m->body, m->body_len, f->key, &text, &n))
        return key_of(text, n, key);
    if (!mp_get_uint(m->body, m->body_len, f->key, &u))
        return false;
    snprintf(number, sizeof number, "%llu", (unsigned long long)u);
    return key_of(number, strlen(number), key);
}

static void take(struct httpd *h, struct image_feed *f, const struct msg *m) {
    char key[IMAGE_KEY];
    const uint8_t *p;
    size_t n;
    if (!mp_get_bin(m->body, m->body_len, "data", &p, &n) || !message_key(f, m, key)) {
        h->st.stats.bad++;
        return;
    }
    struct image *im = has_room(h, n) ? image_make(p, n, m->time) : NULL;
    if (!im)
        return;
    keep(h, f, key, im);
    if (all.on_new)
        all.on_new(f, key);
}

void images_message(void *ctx, const struct msg *m) {
    struct httpd *h = ctx;
    for (struct image_feed *f = all.feed; f < all.feed + all.feeds; f++)
        if (msg_is(m, f->topic) && strcmp(h->st.sub.from->ep.name, f->endpoint) == 0)
            take(h, f, m);
}

void images_close(struct httpd *h) {
    (void)h;
    while (all.slots)
        slot_empty(&all.slot[--all.slots]);
    free(all.slot);
    all.slot = NULL;
}
