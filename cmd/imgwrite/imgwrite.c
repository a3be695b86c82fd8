#include "imgwrite.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mac.h"

enum { STATISTICS_EVERY = 10, NS_PER_US = 1000, HEAL_NS = 1000000000 };

static const char suffix[] = ".image";

/* ---- the end ---- */

/* Whoever sends SIGTERM waits for what is being saved, not for files to be removed. */
static void check_end(struct imgwrite *w) {
    if (w->queue.count)
        return;
    if (w->stopping)
        stage_stopped(&w->st);
    else if (w->ended && store_idle(&w->store))
        stage_stop(&w->st, w->failed || w->st.sub.failed);
}

static void on_idle(void *ctx) {
    check_end(ctx);
}

static void on_end(void *ctx) {
    struct imgwrite *w = ctx;
    w->ended = true;
    check_end(w);
}

static void on_stop(void *ctx) {
    struct imgwrite *w = ctx;
    w->stopping = true;
    sub_pause(&w->st.sub, true);
    store_cancel(&w->store);
    check_end(w);
}

/* ---- a picture is over ---- */

static void publish(struct imgwrite *w, const struct job *j, uint64_t took_us) {
    char path[SAVE_PATH], mac[MAC_TEXT], hex[2 * SHA256_DIGEST_SIZE + 1];
    if (!pub_wanted(&w->st.pub))
        return;
    snprintf(path, sizeof path, "%s/%s", w->place.dir, j->name);
    struct buf *b = stage_begin(&w->st, "image.saved", j->time, 8 + w->queue.hash);
    mp_kv_str(b, "name", j->name);
    mp_kv_str(b, "path", path);
    mp_kv_str(b, "mac", mac_text(j->facts.mac, mac));
    mp_kv_uint(b, "bytes", buf_len(&j->data));
    mp_kv_uint(b, "time", j->facts.time_us * NS_PER_US);
    mp_kv_str(b, "topic", j->facts.topic);
    mp_kv_uint(b, "took_us", took_us);
    mp_kv_str(b, "verified", j->verified[0] ? j->verified : NULL);
    for (int i = 0; i < SHA256_DIGEST_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", j->sha256[i]);
    if (w->queue.hash)
        mp_kv_str(b, "sha256", hex);
    stage_end(&w->st);
}

/* Whoever reads the log shall know that nobody vouched for this one. */
static bool is_unverified(const struct job *j) {
    return strcmp(j->verified, "none") == 0;
}

static void say_saved(const struct imgwrite *w, const struct job *j) {
    char mac[MAC_TEXT];
    log_info("saved %s: %zu bytes, %s%s", mac_text(j->facts.mac, mac), buf_len(&j->data), j->name,
             is_unverified(j) ? " (unverified)" : "");
    if (w->saved % STATISTICS_EVERY)
        return;
    double seconds = (double)(clock_mono_ns() - w->st.stats.started_ns) / 1e9;
    log_info("%llu pictures saved, %.1f bytes on average, %.1f s since the start",
             (unsigned long long)w->saved, (double)w->saved_bytes / (double)w->saved, seconds);
}

/* On a disk that is nearly full small pictures fit and large ones do not: it is well again when a
 * picture was saved and none has failed for a while. */
static void heal(struct imgwrite *w) {
    if (w->failing && !(w->recovered && clock_mono_ns() - w->failed_at_ns >= HEAL_NS))
        return;
    if (w->failing)
        log_info("saving again in %s; %llu pictures were lost", w->place.dir,
                 (unsigned long long)w->lost);
    w->failing = false;
    w->lost = 0;
    stage_cause(&w->st, CAUSE_OK, NULL);
}

static void done_well(struct imgwrite *w, const struct job *j) {
    w->saved++;
    w->saved_bytes += buf_len(&j->data);
    w->unverified += is_unverified(j);
    w->average_bytes = w->saved_bytes / w->saved;
    w->last_us = (clock_mono_ns() - j->taken_ns) / NS_PER_US;
    w->recovered = true;
    heal(w);
    bool vanished = j->remade && w->store.scanned;
    if (vanished)
        log_warn("the directory %s was missing and has been made again", w->place.dir);
    say_saved(w, j);
    if (w->st.pub.outputs)
        publish(w, j, w->last_us);
    stage_latency(&w->st, j->time);
    store_saved(&w->store, j->name, &j->facts, buf_len(&j->data));
    if (vanished)
        store_scan(&w->store);
}

/* Said once, however many pictures it concerns; the state tells while it lasts. */
static void done_badly(struct imgwrite *w, const struct job *j) {
    w->failed++;
    w->lost++;
    w->failed_at_ns = clock_mono_ns();
    w->recovered = false;
    w->st.stats.dropped++;
    if (w->st.cause != j->error.cause)
        log_error("%s", j->error.text);
    w->failing = true;
    stage_cause(&w->st, j->error.cause, j->error.text);
}

static void on_done(void *ctx, const struct job *j) {
    struct imgwrite *w = ctx;
    if (j->saved)
        done_well(w, j);
    else
        done_badly(w, j);
    if (w->holding && !w->stopping && queue_roomy(&w->queue) && !w->st.pub.blocked) {
        w->holding = false;
        sub_pause(&w->st.sub, false);
    }
    check_end(w);
}

/* ---- a picture comes ---- */

/* Pipes wait; what comes from NNG is there already, so the oldest gives way. */
static void bound(struct imgwrite *w) {
    static struct log_limit slow;
    bool pipe = w->st.sub.from->ep.kind != ENDPOINT_NNG;
    w->st.stats.queue = w->queue.count;
    if (!queue_full(&w->queue))
        return;
    if (pipe) {
        w->holding = true;
        sub_pause(&w->st.sub, true);
        return;
    }
    while (w->queue.count > w->queue.limit || w->queue.bytes > w->queue.limit_bytes) {
        if (!queue_drop_oldest(&w->queue))
            return;
        w->too_slow++;
        w->st.stats.dropped++;
        log_limited(&slow, LOG_WARN,
                    "the disk is too slow: the oldest waiting picture is dropped "
                    "(%llu in all)",
                    (unsigned long long)w->too_slow);
    }
}

static uint64_t camera_of(struct imgwrite *w, const struct msg *m) {
    static struct log_limit nameless;
    const char *mac = "";
    char shown[64];
    size_t n = 0;
    uint64_t v;
    if (mp_get_str(m->body, m->body_len, "mac", &mac, &n) && mac_parse(mac, n, &v))
        return v;
    w->nameless++;
    log_limited(&nameless, LOG_WARN, "a picture of %.*s without a hardware address (mac: \"%s\")",
                (int)m->topic_len, m->topic, log_quote(shown, sizeof shown, mac, n));
    return 0;
}

/* Two pictures of one microsecond get two, so that names are in the order of the pictures whichever
 * writer is faster. A clock that was set back is believed. */
static uint64_t saving_time(struct imgwrite *w) {
    uint64_t now = clock_wall_ns() / NS_PER_US;
    if (now <= w->last_time_us && w->last_time_us - now < 1000000)
        now = w->last_time_us + 1;
    return w->last_time_us = now;
}

static void on_msg(void *ctx, const struct msg *m) {
    struct imgwrite *w = ctx;
    const uint8_t *data;
    size_t n, end = sizeof suffix - 1;
    if (m->topic_len <= end || memcmp(m->topic + m->topic_len - end, suffix, end) != 0)
        return;
    if (!mp_get_bin(m->body, m->body_len, "data", &data, &n) || n == 0) {
        w->st.stats.bad++;
        return;
    }
    struct job *j = queue_job(&w->queue);
    j->facts =
        (struct name_facts){.mac = camera_of(w, m), .time_us = saving_time(w), .seq = m->seq};
    memcpy(j->facts.topic, m->topic, m->topic_len);
    if (!mp_get_cstr(m->body, m->body_len, "verified", j->verified, sizeof j->verified))
        j->verified[0] = 0;
    j->time = m->time;
    j->taken_ns = clock_mono_ns();
    buf_put(&j->data, data, n);
    queue_put(&w->queue, j);
    bound(w);
}

/* The stage lets the inputs go on when its outputs take more; our queue may still be full. */
static void on_blocked(void *ctx, bool full) {
    struct imgwrite *w = ctx;
    if (full || !w->holding)
        return;
    w->holding = queue_full(&w->queue);
    sub_pause(&w->st.sub, w->holding);
}

static void on_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                       size_t n) {
    struct imgwrite *w = ctx;
    if (strcmp(op, "list") == 0)
        store_list(&w->store, call, body, n);
    else
        rpc_reply_error(call, "imgwrite does not know the request \"%s\"", op);
}

