#include "espcam.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

/* How long a picture waits for a frame that its end frame has overtaken. */
#define LATE_NS 2000000000ull

/* A counter that steps back to 1 from above this has begun anew; from below, two frames may have
 * changed places. */
enum { RESTART_ABOVE = 4, LATE_FRAMES = 4 };

const struct espcam_options espcam_defaults = {
    .policy = ESPCAM_WARN,
    .max_frame = ESPCAM_FRAME_DEFAULT,
    .timeout_ns = 20000000000ull,
    .max_image = 4 << 20,
    .max_memory = 64 << 20,
    .max_cameras = 64,
};

/* ---- closing ---- */

static void hash_clear(struct espcam_hash *h) {
    h->token.kind = ESPCAM_TOKEN_NONE;
    espcam_sensors_clear(&h->sensors);
}

static bool hash_usable(const struct espcam_hash *h) {
    return espcam_token_usable(&h->token);
}

static uint64_t damage_now(const struct espcam *e) {
    return e->scan.skipped_bytes + e->scan.bad_sum;
}

/* Whether the hash of a camera that sends one is missing without a trace: then data may be, too. */
static bool hash_is_lost(const struct espcam *e, const struct espcam_camera *c) {
    uint64_t damage = c->ended ? c->damage_end : damage_now(e);
    return c->hashed && !c->odd && damage == c->damage_last;
}

/* Whether the picture is whole when checked against h. */
static bool picture_prove(struct espcam *e, const struct espcam_camera *c,
                          const struct espcam_hash *h, bool ended, struct espcam_proof *out) {
    struct espcam_trust trust = {ended, c->damage_first == c->damage_last, hash_is_lost(e, c),
                                 c->first};
    return espcam_picture_prove(&c->picture, &h->token, &trust, &e->bench, out);
}

static void picture_forget(struct espcam *e, struct espcam_camera *c) {
    e->memory -= espcam_picture_memory(&c->picture);
    espcam_picture_clear(&c->picture);
    e->memory += espcam_picture_memory(&c->picture);
    c->ended = false;
    c->late = 0;
    c->odd = false;
    hash_clear(&c->own);
}

static struct espcam_image image_make(const struct espcam *e, const struct espcam_camera *c,
                                      const struct espcam_hash *h, enum espcam_closed closed) {
    const struct espcam_picture *p = &c->picture;
    return (struct espcam_image){
        .mac = c->mac,
        .data = p->overflow ? NULL : p->data,
        .len = p->overflow ? 0 : p->len,
        .bytes = p->bytes,
        .closed = closed,
        .first_seq = p->first_seq,
        .last_seq = p->last_seq,
        .frames = p->frames,
        .duplicates = p->duplicates,
        .bad = p->bad,
        .missing = e->missing,
        .sensors = &h->sensors,
        .started_ns = p->started_ns,
        .ended_ns = e->now_ns,
    };
}

static void picture_deliver(struct espcam *e, struct espcam_camera *c, const struct espcam_hash *h,
                            const struct espcam_proof *proof, enum espcam_closed closed) {
    struct espcam_image i = image_make(e, c, h, closed);
    i.data = proof->data;
    i.len = proof->len;
    i.verified = proof->verified;
    i.first_seq = proof->first_seq;
    i.last_seq = proof->last_seq;
    i.duplicates += c->picture.chunks - proof->chunks;
    e->verified[proof->verified]++;
    e->image_bytes += proof->len;
    e->timed_out += closed == ESPCAM_CLOSED_TIMEOUT;
    e->on.image(e->on.ctx, &i);
    if (h == &c->own && hash_usable(h) && c->own_first)
        c->hash_last = false;
    picture_forget(e, c);
    c->bare = proof->verified == ESPCAM_UNVERIFIED;
}

