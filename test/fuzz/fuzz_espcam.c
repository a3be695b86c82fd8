/* Fuzz: the espcam codec, with the pieces and the pauses taken from the data.
 *
 * Data: byte 0 chooses the policy, byte 1 the limits, then pieces follow: one byte with the length
 * of the piece (low 5 bits) and the pause before it (high 3 bits, 1 s each), then its bytes. A
 * piece of no bytes puts a good frame into the stream instead, made from the three bytes behind it.
 * Checked: every event keeps the promises of espcam.h; memory stays within its bounds; every
 * byte is in a frame, skipped or held; and a copy fed byte by byte, with its timer called late,
 * gives the same events.
 */
#include "codec/espcam.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* For the random inputs of main.c: pieces that make good frames, and what is in frames. */
const char *const fuzz_words[] = {"\x20\x10\x07\x01",
                                  "\x20\x20\x13\x01",
                                  "\x20\x30\x11\x01",
                                  "\x20\x10\x0a\x01",
                                  "\x20\x20\x05\x01",
                                  "\x20\x04\x01\x01",
                                  "\x20\x04\x07\x05",
                                  "\x20\x05\x02\x01",
                                  "\x20\x06\x01\x01",
                                  "\x20\x06\x02\x01",
                                  "\x20\x15\x27\x01",
                                  "\x20\x22\x55\x01",
                                  "\x20\x07\x31\x01",
                                  "\x20\x40\x27\x01",
                                  "\xe0",
                                  "\x1f",
                                  "\xFA\xCE\xAA\xBB",
                                  "\xCD\xEF\x56\x78",
                                  "\xFF\xD8\xFF",
                                  "EOF!",
                                  "HASH:",
                                  NULL};

struct trace {
    const struct espcam *espcam;
    uint64_t hash; /* FNV-1a over all events */
    uint64_t good, broken, sensors, frames, bytes;
};

static void require(bool ok) {
    if (!ok)
        abort();
}

static void hash_add(struct trace *t, const void *p, size_t n) {
    const uint8_t *s = p;
    for (size_t i = 0; i < n; i++)
        t->hash = (t->hash ^ s[i]) * 1099511628211ull;
}

static void picture_check(struct trace *t, const struct espcam_image *i) {
    const struct espcam_options *o = &t->espcam->opt;
    require(i->len <= o->max_image && i->len <= i->bytes);
    require(i->closed < ESPCAM_CLOSED_KINDS && i->reason < ESPCAM_REASONS);
    require(i->ranges <= ESPCAM_RANGES && i->frames > 0 && i->bad <= i->frames);
    for (size_t k = 0; k < i->ranges; k++)
        require(i->missing[k].from <= i->missing[k].to);
    hash_add(t, i->mac, ESPCAM_MAC);
    hash_add(t, i->data, i->len);
    hash_add(t, &i->closed, sizeof i->closed);
    hash_add(t, &i->reason, sizeof i->reason);
    hash_add(t, &i->first_seq, sizeof i->first_seq);
    hash_add(t, &i->duplicates, sizeof i->duplicates);
    hash_add(t, &i->started_ns, sizeof i->started_ns);
    hash_add(t, &i->ended_ns, sizeof i->ended_ns);
}

static void on_image(void *ctx, const struct espcam_image *i) {
    struct trace *t = ctx;
    t->good++;
    require(i->reason == ESPCAM_WHOLE && i->len > 0);
    if (i->verified == ESPCAM_UNVERIFIED)
        require(i->data[0] == 0xFF && i->data[1] == 0xD8 && i->data[i->len - 1] == 0xD9);
    picture_check(t, i);
}

static void on_broken(void *ctx, const struct espcam_image *i) {
    struct trace *t = ctx;
    t->broken++;
    require(i->reason != ESPCAM_WHOLE);
    picture_check(t, i);
}

static void on_sensor(void *ctx, const uint8_t *mac, const struct espcam_sensors *s,
                      uint64_t time_ns) {
    struct trace *t = ctx;
    t->sensors++;
    require(espcam_sensors_any(s) && strlen(s->time) < ESPCAM_TIME_SIZE);
    hash_add(t, mac, ESPCAM_MAC);
    hash_add(t, s->time, strlen(s->time));
    hash_add(t, &time_ns, sizeof time_ns);
}

static void on_frame(void *ctx, const struct espcam_frame *f) {
    struct trace *t = ctx;
    t->frames++;
    t->bytes += f->len + ESPCAM_OVERHEAD + (f->nested ? ESPCAM_OVERHEAD : 0);
    require(f->len <= t->espcam->scan.limit);
    require(f->kind >= ESPCAM_HASH && f->kind <= ESPCAM_END);
    hash_add(t, f->data, f->len);
}

static void open_one(struct espcam *e, struct trace *t, const uint8_t *data) {
    struct espcam_options o = espcam_defaults;
    o.policy = data[0] % 3;
    o.max_frame = data[1] % 4 ? ESPCAM_FRAME_MIN : ESPCAM_FRAME_DEFAULT;
    o.max_cameras = 1 + data[1] % 5;
    o.max_image = data[1] & 64 ? ESPCAM_IMAGE_MIN : 1 << 20;
    o.max_memory = data[1] & 128 ? 150000 : 64 << 20;
    o.timeout_ns = 5000000000ull;
    *t = (struct trace){.espcam = e};
    struct espcam_handler h = {on_image, on_broken, on_sensor, on_frame, t};
    espcam_init(e, &o, &h);
}