static void on_tick(void *ctx) {
    struct imgwrite *w = ctx;
    w->st.stats.queue = w->queue.count;
    if (w->failing)
        heal(w);
    store_tick(&w->store);
}

static void on_hangup(void *ctx) {
    struct imgwrite *w = ctx;
    store_scan(&w->store);
}

/* ---- life ---- */

void imgwrite_init(struct imgwrite *w) {
    w->st = (struct stage){.ctx = w,
                           .on_msg = on_msg,
                           .on_request = on_request,
                           .on_end = on_end,
                           .on_stop = on_stop,
                           .on_tick = on_tick,
                           .on_blocked = on_blocked,
                           .on_hangup = on_hangup,
                           .no_stdout = true};
    w->queue.on_done = on_done;
    w->store.on_idle = on_idle;
    w->queue.ctx = w->store.ctx = w;
    w->queue.place = w->store.place = &w->place;
    w->queue.loop = &w->st.loop;
    w->store.st = &w->st;
}

static void open_counters(struct imgwrite *w) {
    stage_counter(&w->st, "saved", &w->saved);
    stage_counter(&w->st, "saved_bytes", &w->saved_bytes);
    stage_counter(&w->st, "saved_unverified", &w->unverified);
    stage_counter(&w->st, "average_bytes", &w->average_bytes);
    stage_counter(&w->st, "failed", &w->failed);
    stage_counter(&w->st, "too_slow", &w->too_slow);
    stage_counter(&w->st, "lost_in_crash", &w->killed);
    stage_counter(&w->st, "nameless", &w->nameless);
    stage_counter(&w->st, "waiting", &w->queue.count);
    stage_counter(&w->st, "waiting_bytes", &w->queue.bytes);
    stage_counter(&w->st, "last_took_us", &w->last_us);
}