static enum espcam_reason reason_find(const struct espcam_camera *c, const struct espcam_image *i) {
    const struct espcam_picture *p = &c->picture;
    if (p->overflow)
        return ESPCAM_TOO_LARGE;
    if (i->closed == ESPCAM_CLOSED_EVICTED)
        return ESPCAM_EVICTED;
    if (i->ranges)
        return ESPCAM_GAP;
    if (p->bad)
        return ESPCAM_DAMAGED;
    bool jpeg_end = espcam_picture_is_ended(p);
    if (!jpeg_end && !c->ended && i->closed != ESPCAM_CLOSED_END)
        return ESPCAM_NO_END;
    if (hash_usable(&c->own))
        return ESPCAM_MISMATCH;
    bool jpeg = p->len >= 4 && p->data[0] == 0xFF && p->data[1] == 0xD8 && jpeg_end;
    return jpeg ? ESPCAM_UNPROVEN : ESPCAM_NO_JPEG;
}

static void picture_break(struct espcam *e, struct espcam_camera *c, enum espcam_closed closed) {
    struct espcam_image i = image_make(e, c, &c->own, closed);
    i.ranges = espcam_picture_missing(&c->picture, &e->bench, e->missing, ESPCAM_RANGES);
    i.reason = reason_find(c, &i);
    e->broken++;
    e->gaps += i.ranges;
    e->timed_out += closed == ESPCAM_CLOSED_TIMEOUT;
    e->evicted += closed == ESPCAM_CLOSED_EVICTED;
    e->on.broken(e->on.ctx, &i);
    picture_forget(e, c);
}

static void picture_close(struct espcam *e, struct espcam_camera *c, enum espcam_closed closed) {
    struct espcam_proof proof;
    if (picture_prove(e, c, &c->own, c->ended, &proof))
        picture_deliver(e, c, &c->own, &proof, closed);
    else
        picture_break(e, c, closed);
}

/* The token that came behind the data belongs to it after all, if it has none of its own. */
static void next_settle(struct espcam_camera *c) {
    if (!hash_usable(&c->own) && hash_usable(&c->next)) {
        c->own = c->next;
        c->own_first = c->picture.frames == 0;
        c->own_doubtful = c->own_first && c->hash_last;
    }
    hash_clear(&c->next);
}

/* What comes between two pictures of a camera that sends it behind the data is rather late. */
static void own_set(struct espcam_camera *c, const struct espcam_hash *h) {
    c->own = *h;
    c->own_first = true;
    c->own_doubtful = c->hash_last || c->bare;
}

/* ---- memory ---- */

static void camera_forget(struct espcam *e, struct espcam_camera *c) {
    e->memory -= espcam_picture_memory(&c->picture);
    espcam_picture_free(&c->picture);
}

/* The camera silent longest, but for `but`; idle: of those without a picture. NULL = none. */
static struct espcam_camera *camera_oldest(const struct espcam *e, const struct espcam_camera *but,
                                           bool idle, bool holds) {
    struct espcam_camera *old = NULL;
    for (size_t k = 0; k < e->cameras; k++) {
        struct espcam_camera *c = &e->camera[k];
        if (c == but || (idle && c->picture.frames) ||
            (holds && espcam_picture_memory(&c->picture) == 0))
            continue;
        if (!old || c->used < old->used)
            old = c;
    }
    return old;
}

static bool memory_reclaim(struct espcam *e, const struct espcam_camera *but) {
    struct espcam_camera *c = camera_oldest(e, but, true, true);
    if (!c)
        c = camera_oldest(e, but, false, true);
    if (!c)
        return false;
    if (c->picture.frames)
        picture_break(e, c, ESPCAM_CLOSED_EVICTED);
    camera_forget(e, c);
    return true;
}

static bool room_make(struct espcam *e, struct espcam_camera *c, size_t len) {
    struct espcam_picture *p = &c->picture;
    if (p->len + len > e->opt.max_image || p->chunks > e->opt.max_image / ESPCAM_CHUNK_MIN)
        return false;
    size_t more = espcam_picture_growth(p, len, e->opt.max_image);
    if (more == 0)
        return true;
    while (e->memory + more > e->opt.max_memory)
        if (!memory_reclaim(e, c))
            return false;
    espcam_picture_grow(p, len, e->opt.max_image);
    e->memory += more;
    return true;
}

