#include "hev.h"

#include <string.h>

enum {
    FLAG = 0x7E,
    ESCAPE = 0x7D,
    FLIP = 0x20,
    HEAD = 3,    /* address, control 1, control 2 */
    TRAILER = 2, /* FCS */
    CONTROL_ACK = 0x01,
    CONTROL_NACK = 0x05,
    CONTROL_KIND = 0x0F
};

/* CRC-16/X-25 of one nibble: the reflected polynomial 8408. A table of 16 is small enough to be
 * checked by eye and fast enough for a line of 11 KB/s. */
static const uint16_t fcs_nibble[16] = {0x0000, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285,
                                        0x6306, 0x7387, 0x8408, 0x9489, 0xA50A, 0xB58B,
                                        0xC60C, 0xD68D, 0xE70E, 0xF78F};

uint16_t hev_fcs(const uint8_t *p, size_t n) {
    uint16_t crc = 0xFFFF;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        crc = (uint16_t)(crc >> 4) ^ fcs_nibble[crc & 15];
        crc = (uint16_t)(crc >> 4) ^ fcs_nibble[crc & 15];
    }
    return crc ^ 0xFFFF;
}

/* ---- sending ---- */

static uint8_t control_of(const struct hev_frame *f) {
    switch (f->kind) {
    case HEV_ACK:
        return CONTROL_ACK;
    case HEV_NACK:
        return CONTROL_NACK;
    default:
        return (uint8_t)((f->ns & 127) << 1);
    }
}

static size_t content_make(uint8_t content[HEV_CONTENT_MAX], const struct hev_frame *f) {
    size_t n = HEAD;
    content[0] = f->address;
    content[1] = f->kind == HEV_INFO ? 0 : (uint8_t)((f->nr & 127) << 1);
    content[2] = control_of(f);
    if (f->kind == HEV_INFO && f->len) {
        memcpy(content + HEAD, f->data, f->len);
        n += f->len;
    }
    uint16_t fcs = hev_fcs(content, n);
    content[n] = fcs & 0xFF;
    content[n + 1] = (uint8_t)(fcs >> 8);
    return n + TRAILER;
}

/* Old receivers toggle between start and stop at each flag, so a flag is never shared and never
 * sent twice (section 1.5). */
size_t hev_frame_encode(uint8_t out[HEV_WIRE_MAX], const struct hev_frame *f) {
    uint8_t content[HEV_CONTENT_MAX];
    if (f->len > HEV_PAYLOAD_MAX)
        return 0;
    size_t len = content_make(content, f), n = 0;
    out[n++] = FLAG;
    for (size_t i = 0; i < len; i++) {
        bool escape = content[i] == FLAG || content[i] == ESCAPE;
        if (escape)
            out[n++] = ESCAPE;
        out[n++] = escape ? content[i] ^ FLIP : content[i];
    }
    out[n++] = FLAG;
    return n;
}

/* ---- receiving ---- */

static void frame_parse(const struct hev_receiver *r, struct hev_frame *f) {
    uint8_t control = r->held[2] & CONTROL_KIND;
    *f = (struct hev_frame){.address = r->held[0], .time_ns = r->start_ns};
    if (control == CONTROL_ACK || control == CONTROL_NACK) {
        f->kind = control == CONTROL_ACK ? HEV_ACK : HEV_NACK;
        f->nr = r->held[1] >> 1;
        return;
    }
    f->kind = HEV_INFO;
    f->ns = r->held[2] >> 1;
    f->data = r->held + HEAD;
    f->len = r->len - HEAD - TRAILER;
}

static bool content_good(struct hev_receiver *r) {
    if (r->overlong) {
        r->overlong_frames++;
        return false;
    }
    if (r->len < HEAD + TRAILER && !r->escaped) {
        r->runts += r->len > 0;
        return false;
    }
    size_t n = r->len < TRAILER ? 0 : r->len - TRAILER;
    bool good = !r->escaped && hev_fcs(r->held, n) == (r->held[n] | r->held[n + 1] << 8);
    r->bad_fcs += !good;
    return good;
}

static void content_clear(struct hev_receiver *r) {
    r->len = 0;
    r->escaped = r->overlong = false;
}

static void flag_take(struct hev_receiver *r, hev_frame_fn *frame, void *ctx) {
    if (r->synced && content_good(r)) {
        struct hev_frame f;
        r->frames++;
        frame_parse(r, &f);
        frame(ctx, &f);
    }
    r->synced = true;
    content_clear(r);
}

static void byte_take(struct hev_receiver *r, uint8_t byte) {
    if (byte == ESCAPE && !r->escaped) {
        r->escaped = true;
        return;
    }
    if (r->len == sizeof r->held) {
        r->overlong = true;
        return;
    }
    r->held[r->len++] = r->escaped ? byte ^ FLIP : byte;
    r->escaped = false;
}

void hev_receiver_feed(struct hev_receiver *r, const uint8_t *p, size_t n, uint64_t now_ns,
                       hev_frame_fn *frame, void *ctx) {
    for (size_t i = 0; i < n; i++) {
        if (p[i] == FLAG) {
            flag_take(r, frame, ctx);
            r->start_ns = now_ns;
        } else if (!r->synced) {
            r->skipped_bytes++;
        } else {
            if (r->len == 0 && !r->escaped)
                r->start_ns = now_ns;
            byte_take(r, p[i]);
        }
    }
}

void hev_receiver_reset(struct hev_receiver *r) {
    r->synced = false;
    content_clear(r);
}
