/* A decoder and what it says, for the tests of its rules. */
#ifndef TAPLINE_TEST_ESPCAM_FIXTURE_H
#define TAPLINE_TEST_ESPCAM_FIXTURE_H

#include "espcam_stream.h"

static struct espcam cam;
static struct buf heard; /* one line an event */
static struct buf last;  /* data of the last picture, good or broken */
static struct buf wire;  /* what is being made */
static uint64_t now = 1000;

/* A picture of eight chunks. */
static uint8_t big[2000];

static inline void put_ranges(const struct espcam_image *i) {
    for (size_t k = 0; k < i->ranges; k++)
        buf_printf(&heard, " %u-%u", i->missing[k].from, i->missing[k].to);
}

static inline void on_image(void *ctx, const struct espcam_image *i) {
    (void)ctx;
    CHECK_INT(i->reason, ESPCAM_WHOLE);
    buf_printf(&heard, "good %zu %s by %s\n", i->len, espcam_verified_name(i->verified),
               espcam_closed_name(i->closed));
    buf_clear(&last);
    buf_put(&last, i->data, i->len);
}

static inline void on_broken(void *ctx, const struct espcam_image *i) {
    (void)ctx;
    buf_printf(&heard, "%s by %s", espcam_reason_name(i->reason), espcam_closed_name(i->closed));
    put_ranges(i);
    buf_putc(&heard, '\n');
    buf_clear(&last);
    buf_put(&last, i->data, i->len);
}

static inline void on_sensor(void *ctx, const uint8_t *mac, const struct espcam_sensors *s,
                             uint64_t t) {
    (void)ctx;
    CHECK_INT(mac[0], 0x24);
    CHECK(t > 0);
    buf_printf(&heard, "%g %g %g %s\n", s->voltage_percent, s->temperature_c, s->tds_v, s->time);
}

static inline void open_with(const struct espcam_options *o) {
    static const struct espcam_handler h = {on_image, on_broken, on_sensor, NULL, NULL};
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)(i * 7 + i / 250);
    memcpy(big, "\xff\xd8\xff", 3);
    memcpy(big + sizeof big - 2, "\xff\xd9", 2);
    espcam_free(&cam);
    espcam_init(&cam, o, &h);
    buf_clear(&heard);
    buf_clear(&wire);
}

static inline void begin(void) {
    open_with(&espcam_defaults);
}

static inline const char *said(void) {
    espcam_feed(&cam, buf_data(&wire), buf_len(&wire), now);
    buf_clear(&wire);
    buf_putc(&heard, '\0');
    heard.end--;
    static char out[4000];
    snprintf(out, sizeof out, "%s", (char *)buf_data(&heard));
    buf_clear(&heard);
    return out;
}

static inline void token(const char *hex, const char *more) {
    char text[200];
    snprintf(text, sizeof text, "HASH:%s%s", hex, more);
    put_text(&wire, 1, 0, text, true);
}

static inline void sha(void) {
    token(sha256_hex(big, sizeof big), "");
}

static inline void sum(void) {
    token(sum_hex(big, sizeof big), "");
}

/* Chunk i of eight, under another number. */
static inline void chunk_as(int i, uint32_t seq) {
    put_frame(&wire, MAC, 2, seq, big + 250 * (i - 1), 250, true);
}

static inline void chunk(int i) {
    chunk_as(i, (uint32_t)i);
}

static inline void chunks(int from, int to) {
    for (int i = from; i <= to; i++)
        chunk(i);
}

static inline void bad_chunk(int i) {
    chunk(i);
    *(buf_data(&wire) + buf_len(&wire) - 60) ^= 0x10;
}

static inline void eof(void) {
    put_text(&wire, 3, 0, "EOF!", true);
}

static inline void check_big(void) {
    CHECK_MEM(buf_data(&last), buf_len(&last), big, sizeof big);
}

#endif