/* What is known to be worth nothing keeps no memory. */
static void picture_overflow(struct espcam *e, struct espcam_camera *c) {
    struct espcam_picture *p = &c->picture;
    e->memory -= espcam_picture_memory(p);
    free(p->data);
    free(p->chunk);
    p->data = NULL;
    p->chunk = NULL;
    p->len = p->cap = p->chunks = p->chunk_cap = 0;
    p->overflow = true;
}

/* ---- cameras ---- */

static uint64_t mac_key(const uint8_t *mac) {
    uint64_t k = 0;
    memcpy(&k, mac, ESPCAM_MAC);
    return k;
}

static struct espcam_camera *camera_known(struct espcam *e, uint64_t key) {
    if (e->latest < e->cameras && e->key[e->latest] == key)
        return &e->camera[e->latest];
    for (size_t k = 0; k < e->cameras; k++) {
        if (e->key[k] == key) {
            e->latest = k;
            return &e->camera[k];
        }
    }
    return NULL;
}

static struct espcam_camera *camera_slot(struct espcam *e) {
    if (e->cameras < e->opt.max_cameras)
        return &e->camera[e->cameras++];
    struct espcam_camera *c = camera_oldest(e, NULL, true, false);
    if (!c)
        c = camera_oldest(e, NULL, false, false);
    if (c->picture.frames)
        picture_break(e, c, ESPCAM_CLOSED_EVICTED);
    camera_forget(e, c);
    return c;
}

/* A flipped bit makes a camera that does not exist: a frame in doubt makes none. */
static struct espcam_camera *camera_find(struct espcam *e, const struct espcam_frame *f) {
    uint64_t key = mac_key(f->mac);
    struct espcam_camera *c = camera_known(e, key);
    if (c || !f->sum_ok)
        return c;
    c = camera_slot(e);
    *c = (struct espcam_camera){0};
    memcpy(c->mac, f->mac, ESPCAM_MAC);
    hash_clear(&c->own);
    hash_clear(&c->next);
    e->latest = (size_t)(c - e->camera);
    e->key[e->latest] = key;
    return c;
}

/* ---- frames: section 4.1 ---- */

static bool frame_begins_jpeg(const struct espcam_frame *f) {
    return f->len >= 3 && f->data[0] == 0xFF && f->data[1] == 0xD8 && f->data[2] == 0xFF;
}

/* Whether a frame that begins a JPEG begins another picture than the one pending. */
static bool jpeg_begins_next(const struct espcam_camera *c, const struct espcam_frame *f) {
    const struct espcam_picture *p = &c->picture;
    if (!c->ended && f->seq + 1 == p->last_seq && !espcam_picture_has(p, f->seq))
        return false; /* the frame behind it has overtaken it */
    if (espcam_picture_is_ended(p) || c->ended || (f->seq == 1 && p->last_seq > RESTART_ABOVE))
        return true;
    return f->seq == p->first_seq && !espcam_picture_is_constant(p) &&
           !espcam_picture_begins_with(p, f);
}

/* Whether a frame behind the end frame may be of the picture. Without a token nothing would tell
 * when one that fills a hole is the next picture's, whose first two have changed places. */
static bool late_is_wanted(const struct espcam_camera *c, const struct espcam_frame *f) {
    const struct espcam_picture *p = &c->picture;
    if (hash_usable(&c->own) || espcam_picture_is_constant(p))
        return espcam_picture_wants(p, f->seq);
    return f->seq == p->most + 1;
}

/* Whether the data frame is of another picture than what is pending. */
static bool frame_begins_next(const struct espcam_camera *c, const struct espcam_frame *f) {
    const struct espcam_picture *p = &c->picture;
    if (frame_begins_jpeg(f) && jpeg_begins_next(c, f))
        return true;
    if (f->seq == 1 && p->last_seq > RESTART_ABOVE && espcam_picture_is_ended(p))
        return true;
    if (c->ended)
        return c->late == LATE_FRAMES || !late_is_wanted(c, f);
    /* The first number again, and no JPEG: a constant number. */
    return hash_usable(&c->next) && f->seq != p->first_seq && espcam_picture_has(p, f->seq);
}

