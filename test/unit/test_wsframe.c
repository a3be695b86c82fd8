#include "test.h"

#include "wsframe.h"

static size_t header(uint64_t n, uint8_t *out) {
    return wsframe_header(out, WSFRAME_BINARY, n);
}

TEST(header_of_each_length) {
    uint8_t h[WSFRAME_HEADER_MAX];
    CHECK_MEM(h, header(0, h), "\x82\x00", 2);
    CHECK_MEM(h, header(125, h), "\x82\x7d", 2);
    CHECK_MEM(h, header(126, h), "\x82\x7e\x00\x7e", 4);
    CHECK_MEM(h, header(65535, h), "\x82\x7e\xff\xff", 4);
    CHECK_MEM(h, header(65536, h), "\x82\x7f\0\0\0\0\0\1\0\0", 10);
    CHECK_MEM(h, header(0x0102030405060708, h), "\x82\x7f\1\2\3\4\5\6\7\x08", 10);
}

TEST(frames_follow_one_another) {
    struct buf b = {0};
    wsframe_put(&b, WSFRAME_TEXT, "stop", 4);
    wsframe_put(&b, WSFRAME_PING, NULL, 0);
    CHECK_MEM(buf_data(&b), buf_len(&b), "\x81\x04stop\x89\x00", 8);
    buf_free(&b);
}

TEST(control_frame_is_cut_at_125) {
    struct buf b = {0};
    char big[200] = {0};
    wsframe_put(&b, WSFRAME_PING, big, sizeof big);
    CHECK_INT(buf_len(&b), 127);
    CHECK_INT(buf_data(&b)[1], 125);
    buf_free(&b);
}

TEST(close_frames) {
    struct buf b = {0};
    wsframe_put_close(&b, 1000, "", 0);
    CHECK_MEM(buf_data(&b), buf_len(&b), "\x88\x02\x03\xe8", 4);
    buf_clear(&b);
    wsframe_put_close(&b, WSFRAME_NO_CODE, "ignored", 7);
    CHECK_MEM(buf_data(&b), buf_len(&b), "\x88\x00", 2);
    buf_clear(&b);
    wsframe_put_close(&b, 4001, "bye", 3);
    CHECK_MEM(buf_data(&b), buf_len(&b),
              "\x88\x05\x0f\xa1"
              "bye",
              7);
    buf_clear(&b);
    wsframe_put_close(&b, 1000, "\xff", 1);
    CHECK_INT(buf_len(&b), 4); /* no reason is better than one that ends the connection */
    buf_free(&b);
}

TEST(reason_is_cut_between_characters) {
    struct buf b = {0};
    char reason[140];
    for (size_t lead = 0; lead < 4; lead++) {
        memset(reason, 'x', sizeof reason);
        for (size_t i = lead; i + 3 <= sizeof reason; i += 3)
            memcpy(reason + i, "\xe2\x82\xac", 3);
        buf_clear(&b);
        wsframe_put_close(&b, 1000, reason, lead + 3 * 45);
        CHECK(buf_len(&b) > 4 + 120 && buf_len(&b) <= 2 + WSFRAME_CONTROL_MAX);
        CHECK(wsframe_utf8(buf_data(&b) + 4, buf_len(&b) - 4));
    }
    buf_free(&b);
}

TEST(codes) {
    static const unsigned good[] = {1000, 1001, 1003, 1007, 1011, 1013, 1014, 3000, 4000, 4999};
    static const unsigned bad[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK(wsframe_code_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!wsframe_code_valid(bad[i]));
}

/* Every code point, by the definition: what an encoder makes is valid, and surrogates are not. */
TEST(utf8_every_character) {
    for (uint32_t c = 0; c < 0x110800; c++) {
        uint8_t s[4];
        size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const uint8_t lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
        for (size_t i = n; i-- > 1;)
            s[i] = (uint8_t)(0x80 | ((c >> (6 * (n - 1 - i))) & 0x3f));
        s[0] = n == 1 ? (uint8_t)c : (uint8_t)(lead[n] | (c >> (6 * (n - 1))));
        bool want = c < 0x110000 && (c < 0xd800 || c > 0xdfff);
        if (wsframe_utf8(s, n) != want)
            test_fail(__FILE__, __LINE__, "U+%04X is %s", c, want ? "refused" : "accepted");
        if (n > 1)
            CHECK(!wsframe_utf8(s, n - 1));
    }
}

TEST(utf8_malformed) {
    static const char *const bad[] = {
        "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x80\x80",
        "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf5\x80\x80\x80", "\xff",
        "a\xc3(",       "12345678\xe2\x82", "1234567\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!wsframe_utf8(bad[i], strlen(bad[i])));
    CHECK(wsframe_utf8("", 0));
    CHECK(wsframe_utf8("12345678abc\xc3\xa4xyz", 16));
}
