#include "espcam_stream.h"

/* Random streams of several cameras with known damage: every picture whose frames all arrived
 * intact comes out, nothing else does but what was sent, and how the stream is cut into reads
 * changes nothing. */

enum { CAMERAS = 3, PICTURES = 24, CHUNKS = 40, PICTURE_BYTES = 6000 };

static uint64_t state;

/* splitmix64 */
static uint64_t rnd(uint64_t below) {
    uint64_t z = state += 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return (z ^ (z >> 31)) % below;
}

static bool one_in(unsigned n) {
    return n && rnd(n) == 0;
}

/* How often, one in so many frames; 0 = never. */
struct damage {
    unsigned corrupt, cut, drop, twice, swap, junk, no_eof, dead; /* dead: of pictures */
    unsigned again, markers;                                      /* of pictures */
};

enum count { GATEWAY, CAMERA, ONE };
struct dialect {
    const char *name;
    bool big, hash_first, weak, nested;
    enum count count;
    const char *eof;
    size_t chunk;
};

static const struct dialect dialects[] = {
    {"a", true, true, false, false, GATEWAY, "EOF!", 250},
    {"b", false, true, false, false, GATEWAY, "EOF!", 250},
    {"b, hash last", false, false, true, false, GATEWAY, "---EOF---\r\n", 250},
    {"c", false, false, true, false, CAMERA, "EOF", 223},
    {"d", true, false, true, true, CAMERA, "EOF", 223},
    {"sense", false, false, true, false, ONE, "EOF", 223},
};

struct picture {
    uint8_t mac[6];
    uint8_t data[PICTURE_BYTES];
    size_t len;
    bool harmed;
    unsigned delivered;
};

struct frame {
    struct buf raw;
    int type;
};

struct camera {
    struct picture *picture;
    size_t pictures, sending; /* sending: the next that is to be sent */
    struct frame frame[2 * CHUNKS + 2];
    size_t frames, at;
};

static struct picture pictures[PICTURES];
static struct camera cameras[CAMERAS];
static struct buf stream;
static unsigned strangers, stranger;
static size_t stranger_len;

/* ---- sending ---- */

static void picture_make(struct picture *p, int camera, const struct damage *d) {
    memcpy(p->mac, "\x24\x6f\x28\0\0", 6);
    p->mac[5] = (uint8_t)(camera * 3); /* several bits apart, so no flipped one makes another */
    p->mac[4] = (uint8_t)(camera * 5);
    p->len = 300 + rnd(PICTURE_BYTES - 300);
    p->harmed = false;
    p->delivered = 0;
    for (size_t i = 0; i < p->len; i++)
        p->data[i] = (uint8_t)rnd(255); /* no FF, as in the coded part of a JPEG */
    if (one_in(d->markers)) {
        struct buf b = {0};
        put_frame(&b, p->mac, 1 + (int)rnd(3), (uint32_t)rnd(9), "EOF!", 4, rnd(2));
        buf_put(&b, "\xFA\xCE\xAA\xBB\xCD\xEF\x56\x78\xFA\xCE", 10);
        memcpy(p->data + 100, buf_data(&b), buf_len(&b));
        buf_free(&b);
    }
    memcpy(p->data, "\xFF\xD8\xFF\xE0", 4);
    memcpy(p->data + p->len - 2, "\xFF\xD9", 2);
}

static void frame_put(struct camera *c, const struct picture *p, const struct dialect *d, int type,
                      uint32_t seq, const void *data, size_t n) {
    struct frame *f = &c->frame[c->frames++];
    buf_clear(&f->raw);
    f->type = type;
    if (!d->nested) {
        put_frame(&f->raw, p->mac, type, seq, data, n, d->big);
        return;
    }
    struct buf inner = {0};
    put_frame(&inner, p->mac, type, seq, data, n, false);
    put_frame(&f->raw, p->mac, 2, seq, buf_data(&inner), buf_len(&inner), d->big);
    buf_free(&inner);
}

struct numbers {
    const struct dialect *d;
    uint32_t all, data;
};