/* Whether the hash of a picture that its end frame has closed may still come. */
static bool hash_may_come(const struct espcam_camera *c) {
    return !hash_usable(&c->own) || c->own_doubtful;
}

/* Whether an ended picture may still be completed: by a frame that is late, or by the hash. */
static bool picture_may_gain(struct espcam *e, const struct espcam_camera *c) {
    const struct espcam_picture *p = &c->picture;
    struct espcam_range one;
    if (p->overflow)
        return false;
    return !espcam_picture_is_ended(p) || hash_may_come(c) ||
           espcam_picture_missing(p, &e->bench, &one, 1) > 0;
}

/* The end frame has come: deliver, wait a little, or give up. */
static void picture_end(struct espcam *e, struct espcam_camera *c) {
    struct espcam_proof proof;
    bool early = c->hash_last && !hash_usable(&c->own); /* better proven than believed */
    if (!early && picture_prove(e, c, &c->own, true, &proof)) {
        picture_deliver(e, c, &c->own, &proof, ESPCAM_CLOSED_END);
    } else if (!picture_may_gain(e, c)) {
        picture_break(e, c, ESPCAM_CLOSED_END);
    } else if (!c->ended) {
        c->ended = true;
        c->ended_ns = e->now_ns;
        c->damage_end = damage_now(e);
    }
}

static void chunk_add(struct espcam *e, struct espcam_camera *c, const struct espcam_frame *f) {
    c->damage_last = damage_now(e);
    if (c->picture.frames == 0) {
        c->damage_first = c->damage_last;
        c->first = c->base;
    }
    c->bare = false;
    if (!c->picture.overflow && !room_make(e, c, f->len))
        picture_overflow(e, c);
    espcam_picture_add(&c->picture, f);
}

/* Another picture begins with this frame. Its second one may have come before it. */
static void picture_turn(struct espcam *e, struct espcam_camera *c, const struct espcam_frame *f) {
    uint8_t data[ESPCAM_FRAME_MAX];
    struct espcam_frame second = *f;
    bool stray = espcam_picture_pop_stray(&c->picture, f, &second, data);
    uint32_t base = c->picture.last_seq + 1;
    picture_close(e, c, c->ended ? ESPCAM_CLOSED_END : ESPCAM_CLOSED_NEXT);
    next_settle(c);
    c->base = base;
    if (stray)
        chunk_add(e, c, &second);
}

static void data_take(struct espcam *e, struct espcam_camera *c, const struct espcam_frame *f) {
    struct espcam_picture *p = &c->picture;
    if (p->frames && espcam_picture_repeats(p, f)) {
        p->duplicates++;
        e->duplicates++;
        return;
    }
    if (p->frames && frame_begins_next(c, f))
        picture_turn(e, c, f);
    else
        next_settle(c);
    chunk_add(e, c, f);
    if (c->ended) {
        c->late++;
        picture_end(e, c);
    }
}

static void end_take(struct espcam *e, struct espcam_camera *c) {
    if (c->picture.frames == 0 || c->ended) {
        e->lone_ends++;
        return;
    }
    next_settle(c);
    picture_end(e, c);
}

/* Only the first frame of a picture is there: it may have overtaken its hash. */
static bool is_first_chunk(const struct espcam_camera *c) {
    const struct espcam_picture *p = &c->picture;
    return p->chunks == 1 && p->first_seq == 1 && espcam_picture_starts(p);
}