enum { CAMERAS = 3, FRAME_ROOM = 256 };

/* What a camera's data frames have held since its last end frame: for hashes that agree. */
struct sent {
    uint32_t size, sum;
};

/* Data of a frame: kind 0..3 data, 4 and 5 hashes, 6 an end, 7 text that is no hash. */
static size_t content_make(uint8_t *out, const uint8_t *p, struct sent *sent) {
    static const char zeros[] =
        "HASH:000000000000000000000000000000000000000000000000000000000000000";
    size_t len = p[1] % 40;
    switch (p[0] & 7) {
    case 4:
        return (size_t)sprintf((char *)out, "HASH:%08x%08x,VOLT:%d,TEMP:-%d.5", sent->size,
                               sent->sum + (p[1] == 7), p[1], p[2]);
    case 5: /* no picture, or a SHA-256 that agrees with nothing */
        return (size_t)sprintf((char *)out, "%s%d", zeros, p[1] & 1);
    case 6:
        *sent = (struct sent){0};
        return (size_t)sprintf((char *)out, p[1] & 1 ? "EOF!" : "EOF");
    case 7:
        return (size_t)sprintf((char *)out, "HASH:%c%c,TDS_VOLT:%d", p[1], p[2], p[1]);
    }
    memset(out, p[1], len);
    if (p[1] & 2 && len >= 3)
        memcpy(out, "\xFF\xD8\xFF", 3);
    if (p[1] & 1 && len >= 5)
        memcpy(out + len - 2, "\xFF\xD9", 2);
    for (size_t i = 0; i < len; i++)
        sent->sum += out[i];
    sent->size += (uint32_t)len;
    return len;
}

/* A frame with little that varies, so that pictures come about by chance. */
static size_t frame_make(uint8_t *out, const uint8_t *p, struct sent sent[CAMERAS]) {
    static const uint8_t marks[] = "\xFA\xCE\xAA\xBB\x24\x6f\x28\x01\x02",
                         types[] = {2, 2, 2, 2, 1, 1, 3, 1};
    size_t len = content_make(out + 19, p, &sent[p[2] % CAMERAS]);
    bool big = p[2] & 4;
    memcpy(out, marks, 9);
    out[9] = p[2] % CAMERAS;
    out[10] = types[p[0] & 7];
    memset(out + 11, 0, 8);
    out[big ? 14 : 11] = p[0] >> 4 ? p[0] >> 4 : 1 + p[1] % 8;
    out[big ? 18 : 15] = (uint8_t)len;
    uint32_t sum = espcam_sum(out + 19, len) ^ (p[1] == 0x55);
    for (int i = 0; i < 4; i++)
        out[19 + len + (size_t)i] = (uint8_t)(sum >> 8 * (big ? 3 - i : i));
    memcpy(out + 23 + len, "\xCD\xEF\x56\x78", 4);
    return ESPCAM_OVERHEAD + len;
}

/* A block of its own for each feed, so that AddressSanitizer sees a read past its end. */
static void feed(struct espcam *e, const uint8_t *data, size_t n, uint64_t now) {
    uint8_t *block = malloc(n ? n : 1);
    memcpy(block, data, n);
    espcam_feed(e, block, n, now);
    free(block);
    require(e->memory <= e->opt.max_memory && e->cameras <= e->opt.max_cameras);
    require(espcam_deadline(e) == 0 || espcam_deadline(e) > now);
}

static void feed_both(struct espcam *a, struct espcam *b, const uint8_t *p, size_t n,
                      uint64_t now) {
    uint64_t due;
    while ((due = espcam_deadline(a)) != 0 && due <= now)
        espcam_timeout(a, due);
    feed(a, p, n, now);
    if (n == 0)
        feed(b, p, 0, now);
    for (size_t i = 0; i < n; i++)
        feed(b, p + i, 1, now);
}

static void end_check(struct espcam *e, const struct trace *t, uint64_t fed) {
    espcam_finish(e);
    require(espcam_deadline(e) == 0 && e->scan.held_len == 0);
    require(t->bytes + e->scan.skipped_bytes == fed);
    require(t->frames == e->data_frames + e->hash_frames + e->end_frames);
    require(t->good == e->verified[0] + e->verified[1] + e->verified[2]);
    require(t->broken == e->broken && t->sensors == e->sensor_texts);
}

static uint64_t pieces_feed(struct espcam *a, struct espcam *b, const uint8_t *data, size_t n) {
    uint64_t now = 1, fed = 0;
    uint8_t frame[FRAME_ROOM];
    struct sent sent[CAMERAS] = {0};
    for (size_t at = 2; at < n;) {
        size_t len = data[at] & 31;
        now += (uint64_t)(data[at] >> 5) * 1000000000u;
        at++;
        if (len == 0 && n - at >= 3) {
            size_t made = frame_make(frame, data + at, sent);
            feed_both(a, b, frame, made, now);
            fed += made;
            at += 3;
            continue;
        }
        len = len < n - at ? len : n - at;
        feed_both(a, b, data + at, len, now);
        fed += len;
        at += len;
    }
    return fed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct espcam a, b;
    struct trace ta, tb;
    if (n < 2)
        return 0;
    open_one(&a, &ta, data);
    open_one(&b, &tb, data);
    uint64_t fed = pieces_feed(&a, &b, data, n);
    end_check(&a, &ta, fed);
    end_check(&b, &tb, fed);
    require(ta.hash == tb.hash);
    espcam_free(&a);
    espcam_free(&b);
    return 0;
}
