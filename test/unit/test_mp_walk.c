#include "mp_walk.h"
#include "test.h"

/* Fed byte by byte, a walk ends exactly where mp_skip does, or fails where it does. */
static void same_as_skip(const uint8_t *p, size_t n) {
    struct mp_walk w;
    mp_walk_start(&w);
    for (size_t i = 0; i <= n; i++) {
        struct mp_cursor c = {p, p + i};
        int want = mp_skip(&c), got = mp_walk_on(&w, p, i);
        CHECK_INT(got, want);
        if (want == 1)
            CHECK_INT(w.at, c.at - p);
        if (want != 0)
            return;
    }
}

TEST(ends_where_a_skip_ends) {
    struct buf b = {0};
    mp_put_array(&b, 4);
    mp_put_str(&b, "topic");
    mp_put_uint(&b, 1u << 31);
    mp_put_map(&b, 2);
    mp_kv_bin(&b, "data", "0123456789", 10);
    mp_put_str(&b, "empty");
    mp_put_map(&b, 0);
    mp_put_array(&b, 0);
    same_as_skip(buf_data(&b), buf_len(&b));
    mp_put_nil(&b); /* what follows is not walked over */
    same_as_skip(buf_data(&b), buf_len(&b));
    buf_free(&b);
}

TEST(depth_is_bounded_alike) {
    uint8_t deep[MP_DEPTH_MAX + 3];
    for (size_t n = MP_DEPTH_MAX - 2; n < sizeof deep; n++) {
        memset(deep, 0x91, n);
        deep[n] = 0xc0;
        same_as_skip(deep, n + 1);
    }
}

TEST(noise_is_treated_alike) {
    uint8_t noise[64];
    uint32_t x = 1;
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
        if (round % 2)
            noise[0] = 0x80 | (noise[0] & 0x1f);
        same_as_skip(noise, sizeof noise);
    }
}