/* A hash behind data: of this picture, or of the next. */
static void hash_meet(struct espcam *e, struct espcam_camera *c, const struct espcam_hash *h) {
    struct espcam_proof proof;
    if (c->own_doubtful)
        hash_clear(&c->own);
    bool own = hash_usable(&c->own), usable = hash_usable(h);
    if (hash_usable(&c->next) && espcam_token_equal(&c->next.token, &h->token))
        return; /* twice */
    if (own && espcam_token_equal(&c->own.token, &h->token)) {
        c->next = *h; /* twice, or the same picture again */
        return;
    }
    if (own && picture_prove(e, c, &c->own, c->ended, &proof)) {
        picture_deliver(e, c, &c->own, &proof, ESPCAM_CLOSED_NEXT);
        own_set(c, h);
    } else if (usable && picture_prove(e, c, h, c->ended, &proof)) {
        c->hash_last = true;
        picture_deliver(e, c, h, &proof, ESPCAM_CLOSED_HASH);
    } else if (usable && !c->ended && !hash_usable(&c->next) && (!own || is_first_chunk(c))) {
        hash_clear(&c->own);
        c->next = *h;
        return;
    } else {
        bool ended = c->ended;
        picture_break(e, c, ended ? ESPCAM_CLOSED_END : ESPCAM_CLOSED_NEXT);
        own_set(c, h);
        c->own_doubtful |= ended;
    }
    hash_clear(&c->next);
}

/* No token, no boundary. Whatever came before the data was the last picture's, then. */
static void hash_odd(struct espcam *e, struct espcam_camera *c) {
    e->odd_hashes++;
    c->odd = true;
    if (c->own_doubtful)
        hash_clear(&c->own);
}

static void hash_take(struct espcam *e, struct espcam_camera *c, const struct espcam_frame *f) {
    struct espcam_hash h;
    espcam_text_read(f->data, f->len, &h.token, &h.sensors);
    if (espcam_sensors_any(&h.sensors)) {
        e->sensor_texts++;
        e->on.sensor(e->on.ctx, f->mac, &h.sensors, f->time_ns);
    }
    c->hashed |= hash_usable(&h);
    if (h.token.kind == ESPCAM_TOKEN_NONE)
        hash_odd(e, c);
    else if (c->picture.frames)
        hash_meet(e, c, &h);
    else
        own_set(c, &h);
}

/* Without a right checksum nothing ends or begins a picture. */
static bool frame_is_useful(const struct espcam *e, const struct espcam_frame *f) {
    if (f->kind == ESPCAM_DATA && f->len == 0)
        return false;
    return f->sum_ok || (f->kind == ESPCAM_DATA && e->opt.policy != ESPCAM_STRICT);
}

static void frame_count(struct espcam *e, const struct espcam_frame *f) {
    e->data_frames += f->kind == ESPCAM_DATA;
    e->hash_frames += f->kind == ESPCAM_HASH;
    e->end_frames += f->kind == ESPCAM_END;
    e->other_types += f->type != f->kind;
}

static void frame_take(void *ctx, const struct espcam_frame *given) {
    struct espcam *e = ctx;
    struct espcam_frame f = *given;
    frame_count(e, &f);
    if (e->on.frame)
        e->on.frame(e->on.ctx, &f);
    f.sum_ok |= e->opt.policy == ESPCAM_OFF;
    struct espcam_camera *c = frame_is_useful(e, &f) ? camera_find(e, &f) : NULL;
    if (!c) {
        e->refused++;
        return;
    }
    c->used = ++e->used;
    c->last_ns = e->now_ns;
    if (f.kind == ESPCAM_DATA)
        data_take(e, c, &f);
    else if (f.kind == ESPCAM_END)
        end_take(e, c);
    else
        hash_take(e, c, &f);
    if (f.kind != ESPCAM_DATA)
        c->base = f.seq + 1;
}

/* ---- time ---- */

static uint64_t camera_deadline(const struct espcam *e, const struct espcam_camera *c) {
    if (c->picture.frames == 0)
        return 0;
    uint64_t silent = c->last_ns + e->opt.timeout_ns, late = c->ended_ns + LATE_NS;
    return c->ended && late < silent ? late : silent;
}

/* The camera whose picture is due first; NULL = none has one. */
static struct espcam_camera *camera_due(const struct espcam *e, uint64_t *at) {
    struct espcam_camera *first = NULL;
    for (size_t k = 0; k < e->cameras; k++) {
        uint64_t due = camera_deadline(e, &e->camera[k]);
        if (due && (!first || due < *at)) {
            first = &e->camera[k];
            *at = due;
        }
    }
    return first;
}

uint64_t espcam_deadline(const struct espcam *e) {
    uint64_t idle = espcam_scan_deadline(&e->scan), at = 0;
    if (!camera_due(e, &at))
        return idle;
    return idle && idle < at ? idle : at;
}