static void open_ledger(struct imgwrite *w) {
    w->queue.ledger = ledger_open(w->st.name, &w->killed);
    w->st.stats.dropped += w->killed;
    if (w->killed)
        log_warn("up to %llu pictures that waited for the disk are lost: imgwrite was killed",
                 (unsigned long long)w->killed);
}

void imgwrite_open(struct imgwrite *w) {
    char threads[16];
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error like any other */
    snprintf(threads, sizeof threads, "%u", w->queue.writers + 1); /* one for the store */
    setenv("UV_THREADPOOL_SIZE", threads, 1); /* read when the first work is given out */
    open_counters(w);
    open_ledger(w);
    store_open(&w->store);
}

void imgwrite_close(struct imgwrite *w) {
    w->stopping = true;
    uint64_t lost = 0;
    while (queue_drop_oldest(&w->queue))
        lost++;
    w->st.stats.dropped += lost;
    if (lost)
        log_warn("stopped: %llu pictures that waited for the disk are lost",
                 (unsigned long long)lost);
    store_cancel(&w->store);
    while (w->queue.count || !store_idle(&w->store))
        uv_run(&w->st.loop, UV_RUN_ONCE);
    queue_free(&w->queue);
    ledger_close(w->queue.ledger);
    store_free(&w->store);
}