static uint32_t number_next(struct numbers *n, int type) {
    n->all++;
    n->data = type == 2 ? n->data + 1 : 0;
    return n->d->count == ONE ? 1 : n->d->count == CAMERA ? n->all : n->data;
}

static void hash_put(struct camera *c, const struct picture *p, struct numbers *n) {
    char text[128];
    int len = snprintf(text, sizeof text, "HASH:%s,VOLT:75,TEMP:23.5,2025/05/28 23:17:11.123",
                       n->d->weak ? sum_hex(p->data, p->len) : sha256_hex(p->data, p->len));
    frame_put(c, p, n->d, 1, number_next(n, 1), text, (size_t)len);
}

static void chunks_put(struct camera *c, const struct picture *p, struct numbers *n, size_t most) {
    size_t size = n->d->chunk;
    for (size_t at = 0; at < p->len && at < most * size; at += size)
        frame_put(c, p, n->d, 2, number_next(n, 2), p->data + at,
                  p->len - at < size ? p->len - at : size);
}

static void frames_make(struct camera *c, struct picture *p, const struct dialect *d,
                        const struct damage *dmg) {
    struct numbers n = {d, 0, 0};
    c->frames = c->at = 0;
    if (d->hash_first)
        hash_put(c, p, &n);
    if (one_in(dmg->again))
        chunks_put(c, p, &n, 1 + rnd(p->len / d->chunk));
    chunks_put(c, p, &n, CHUNKS);
    if (!d->hash_first)
        hash_put(c, p, &n);
    frame_put(c, p, d, 3, number_next(&n, 3), d->eof, strlen(d->eof));
}

static void frames_swap(struct camera *c, const struct dialect *d, unsigned swap) {
    for (size_t i = 0; i + 1 < c->frames; i++) {
        bool seen = d->count != ONE || c->frame[i].type != 2 || c->frame[i + 1].type != 2;
        if (!seen || !one_in(swap))
            continue;
        struct frame f = c->frame[i];
        c->frame[i] = c->frame[i + 1];
        c->frame[++i] = f;
    }
}

static void picture_start(struct camera *c, const struct dialect *d, const struct damage *dmg) {
    struct picture *p = &c->picture[c->sending++];
    frames_make(c, p, d, dmg);
    frames_swap(c, d, dmg->swap);
    if (one_in(dmg->dead)) {
        c->frames = 1 + rnd(c->frames - 1);
        p->harmed = true;
    }
}

/* ---- damage ---- */

static void junk_put(const uint8_t *mac) {
    static const char *const texts[] = {
        "W (1234) queue full\r\n", "\x1b[0;33mI (7) x\n", "EOF!",
        "\xFA\xCE\xAA\xBB",        "\xFA\xCE\xAA",        "\xCD\xEF\x56\x78"};
    uint64_t kind = rnd(9);
    if (kind < 6) {
        buf_puts(&stream, texts[kind]);
        return;
    }
    if (kind == 6) {
        for (uint64_t n = rnd(300); n > 0; n--)
            buf_putc(&stream, (char)rnd(256));
        return;
    }
    buf_put(&stream, "\xFA\xCE\xAA\xBB", 4); /* a head that would swallow what follows */
    buf_put(&stream, mac, 6);
    buf_putc(&stream, (char)(1 + rnd(3)));
    put32(&stream, (uint32_t)rnd(300), true);
    put32(&stream, (uint32_t)rnd(kind == 7 ? 512 : 100000), rnd(2));
}

/* What changes the checksum and the weak hash do not see (two bytes of one lane, by the same bits)
 * is left out: nothing can see it. */
static void bytes_flip(size_t from) {
    size_t n = buf_len(&stream) - from;
    uint8_t lanes[4] = {0};
    for (uint64_t k = 1 + rnd(3); k > 0; k--) {
        size_t at = rnd(n);
        uint8_t flip = (uint8_t)(1 + rnd(255));
        buf_data(&stream)[from + at] ^= flip;
        lanes[at % 4] ^= flip;
    }
    if (!lanes[0] && !lanes[1] && !lanes[2] && !lanes[3])
        buf_data(&stream)[from + rnd(n)] ^= 1;
}