/* Each at its own time, so that the order does not depend on when we are called. */
void espcam_timeout(struct espcam *e, uint64_t now_ns) {
    uint64_t at;
    while ((at = espcam_deadline(e)) != 0 && at <= now_ns) {
        e->now_ns = at;
        if (at == espcam_scan_deadline(&e->scan)) {
            espcam_scan_search(&e->scan, frame_take, e);
            continue;
        }
        struct espcam_camera *c = camera_due(e, &at);
        bool ended = c->ended;
        next_settle(c);
        picture_close(e, c, ended ? ESPCAM_CLOSED_END : ESPCAM_CLOSED_TIMEOUT);
    }
}

void espcam_feed(struct espcam *e, const uint8_t *p, size_t n, uint64_t now_ns) {
    espcam_timeout(e, now_ns);
    e->now_ns = now_ns;
    espcam_scan_feed(&e->scan, p, n, now_ns, frame_take, e);
}

void espcam_reset(struct espcam *e) {
    espcam_scan_end(&e->scan, frame_take, e);
}

void espcam_finish(struct espcam *e) {
    espcam_scan_end(&e->scan, frame_take, e);
    for (size_t k = 0; k < e->cameras; k++) {
        struct espcam_camera *c = &e->camera[k];
        if (c->picture.frames == 0)
            continue;
        next_settle(c);
        picture_close(e, c, c->ended ? ESPCAM_CLOSED_END : ESPCAM_CLOSED_STOP);
    }
}

void espcam_init(struct espcam *e, const struct espcam_options *o, const struct espcam_handler *h) {
    assert(o->max_cameras >= 1 && o->max_cameras <= ESPCAM_CAMERAS_MAX);
    *e = (struct espcam){.opt = *o, .on = *h};
    espcam_scan_init(&e->scan, o->max_frame);
    e->scan.lenient = o->policy == ESPCAM_OFF;
    e->key = mem_alloc(o->max_cameras * sizeof *e->key);
    e->camera = mem_alloc(o->max_cameras * sizeof *e->camera);
}

void espcam_free(struct espcam *e) {
    for (size_t k = 0; k < e->cameras; k++)
        espcam_picture_free(&e->camera[k].picture);
    espcam_bench_free(&e->bench);
    espcam_scan_free(&e->scan);
    free(e->key);
    free(e->camera);
    *e = (struct espcam){0};
}

const char *espcam_reason_name(enum espcam_reason r) {
    static const char *const names[ESPCAM_REASONS] = {
        [ESPCAM_WHOLE] = "whole",       [ESPCAM_TOO_LARGE] = "too_large",
        [ESPCAM_EVICTED] = "evicted",   [ESPCAM_GAP] = "gap",
        [ESPCAM_DAMAGED] = "damaged",   [ESPCAM_NO_END] = "no_end",
        [ESPCAM_MISMATCH] = "mismatch", [ESPCAM_NO_JPEG] = "no_jpeg",
        [ESPCAM_UNPROVEN] = "unproven"};
    return r < ESPCAM_REASONS ? names[r] : "unknown";
}

const char *espcam_closed_name(enum espcam_closed c) {
    static const char *const names[ESPCAM_CLOSED_KINDS] = {
        [ESPCAM_CLOSED_END] = "end",         [ESPCAM_CLOSED_HASH] = "hash",
        [ESPCAM_CLOSED_NEXT] = "next",       [ESPCAM_CLOSED_TIMEOUT] = "timeout",
        [ESPCAM_CLOSED_EVICTED] = "evicted", [ESPCAM_CLOSED_STOP] = "stop"};
    return c < ESPCAM_CLOSED_KINDS ? names[c] : "unknown";
}

const char *espcam_verified_name(enum espcam_verified v) {
    static const char *const names[] = {
        [ESPCAM_UNVERIFIED] = "none", [ESPCAM_BY_SHA256] = "sha256", [ESPCAM_BY_SUM] = "sum"};
    return v <= ESPCAM_BY_SUM ? names[v] : "unknown";
}
