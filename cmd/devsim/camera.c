#include "camera.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK_GATEWAY = 250, CHUNK_CAMERA = 223, HASH_TEXT = 160 };

static const uint8_t start_mark[4] = {0xfa, 0xce, 0xaa, 0xbb};
static const uint8_t end_mark[4] = {0xcd, 0xef, 0x56, 0x78};

/* ---- frames ---- */

uint32_t frame_checksum(const uint8_t *p, size_t n) {
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum ^= (uint32_t)p[i] << 8 * (i % 4);
    return sum;
}

static void put_u32(uint8_t *p, uint32_t v, bool big) {
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * (big ? 3 - i : i));
}

static size_t put_frame(uint8_t *out, uint64_t mac, enum frame_type type, uint32_t seq,
                        const void *data, size_t n, bool big) {
    memcpy(out, start_mark, 4);
    for (int i = 0; i < 6; i++)
        out[4 + i] = (uint8_t)(mac >> (40 - 8 * i));
    out[10] = (uint8_t)type;
    put_u32(out + 11, seq, big);
    put_u32(out + 15, (uint32_t)n, big);
    memcpy(out + 19, data, n);
    put_u32(out + 19 + n, frame_checksum(data, n), big);
    memcpy(out + 23 + n, end_mark, 4);
    return FRAME_OVERHEAD + n;
}

static bool frames_itself(const struct camera *c) {
    return c->dialect >= 'C';
}

/* The gateway counts DATA only, and begins again with each of the others. */
static uint32_t gateway_number(struct camera *c, enum frame_type type) {
    if (type != FRAME_DATA)
        c->gateway_seq = 0;
    else
        c->gateway_seq++;
    return c->gateway_seq;
}

static void pack(struct camera *c, struct frame *f, enum frame_type type, const void *data,
                 size_t n, bool heard) {
    uint8_t inner[FRAME_MAX];
    c->frames++;
    f->type = type;
    f->n = 0;
    if (frames_itself(c))
        n = put_frame(inner, c->mac, type, ++c->own_seq, data, n, false);
    if (!heard)
        return;
    if (!frames_itself(c))
        f->n =
            put_frame(f->bytes, c->mac, type, gateway_number(c, type), data, n, c->dialect == 'A');
    else if (c->dialect == 'D') /* to the gateway all of it is data */
        f->n =
            put_frame(f->bytes, c->mac, FRAME_DATA, gateway_number(c, FRAME_DATA), inner, n, false);
    else
        memcpy(f->bytes, inner, f->n = n);
}

/* ---- what they say ---- */

/* Size and sum of all bytes, which newer cameras call a hash. */
static int put_sums(const struct camera *c, char *out, size_t size) {
    const uint8_t *p = buf_data(&c->image);
    uint32_t sum = 0;
    for (size_t i = 0; i < buf_len(&c->image); i++)
        sum += p[i];
    return snprintf(out, size, "%08x%08x", (unsigned)buf_len(&c->image), (unsigned)sum);
}

static int put_sha256(const struct camera *c, char *out, size_t size) {
    int n = 0;
    for (size_t i = 0; i < sizeof c->sha256; i++)
        n += snprintf(out + n, size - (size_t)n, "%02x", c->sha256[i]);
    return n;
}

/* The older text has the shortest decimal form of the temperature and no TDS sensor. */
static size_t hash_text(const struct camera *c, char *out) {
    bool newer = c->hash == CAMERA_HASH_LAST;
    int n = snprintf(out, HASH_TEXT, "HASH:");
    n += newer ? put_sums(c, out + n, (size_t)(HASH_TEXT - n))
               : put_sha256(c, out + n, (size_t)(HASH_TEXT - n));
    n += snprintf(out + n, (size_t)(HASH_TEXT - n), ",VOLT:%u,TEMP:", c->volt);
    n += newer
             ? snprintf(out + n, (size_t)(HASH_TEXT - n), "%.1f,TDS_VOLT:-999.0", c->temp10 / 10.0)
             : snprintf(out + n, (size_t)(HASH_TEXT - n), "%g", c->temp10 / 10.0);
    n += snprintf(out + n, (size_t)(HASH_TEXT - n), ",%s", c->stamp);
    return (size_t)n;
}