static void bytes_cut(size_t from) {
    size_t n = buf_len(&stream) - from, a = 1 + rnd(n - 1), k = 1 + rnd(n - a);
    uint8_t *p = buf_data(&stream) + from;
    memmove(p + a, p + a + k, n - a - k);
    stream.end -= k;
}

static void frame_send(const struct frame *f, struct picture *p, const struct damage *d) {
    size_t from = buf_len(&stream);
    if (one_in(d->junk)) {
        junk_put(p->mac);
        from = buf_len(&stream);
    }
    if (one_in(d->drop) || (f->type == 3 && one_in(d->no_eof))) {
        p->harmed = true;
        return;
    }
    buf_put(&stream, buf_data(&f->raw), buf_len(&f->raw));
    if (one_in(d->corrupt))
        bytes_flip(from);
    else if (one_in(d->cut))
        bytes_cut(from);
    size_t n = buf_len(&stream) - from;
    p->harmed |= n != buf_len(&f->raw) || memcmp(buf_data(&stream) + from, buf_data(&f->raw), n);
    if (one_in(d->twice)) {
        buf_reserve(&stream, n);
        buf_put(&stream, buf_data(&stream) + from, n);
    }
}

/* The next frame of a random camera; false when all is sent. */
static bool stream_step(const struct dialect *const *d, const struct damage *dmg) {
    size_t k = rnd(CAMERAS);
    for (size_t tried = 0; tried < CAMERAS; tried++, k = (k + 1) % CAMERAS) {
        struct camera *c = &cameras[k];
        if (c->at == c->frames && c->sending < c->pictures)
            picture_start(c, d[k], dmg);
        if (c->at < c->frames) {
            frame_send(&c->frame[c->at], &c->picture[c->sending - 1], dmg);
            c->at++;
            return true;
        }
    }
    return false;
}

static void stream_make(const struct dialect *const *d, const struct damage *dmg) {
    buf_clear(&stream);
    for (size_t k = 0; k < CAMERAS; k++) {
        struct camera *c = &cameras[k];
        c->picture = pictures + k * (PICTURES / CAMERAS);
        c->pictures = PICTURES / CAMERAS;
        c->sending = c->frames = c->at = 0;
        for (size_t i = 0; i < c->pictures; i++)
            picture_make(&c->picture[i], (int)k + 1, dmg);
    }
    while (stream_step(d, dmg))
        continue;
}

/* ---- what comes out ---- */

static void on_image(void *ctx, const struct espcam_image *i) {
    (void)ctx;
    for (size_t k = 0; k < PICTURES; k++) {
        struct picture *p = &pictures[k];
        if (p->len == i->len && memcmp(p->data, i->data, i->len) == 0 &&
            memcmp(p->mac, i->mac, 6) == 0) {
            p->delivered++;
            return;
        }
    }
    strangers++;
    stranger = i->mac[5];
    stranger_len = i->len;
}

static void on_broken(void *ctx, const struct espcam_image *i) {
    (void)ctx;
    CHECK(i->reason != ESPCAM_WHOLE);
    CHECK(i->ranges <= ESPCAM_RANGES);
}

static void on_sensor(void *ctx, const uint8_t *mac, const struct espcam_sensors *s, uint64_t t) {
    (void)ctx;
    (void)mac;
    (void)t;
    CHECK(espcam_sensors_any(s));
}

static void stream_decode(size_t largest) {
    static const struct espcam_handler h = {on_image, on_broken, on_sensor, NULL, NULL};
    struct espcam e;
    espcam_init(&e, &espcam_defaults, &h);
    for (size_t at = 0; at < buf_len(&stream);) {
        size_t n = 1 + rnd(largest);
        n = n < buf_len(&stream) - at ? n : buf_len(&stream) - at;
        espcam_feed(&e, buf_data(&stream) + at, n, 1 + at);
        at += n;
    }
    espcam_finish(&e);
    CHECK_INT(e.scan.held_len, 0);
    espcam_free(&e);
}

