#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "play.h"

enum {
    WINDOW_BYTES = 16 << 20,
    BATCH_BYTES = 1 << 20,
    LOOK_MS = 1000,   /* how often a stage that owes an answer is asked whether it is there */
    THERE_MS = 5000,  /* and how soon it must say so; */
    PUT_MS = 86400000 /* but a slow pipeline may take its time over what it is to publish */
};

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

static int open_way(struct play_target *t, struct err *e) {
    struct play_way *w = mem_alloc(sizeof *w);
    if (rpc_client_open(&w->client, t->into->loop, t->endpoint, e) < 0) {
        free(w);
        return -1;
    }
    w->before = t->way;
    t->way = w;
    return 0;
}

static int open_target(struct play_target *t, const char *source, struct err *e) {
    if (!t->endpoint[0] || strcmp(t->endpoint, "-") == 0)
        return err_set(e, CAUSE_USAGE,
                       "the recording does not say which endpoint its messages came from (--into"
                       " STAGE, or -o ENDPOINT)");
    if (open_way(t, e) == 0)
        return 0;
    char why[sizeof e->text];
    strcpy(why, e->text);
    return err_set(e, e->cause, "%.100s (the recording's \"%s\" can go elsewhere: --map %s=STAGE)",
                   why, source, source);
}

/* ---- answers ---- */

static void go_on(struct play_into *p) {
    bool room = p->open < PLAY_WINDOW && p->open_bytes < WINDOW_BYTES;
    if ((p->blocked && room) || p->open == 0) {
        p->blocked = false;
        p->on_room(p->ctx);
    }
}

/* One request is over; so many of its messages were published. */
static void settle(struct play_sent *slot, uint64_t count, const char *why) {
    static struct log_limit limit;
    struct play_sent s = *slot;
    struct play_into *p = s.target->into;
    *slot = (struct play_sent){0};
    p->open--;
    p->open_bytes -= s.bytes;
    p->played += count;
    p->failed += s.messages - count;
    if (count < s.messages)
        log_limited(&limit, LOG_ERROR, "%llu messages were not played: %s",
                    (unsigned long long)(s.messages - count), why);
}

static void done(void *ctx, const struct rpc_result *r) {
    struct play_sent *s = ctx;
    struct play_into *p = s->target->into;
    uint64_t count = 0;
    if (r->ok)
        mp_get_uint(r->body, r->len, "count", &count);
    settle(s, count, r->ok ? "the stage could not publish them" : r->error);
    go_on(p);
}

/* ---- whether the stage is there ---- */

/* What it was asked and has not answered it never will. */
static void start_anew(struct play_target *t, const char *why) {
    struct play_into *p = t->into;
    struct err e;
    for (size_t i = 0; i < PLAY_SLOTS; i++)
        if (p->sent[i].target == t)
            settle(&p->sent[i], 0, why);
    rpc_client_close(&t->way->client);
    if (open_way(t, &e) < 0)
        p->on_gone(p->ctx, e.text);
    else
        go_on(p);
}

static uint64_t pid_of(const struct rpc_result *r) {
    struct mp_value v;
    struct mp_cursor stats;
    uint64_t pid = 0;
    if (r->ok && mp_find(r->body, r->len, "stats", &v, &stats) && v.type == MP_MAP)
        mp_get_uint(stats.at, (size_t)(stats.end - stats.at), "pid", &pid);
    return pid;
}

static void seen(void *ctx, const struct rpc_result *r) {
    struct play_target *t = ctx;
    struct play_into *p = t->into;
    bool there = r->ok || r->cause == CAUSE_FAILED, was_there = t->was_there;
    uint64_t pid = pid_of(r), before = t->pid;
    t->is_asked = false;
    t->was_there |= there;
    t->pid = pid ? pid : before;
    if (!there)
        start_anew(t, r->error);
    else if (before && pid && pid != before)
        start_anew(t, "the stage was started again meanwhile");
    if (!there && !was_there)
        p->on_gone(p->ctx, r->error);
}

static void is_there(struct play_target *t) {
    static struct buf request;
    if (t->is_asked)
        return;
    t->is_asked = true;
    buf_clear(&request);
    rpc_request_begin(&request, "stats", 0);
    rpc_request(&t->way->client, &request, THERE_MS, seen, t);
}

static bool owes_answer(const struct play_target *t) {
    for (size_t i = 0; i < PLAY_SLOTS; i++)
        if (t->into->sent[i].target == t)
            return true;
    return false;
}

static void on_look(uv_timer_t *h) {
    struct play_into *p = h->data;
    for (size_t i = 0; i < p->targets; i++)
        if (owes_answer(&p->target[i]))
            is_there(&p->target[i]);
}

static void start_looking(struct play_into *p) {
    uv_timer_init(p->loop, &p->look);
    p->look.data = p;
    uv_timer_start(&p->look, on_look, LOOK_MS, LOOK_MS);
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
    if (open_target(t, source, e) < 0)
        return NULL;
    if (p->targets++ == 0)
        start_looking(p);
    is_there(t);
    return t;
}

/* ---- requests ---- */

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
    rpc_request(&t->way->client, &request, PUT_MS, done, s);
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
        rpc_client_close(&p->target[i].way->client);
    if (p->look.data)
        uv_close((uv_handle_t *)&p->look, NULL);
}

void play_into_free(struct play_into *p) {
    for (size_t i = 0; i < p->targets; i++) {
        struct play_target *t = &p->target[i];
        while (t->way) {
            struct play_way *w = t->way;
            t->way = w->before;
            free(w);
        }
        buf_free(&t->batch);
    }
}