/* ---- a picture ---- */

/* Behind the JPEG's first two bytes. */
static void put_comment(struct camera *c) {
    char text[64], mac[18];
    int n = snprintf(text, sizeof text, "camera %s picture %llu", camera_mac(c, mac),
                     (unsigned long long)c->number);
    buf_putc(&c->image, (char)0xff);
    buf_putc(&c->image, (char)0xfe);
    buf_putc(&c->image, 0);
    buf_putc(&c->image, (char)(n + 2));
    buf_put(&c->image, text, (size_t)n);
}

static void measure(struct camera *c, struct chance *luck) {
    c->volt -= c->volt > 5 && chance_below(luck, 4) == 0;
    if (c->volt <= 5)
        c->volt = 100; /* a new battery */
    c->temp10 += (int)chance_below(luck, 5) - 2;
}

void camera_shoot(struct camera *c, const uint8_t *p, size_t n, const char *stamp,
                  struct chance *luck) {
    struct sha256_ctx sha;
    c->number++;
    measure(c, luck);
    snprintf(c->stamp, sizeof c->stamp, "%s", stamp);
    buf_clear(&c->image);
    bool jpeg = n > 2 && p[0] == 0xff && p[1] == 0xd8;
    buf_put(&c->image, p, jpeg ? 2 : n);
    if (jpeg) {
        put_comment(c);
        buf_put(&c->image, p + 2, n - 2);
    }
    sha256_init(&sha);
    sha256_update(&sha, buf_len(&c->image), buf_data(&c->image));
    sha256_digest(&sha, sizeof c->sha256, c->sha256);
    c->at = 0;
    c->frames = 0;
    c->own_seq = 0; /* the camera has just woken up */
    c->unheard = false;
    c->sending = true;
    c->hash_due = c->hash != CAMERA_HASH_NONE;
    c->step = c->hash == CAMERA_HASH_FIRST ? FRAME_HASH : FRAME_DATA;
}

static void next_hash(struct camera *c, struct frame *f, bool heard) {
    char text[HASH_TEXT];
    size_t n = hash_text(c, text);
    pack(c, f, FRAME_HASH, text, n, heard);
    c->hash_due = false;
    c->step = c->at == 0 ? FRAME_DATA : FRAME_EOF;
}

static void next_data(struct camera *c, struct frame *f, bool heard) {
    size_t chunk = frames_itself(c) ? CHUNK_CAMERA : CHUNK_GATEWAY;
    size_t left = buf_len(&c->image) - c->at, n = left < chunk ? left : chunk;
    pack(c, f, FRAME_DATA, buf_data(&c->image) + c->at, n, heard);
    c->at += n;
    if (c->at == buf_len(&c->image))
        c->step = c->hash_due ? FRAME_HASH : FRAME_EOF;
}

bool camera_next(struct camera *c, struct frame *f, struct chance *luck) {
    if (!c->sending)
        return false;
    bool heard = !chance_hit(luck, c->radio_loss);
    c->unheard |= !heard;
    if (c->step == FRAME_HASH) {
        next_hash(c, f, heard);
    } else if (c->step == FRAME_DATA) {
        next_data(c, f, heard);
    } else {
        pack(c, f, FRAME_EOF, "EOF!", frames_itself(c) ? 3 : 4, heard);
        c->sending = false;
    }
    return true;
}

void camera_abort(struct camera *c) {
    c->sending = false;
}

const char *camera_mac(const struct camera *c, char out[18]) {
    uint8_t b[6];
    for (int i = 0; i < 6; i++)
        b[i] = (uint8_t)(c->mac >> (40 - 8 * i));
    snprintf(out, 18, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
    return out;
}