/* For the hunt by hand (ESPCAM_SEEDS): the stream at fault. */
static void stream_save(void) {
    FILE *f = getenv("ESPCAM_SEEDS") ? fopen("espcam-failed.bin", "w") : NULL;
    if (!f)
        return;
    fwrite(buf_data(&stream), 1, buf_len(&stream), f);
    fclose(f);
}

static void result_check(uint64_t seed, const char *dialect, const char *damage) {
    for (size_t k = 0; k < PICTURES; k++) {
        const struct picture *p = &pictures[k];
        if (p->delivered <= 1 && (p->harmed || p->delivered))
            continue;
        stream_save();
        test_fail(__FILE__, __LINE__,
                  "seed %llu, dialect %s, %s: %s picture %zu delivered %u "
                  "times",
                  (unsigned long long)seed, dialect, damage, p->harmed ? "harmed" : "intact", k,
                  p->delivered);
    }
    if (!strangers)
        return;
    stream_save();
    test_fail(__FILE__, __LINE__,
              "seed %llu, dialect %s, %s: %u pictures that nobody sent, "
              "one of %zu bytes of camera %u",
              (unsigned long long)seed, dialect, damage, strangers, stranger_len, stranger / 3);
}

static void run(uint64_t seed, const struct dialect *const *d, const char *name, const char *damage,
                const struct damage *dmg) {
    static const size_t reads[] = {1, 64, 300, 4096, 1 << 20};
    state = seed;
    stream_make(d, dmg);
    for (size_t r = 0; r < sizeof reads / sizeof *reads; r++) {
        strangers = 0;
        for (size_t k = 0; k < PICTURES; k++)
            pictures[k].delivered = 0;
        stream_decode(reads[r]);
        result_check(seed, name, damage);
    }
}

/* Every dialect by itself, and all of them mixed. */
static void matrix(const char *damage, const struct damage *dmg) {
    enum { DIALECTS = sizeof dialects / sizeof *dialects };
    const char *more = getenv("ESPCAM_SEEDS"); /* for a long hunt by hand */
    uint64_t seeds = more ? strtoull(more, NULL, 10) : 3;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        for (size_t i = 0; i < DIALECTS; i++)
            run(seed, (const struct dialect *[]){&dialects[i], &dialects[i], &dialects[i]},
                dialects[i].name, damage, dmg);
        run(seed,
            (const struct dialect *[]){&dialects[seed % DIALECTS], &dialects[(seed + 2) % DIALECTS],
                                       &dialects[(seed + 3) % DIALECTS]},
            "mixed", damage, dmg);
    }
}

#define DAMAGE(name_, ...)                                                                         \
    TEST(name_) {                                                                                  \
        matrix(#name_, &(struct damage){__VA_ARGS__});                                             \
    }

DAMAGE(nothing, .corrupt = 0)
DAMAGE(corrupted_frames, .corrupt = 100)
DAMAGE(many_corrupted_frames, .corrupt = 15)
DAMAGE(cut_frames, .cut = 60)
DAMAGE(missing_frames, .drop = 100)
DAMAGE(doubled_frames, .twice = 30)
DAMAGE(swapped_frames, .swap = 20)
DAMAGE(swapped_and_doubled, .swap = 20, .twice = 20)
DAMAGE(garbage_between_frames, .junk = 5)
DAMAGE(lost_ends, .no_eof = 3)
DAMAGE(cameras_that_stop, .dead = 4)
DAMAGE(cameras_that_start_over, .again = 3)
DAMAGE(markers_in_pictures, .markers = 1)
DAMAGE(markers_and_cuts, .markers = 2, .cut = 60)
DAMAGE(the_issue, .corrupt = 100, .junk = 100, .cut = 200, .twice = 100, .swap = 100)
DAMAGE(everything, .corrupt = 200, .junk = 40, .cut = 300, .twice = 60, .swap = 60, .no_eof = 8,
       .dead = 20, .again = 10, .markers = 5)
