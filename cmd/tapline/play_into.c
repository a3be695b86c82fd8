#include <stdio.h>
#include <string.h>

#include "log.h"
#include "play.h"

enum { WINDOW_BYTES = 16 << 20, BATCH_BYTES = 1 << 20, ANSWER_MS = 5000 };

/* ---- where a source goes ---- */

static const char *mapped(const struct play_into *p, const char *source) {
    size_t n = strlen(source);
    for (size_t i = 0; p->maps && i < p->maps->n; i++) {
        const char *map = p->maps->item[i], *eq = strrchr(map, '=');
        if (eq && (size_t)(eq - map) == n && strncmp(map, source, n) == 0)
            return eq + 1;
    }
    return p->all ? p->all : source;
}

static int open_target(struct play_into *p, struct play_target *t, const char *source,
                       struct err *e) {
    if (!t->endpoint[0] || strcmp(t->endpoint, "-") == 0)
        return err_set(e, CAUSE_USAGE,
                       "the recording does not say which endpoint its messages came from (--into"
                       " STAGE, or -o ENDPOINT)");
    if (rpc_client_open(&t->client, p->loop, t->endpoint, e) == 0)
        return 0;
    char why[sizeof e->text];
    strcpy(why, e->text);
    return err_set(e, e->cause, "%.100s (the recording's \"%s\" can go elsewhere: --map %s=STAGE)",
                   why, source, source);
}

/* By where it goes: what comes from several sources into one stage stays in order. */
static struct play_target *find(struct play_into *p, const char *source, struct err *e) {
    const char *endpoint = mapped(p, source);
    for (size_t i = 0; i < p->targets; i++)
        if (strcmp(p->target[i].endpoint, endpoint) == 0)
            return &p->target[i];
    if (p->targets == PLAY_TARGETS) {
        err_set(e, CAUSE_LIMIT, "more than %d stages to play into", PLAY_TARGETS);
        return NULL;
    }
    struct play_target *t = &p->target[p->targets];
    t->into = p;
    snprintf(t->endpoint, sizeof t->endpoint, "%s", endpoint);
    if (open_target(p, t, source, e) < 0)
        return NULL;
    p->targets++;
    return t;
}

/* ---- requests ---- */

static void done(void *ctx, const struct rpc_result *r) {
    static struct log_limit limit;
    struct play_sent s = *(struct play_sent *)ctx;
    struct play_into *p = s.target->into;
    *(struct play_sent *)ctx = (struct play_sent){0};
    p->open--;
    p->open_bytes -= s.bytes;
    uint64_t count = 0;
    if (r->ok)
        mp_get_uint(r->body, r->len, "count", &count);
    s.target->answered |= r->ok;
    p->played += count;
    p->failed += s.messages - count;
    if (count < s.messages)
        log_limited(&limit, LOG_ERROR, "%llu messages were not played: %s",
                    (unsigned long long)(s.messages - count),
                    r->ok ? "the stage could not publish them" : r->error);
    if (!r->ok && !s.target->answered)
        p->on_gone(p->ctx, r->error);
    bool room = p->open < PLAY_WINDOW && p->open_bytes < WINDOW_BYTES;
    if ((p->blocked && room) || p->open == 0) {
        p->blocked = false;
        p->on_room(p->ctx);
    }
}

static struct play_sent *free_slot(struct play_into *p) {
    size_t i = 0;
    while (p->sent[i].target)
        i++;
    return &p->sent[i];
}

static void send_batch(struct play_into *p, struct play_target *t) {
    static struct buf request;
    struct play_sent *s = free_slot(p);
    *s = (struct play_sent){t, t->batched, buf_len(&t->batch)};
    buf_clear(&request);
    rpc_request_begin(&request, "put", 2);
    mp_kv_bool(&request, "keep_time", p->keep_time);
    mp_kv_bin(&request, "data", buf_data(&t->batch), buf_len(&t->batch));
    buf_clear(&t->batch);
    t->batched = 0;
    p->open++;
    p->open_bytes += s->bytes;
    p->blocked = p->open >= PLAY_WINDOW || p->open_bytes >= WINDOW_BYTES;
    rpc_request(&t->client, &request, ANSWER_MS, done, s);
}

/* At most one more for each target than the window, and as many slots there are. */
void play_into_flush(struct play_into *p) {
    for (size_t i = 0; i < p->targets; i++)
        if (p->target[i].batched)
            send_batch(p, &p->target[i]);
}

int play_into_add(struct play_into *p, const char *source, const struct msg *m, struct err *e) {
    struct play_target *t = find(p, source, e);
    if (!t)
        return -1;
    if (t->batched && buf_len(&t->batch) + m->raw_len > BATCH_BYTES)
        send_batch(p, t);
    buf_put(&t->batch, m->raw, m->raw_len);
    t->batched++;
    return 0;
}

void play_into_close(struct play_into *p) {
    for (size_t i = 0; i < p->targets; i++)
        rpc_client_close(&p->target[i].client);
}

void play_into_free(struct play_into *p) {
    for (size_t i = 0; i < p->targets; i++)
        buf_free(&p->target[i].batch);
}
