#include "espcam_stream.h"

/* The scanner: section 2 of espcam.md. */

static struct espcam_scan scan;
static struct buf heard; /* one line a frame */
static uint64_t now = 1000;

static void on_frame(void *ctx, const struct espcam_frame *f) {
    (void)ctx;
    CHECK(f->kind >= ESPCAM_HASH && f->kind <= ESPCAM_END);
    buf_printf(&heard, "%c%u %zu%s%s%s\n", "?HDE"[f->kind], f -> seq, f -> len,
               f -> big ? "" : " le", f->nested ? " nested" : "", f->sum_ok ? "" : " bad");
}

static void begin(void) {
    espcam_scan_free(&scan);
    espcam_scan_init(&scan, ESPCAM_FRAME_DEFAULT);
    buf_clear(&heard);
}

/* Each feed from a block of its own, so that the sanitizer sees a read past its end. */
static void feed(const void *p, size_t n) {
    uint8_t *block = malloc(n ? n : 1);
    memcpy(block, p, n);
    espcam_scan_feed(&scan, block, n, now, on_frame, NULL);
    free(block);
}

static const char *text(void) {
    buf_putc(&heard, '\0');
    heard.end--;
    return (const char *)buf_data(&heard);
}

static const char *decode(const struct buf *b) {
    begin();
    feed(buf_data(b), buf_len(b));
    return text();
}

static void put_hex(struct buf *b, const char *hex) {
    unsigned v;
    for (; *hex; hex += 2) {
        while (*hex == ' ')
            hex++;
        CHECK_INT(sscanf(hex, "%2x", &v), 1);
        buf_putc(b, (char)v);
    }
}

static void check_vector(const char *hex, const char *want) {
    struct buf b = {0};
    put_hex(&b, hex);
    CHECK_STR(decode(&b), want);
    CHECK_INT(scan.skipped_bytes + scan.held_len, 0);
    buf_free(&b);
}

TEST(checksums) {
    static const struct {
        const char *data;
        uint32_t sum;
    } table[] = {{"", 0},
                 {"\x01", 1},
                 {"\x01\x02\x03", 0x030201},
                 {"\x01\x02\x03\x04", 0x04030201},
                 {"\x01\x02\x03\x04\x05", 0x04030204},
                 {"\xFF\xD8\xFF\xE0", 0xE0FFD8FF},
                 {"EOF!", 0x21464F45},
                 {"EOF", 0x464F45},
                 {"---EOF---\r\n", 0x680A664F},
                 {"HASH:0123", 0x7A627141}};
    uint8_t d[512];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        CHECK_INT(espcam_sum((const uint8_t *)table[i].data, strlen(table[i].data)), table[i].sum);
    for (int i = 0; i < 250; i++)
        d[i] = (uint8_t)i;
    CHECK_INT(espcam_sum(d, 250), 0x0404FDFC);
    for (int i = 0; i < 223; i++)
        d[i] = (uint8_t)(7 * i);
    CHECK_INT(espcam_sum(d, 223), 0xD9804020);
    memset(d, 0xA5, 251);
    CHECK_INT(espcam_sum(d, 251), 0x00A5A5A5);
    memset(d, 0xFF, 512);
    CHECK_INT(espcam_sum(d, 512), 0);
}

TEST(checksums_of_every_length_and_alignment) {
    uint8_t d[700];
    for (size_t i = 0; i < sizeof d; i++)
        d[i] = (uint8_t)(i * 31 + i / 7);
    for (size_t at = 0; at < 8; at++)
        for (size_t n = 0; n < 600; n++)
            CHECK_INT(espcam_sum(d + at, n), slow_sum(d + at, n));
}

TEST(vectors) {
    check_vector("faceaabb 246f28a1b2c3 01 00000000 00000009 484153483a30313233 7a627141 cdef5678",
                 "H0 9\n");
    check_vector("faceaabb 246f28a1b2c3 01 00000000 09000000 484153483a30313233 4171627a cdef5678",
                 "H0 9 le\n");
    check_vector("faceaabb 246f28a1b2c3 02 00000001 0000000a ffd8ffe000104a464946 a6b58eb6 "
                 "cdef5678",
                 "D1 10\n");
    check_vector("faceaabb 246f28a1b2c3 02 01000000 0a000000 ffd8ffe000104a464946 b68eb5a6 "
                 "cdef5678",
                 "D1 10 le\n");
    check_vector("faceaabb 246f28a1b2c3 03 00000000 00000004 454f4621 21464f45 cdef5678", "E0 4\n");
    check_vector("faceaabb 246f28a1b2c3 03 00000000 04000000 454f4621 454f4621 cdef5678",
                 "E0 4 le\n");
}

TEST(vectors_of_full_length) {
    uint8_t d[250];
    for (int i = 0; i < 250; i++)
        d[i] = (uint8_t)i;
    struct buf b = {0};
    put_frame(&b, MAC, 2, 258, d, 250, true);
    CHECK_STR(sha256_hex(buf_data(&b), buf_len(&b)),
              "f8f3d8504280503abac10555c00f4c4b9c0595b30c2cb2b686bef91521efddba");
    CHECK_STR(decode(&b), "D258 250\n");
    buf_clear(&b);
    put_frame(&b, MAC, 2, 258, d, 250, false);
    CHECK_STR(sha256_hex(buf_data(&b), buf_len(&b)),
              "08d04023d12848c35e6de7efd50579af2a33472b4101e373646615854eda38b0");
    CHECK_STR(decode(&b), "D258 250 le\n");
    buf_free(&b);
}

TEST(nested_vector) {
    check_vector("faceaabb246f28a1b2c3020100000031000000"
                 "faceaabb246f28a1b2c3020100000016000000"
                 "ffd8ffe000104a46494600010100000100010000ffd94856b5a6cdef5678e4529fa6cdef5678",
                 "D1 22 le nested\n");
    CHECK_INT(scan.nested_frames, 1);
}

/* Frames of both orders and all kinds, garbage and a damaged frame between them. */
static void put_mixture(struct buf *b) {
    struct buf inner = {0};
    uint8_t d[300];
    for (size_t i = 0; i < sizeof d; i++)
        d[i] = (uint8_t)(i ^ 0x5A);
    put_text(b, 1, 0, "HASH:0123456789abcdef,VOLT:75", true);
    put_frame(b, MAC, 2, 1, d, 250, true);
    buf_put(b, "\xFA\xCE\xAA", 3);
    put_frame(b, MAC, 2, 2, d, 223, false);
    put_frame(&inner, MAC, 2, 7, d + 9, 100, false);
    put_frame(b, MAC, 2, 3, buf_data(&inner), buf_len(&inner), true);
    buf_puts(b, "W (1234) late\r\n");
    put_frame(b, MAC, 2, 4, d, 299, true);
    *(buf_data(b) + buf_len(b) - 100) ^= 1; /* its checksum is wrong now */
    put_text(b, 2, 0, "---EOF---\r\n", false);
    put_text(b, 3, 0, "EOF!", true);
    buf_free(&inner);
}

static const char mixture[] =
    "H0 29\nD1 250\nD2 223 le\nD7 100 le nested\nD4 299 bad\nE0 11 le\nE0 "
    "4\n";

TEST(every_split_gives_the_same) {
    struct buf b = {0};
    put_mixture(&b);
    CHECK_STR(decode(&b), mixture);
    uint64_t skipped = scan.skipped_bytes;
    CHECK_INT(skipped, 3 + 15);
    for (size_t at = 0; at <= buf_len(&b); at++) {
        begin();
        feed(buf_data(&b), at);
        feed(buf_data(&b) + at, buf_len(&b) - at);
        CHECK_STR(text(), mixture);
        CHECK_INT(scan.skipped_bytes, skipped);
        CHECK_INT(scan.held_len, 0);
    }
    for (size_t piece = 1; piece < 70; piece++) {
        begin();
        for (size_t at = 0; at < buf_len(&b); at += piece)
            feed(buf_data(&b) + at, buf_len(&b) - at < piece ? buf_len(&b) - at : piece);
        CHECK_STR(text(), mixture);
        CHECK_INT(scan.skipped_bytes, skipped);
    }
    buf_free(&b);
}

/* What is put in front of three good frames must not cost one of them. */
static void check_survivors(const struct buf *junk, const char *extra) {
    struct buf b = {0};
    char want[200];
    uint8_t d[250];
    memset(d, 0x42, sizeof d);
    buf_put(&b, buf_data(junk), buf_len(junk));
    put_frame(&b, MAC, 2, 1, d, 250, true);
    put_frame(&b, MAC, 2, 2, d, 250, true);
    put_text(&b, 3, 0, "EOF!", true);
    snprintf(want, sizeof want, "%sD1 250\nD2 250\nE0 4\n", extra);
    for (size_t at = 0; at < buf_len(&b); at += 13) {
        begin();
        feed(buf_data(&b), at);
        feed(buf_data(&b) + at, buf_len(&b) - at);
        espcam_scan_search(&scan, on_frame, NULL);
        CHECK_STR(text(), want);
    }
    buf_free(&b);
}

TEST(good_frames_survive_what_comes_before_them) {
    struct buf whole = {0}, junk = {0};
    uint8_t d[250];
    memset(d, 0x17, sizeof d);
    put_frame(&whole, MAC, 2, 9, d, 250, true);
    for (size_t n = 1; n < buf_len(&whole); n++) { /* a frame cut anywhere */
        buf_clear(&junk);
        buf_put(&junk, buf_data(&whole), n);
        check_survivors(&junk, "");
    }
    for (uint32_t len = 0; len <= 600; len++) { /* a head that lies about its length */
        buf_clear(&junk);
        buf_put(&junk, buf_data(&whole), 15);
        put32(&junk, len, len % 2);
        check_survivors(&junk, "");
    }
    buf_free(&whole);
    buf_free(&junk);
}

TEST(missing_end_marker_costs_that_frame_only) {
    struct buf b = {0};
    uint8_t d[250] = {0};
    put_frame(&b, MAC, 2, 9, d, 250, true);
    b.end -= 4;
    check_survivors(&b, "");
    CHECK(scan.bad_end > 0);
    buf_free(&b);
}

/* ---- a frame damaged between two good ones costs neither of them ---- */

enum { FRONT = 100, MIDDLE = 200, BEHIND = 60 };

static const uint8_t *pattern(size_t seed) {
    static uint8_t d[MIDDLE];
    for (size_t i = 0; i < sizeof d; i++)
        d[i] = (uint8_t)(i * 5 + seed * 31);
    return d;
}

/* The frame in the middle begins at the number returned. */
static size_t put_three(struct buf *b, bool big) {
    buf_clear(b);
    put_frame(b, MAC, 2, 1, pattern(1), FRONT, big);
    put_frame(b, MAC, 2, 2, pattern(2), MIDDLE, big);
    put_frame(b, MAC, 2, 3, pattern(3), BEHIND, big);
    return ESPCAM_OVERHEAD + FRONT;
}

static void check_neighbours(const struct buf *b, bool big, size_t at) {
    char front[20], behind[20];
    snprintf(front, sizeof front, "D1 %d%s\n", FRONT, big ? "" : " le");
    snprintf(behind, sizeof behind, "D3 %d%s\n", BEHIND, big ? "" : " le");
    begin();
    feed(buf_data(b), buf_len(b));
    espcam_scan_search(&scan, on_frame, NULL);
    const char *got = text(), *last = strstr(got, behind);
    bool ok = strncmp(got, front, strlen(front)) == 0 && last && !last[strlen(behind)];
    if (!ok)
        fprintf(stderr, "damaged at %zu: %s", at, got);
    CHECK(ok);
    CHECK_INT(scan.held_len, 0);
}

TEST(one_wrong_byte_costs_no_neighbour) {
    struct buf b = {0};
    for (int big = 0; big < 2; big++) {
        size_t from = put_three(&b, big);
        for (size_t at = from; at < from + ESPCAM_OVERHEAD + MIDDLE; at++) {
            bool head = at - from < ESPCAM_HEAD || at - from >= ESPCAM_HEAD + MIDDLE;
            for (int x = 1; x < 256; x += head ? 1 : 50) {
                buf_data(&b)[at] ^= (uint8_t)x;
                check_neighbours(&b, big, at - from);
                buf_data(&b)[at] ^= (uint8_t)x;
            }
        }
    }
    buf_free(&b);
}

/* The gateway's log shares the line; its lines fall between the pieces in which a frame is
 * written, and cost that frame at most. */
TEST(log_text_inside_a_frame_costs_no_neighbour) {
    static const char *const lines[] = {"W (12345) esp_now: queue is full\r\n",
                                        "\033[0;33mW (1) x: y\033[0m\n", "\n"};
    struct buf whole = {0}, b = {0};
    for (size_t i = 0; i < 3; i++) {
        size_t from = put_three(&whole, true);
        for (size_t at = from; at <= from + ESPCAM_OVERHEAD + MIDDLE; at++) {
            buf_clear(&b);
            buf_put(&b, buf_data(&whole), at);
            buf_puts(&b, lines[i]);
            buf_put(&b, buf_data(&whole) + at, buf_len(&whole) - at);
            check_neighbours(&b, true, at - from);
        }
    }
    buf_free(&whole);
    buf_free(&b);
}

TEST(lengths_beyond_all_bounds_do_not_wait) {
    static const char *const lengths[] = {"ffffffff", "7fffffff", "00000201",
                                          "01020000", "ffff0000", "0000ffff"};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct buf b = {0};
        put_hex(&b, "faceaabb246f28a1b2c30200000001");
        put_hex(&b, lengths[i]);
        decode(&b);
        CHECK_INT(scan.held_len, 0);
        CHECK_INT(scan.bad_length, 1);
        buf_free(&b);
    }
}

TEST(false_head_whose_end_is_that_of_a_good_frame) {
    struct buf good = {0}, b = {0};
    put_text(&good, 3, 0, "EOF!", true);
    put_hex(&b, "faceaabb246f28a1b2c30200000001");
    put32(&b, (uint32_t)(buf_len(&good) - 8), true);
    buf_put(&b, buf_data(&good), buf_len(&good));
    CHECK_STR(decode(&b), "E0 4\n");
    CHECK_INT(scan.bad_sum, 1);
    CHECK_INT(scan.skipped_bytes, 19);
    buf_free(&good);
    buf_free(&b);
}

/* The span of the false head ends on an end marker inside the data of a good frame, which begins in
 * the span and ends behind it. */
TEST(good_frame_that_reaches_out_of_a_suspect_one) {
    struct buf good = {0}, b = {0};
    uint8_t d[200];
    memset(d, 0x33, sizeof d);
    memcpy(d + 96, "\xCD\xEF\x56\x78", 4);
    put_frame(&good, MAC, 2, 5, d, 200, true);
    put_hex(&b, "faceaabb246f28a1b2c30200000001");
    put32(&b, 19 + 100 - 8, true);
    buf_put(&b, buf_data(&good), buf_len(&good));
    CHECK_STR(decode(&b), "D5 200\n");
    for (size_t at = 1; at < buf_len(&b); at++) {
        begin();
        feed(buf_data(&b), at);
        feed(buf_data(&b) + at, buf_len(&b) - at);
        CHECK_STR(text(), "D5 200\n");
    }
    buf_free(&good);
    buf_free(&b);
}

TEST(markers_inside_data_are_data) {
    struct buf d = {0}, b = {0};
    put_text(&d, 3, 0, "EOF!", true);
    buf_put(&d, "\xFA\xCE\xAA\xBB\xFA\xCE\xAA", 7);
    put_frame(&b, MAC, 2, 1, buf_data(&d), buf_len(&d), true);
    put_text(&b, 3, 0, "EOF!", true);
    CHECK_STR(decode(&b), "D1 38\nE0 4\n");
    buf_free(&d);
    buf_free(&b);
}

TEST(frame_hidden_behind_an_unfinished_one_is_found_in_the_silence) {
    struct buf b = {0};
    put_hex(&b, "faceaabb246f28a1b2c3020000000100000200"); /* 512 bytes that never come */
    put_text(&b, 3, 0, "EOF!", true);
    CHECK_STR(decode(&b), "");
    CHECK_INT(espcam_scan_deadline(&scan), now + ESPCAM_IDLE_NS);
    espcam_scan_search(&scan, on_frame, NULL);
    CHECK_STR(text(), "E0 4\n");
    CHECK_INT(espcam_scan_deadline(&scan), 0);
    buf_free(&b);
}

TEST(pause_inside_a_frame_costs_nothing) {
    struct buf b = {0};
    uint8_t d[250] = {1, 2, 3};
    put_frame(&b, MAC, 2, 1, d, 250, true);
    begin();
    feed(buf_data(&b), 200);
    espcam_scan_search(&scan, on_frame, NULL);
    feed(buf_data(&b) + 200, buf_len(&b) - 200);
    CHECK_STR(text(), "D1 250\n");
    CHECK_INT(scan.skipped_bytes, 0);
    buf_free(&b);
}

TEST(end_of_the_input) {
    struct buf b = {0};
    put_hex(&b, "faceaabb246f28a1b2c3020000000100000200");
    put_text(&b, 3, 0, "EOF!", true);
    put_hex(&b, "faceaabb24");
    decode(&b);
    espcam_scan_end(&scan, on_frame, NULL);
    CHECK_STR(text(), "E0 4\n");
    CHECK_INT(scan.skipped_bytes, 19 + 5);
    CHECK_INT(scan.held_len, 0);
    buf_free(&b);
}

/* The type byte is in no checksum. */
TEST(content_decides_what_a_frame_is) {
    static const struct {
        int type;
        const char *data, *want;
    } table[] = {{2, "EOF!", "E0 4\n"},
                 {1, "EOF", "E0 3\n"},
                 {0x82, "---EOF---\r\n", "E0 11\n"},
                 {2, "HASH:0123456789abcdef", "H0 21\n"},
                 {3, "HASH:0123456789abcdef,VOLT:1", "H0 28\n"},
                 {1, "HASH:strange", "H0 12\n"},
                 {2, "HASH:strange", "D0 12\n"},
                 {2, "HASH:0123456789abcdeF", "D0 21\n"},
                 {2, "HASH:0123456789abcdef0", "D0 22\n"},
                 {3, "EOF!!", "D0 5\n"},
                 {7, "some data", "D0 9\n"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct buf b = {0};
        put_text(&b, table[i].type, 0, table[i].data, true);
        CHECK_STR(decode(&b), table[i].want);
        buf_free(&b);
    }
}

static void check_unwrap(const uint8_t *mac, size_t cut, const char *want) {
    struct buf inner = {0}, b = {0};
    put_frame(&inner, mac, 2, 1, "abcd", 4, false);
    put_frame(&b, MAC, 2, 9, buf_data(&inner), buf_len(&inner) - cut, false);
    CHECK_STR(decode(&b), want);
    buf_free(&inner);
    buf_free(&b);
}

TEST(only_a_whole_frame_of_the_same_camera_is_unwrapped) {
    static const uint8_t other[6] = {1, 2, 3, 4, 5, 6};
    check_unwrap(MAC, 0, "D1 4 le nested\n");
    check_unwrap(MAC, 1, "D9 30 le\n");
    check_unwrap(other, 0, "D9 31 le\n");
}

static void on_time(void *ctx, const struct espcam_frame *f) {
    (void)ctx;
    buf_printf(&heard, "%llu ", (unsigned long long)f->time_ns);
}

TEST(frames_have_the_time_of_their_first_byte) {
    struct buf b = {0};
    begin();
    put_text(&b, 3, 0, "EOF!", true); /* 31 bytes each */
    put_text(&b, 3, 0, "EOF!", true);
    put_text(&b, 3, 0, "EOF!", true);
    for (size_t i = 0; i < buf_len(&b); i++)
        espcam_scan_feed(&scan, buf_data(&b) + i, 1, 100 + i, on_time, NULL);
    CHECK_STR(text(), "100 131 162 ");
    begin();
    espcam_scan_feed(&scan, buf_data(&b), 40, 7, on_time, NULL);
    espcam_scan_feed(&scan, buf_data(&b) + 40, 53, 8, on_time, NULL);
    CHECK_STR(text(), "7 7 8 ");
    begin(); /* found inside what was taken for an unfinished frame */
    espcam_scan_feed(&scan, (const uint8_t *)"\xFA\xCE\xAA\xBB\0\0\0\0\0\0\2\0\0\0\0\0\0\0\x40", 19,
                     1, on_time, NULL);
    espcam_scan_feed(&scan, buf_data(&b), 31, 2, on_time, NULL);
    espcam_scan_feed(&scan, buf_data(&b), 31, 3, on_time, NULL);
    espcam_scan_feed(&scan, buf_data(&b), 31, 4, on_time, NULL);
    CHECK_STR(text(), "2 3 4 ");
    buf_free(&b);
}

TEST(a_frame_without_data_has_the_order_of_the_one_before) {
    struct buf b = {0};
    put_text(&b, 2, 5, "", false);
    CHECK_STR(decode(&b), "D83886080 0\n");
    buf_clear(&b);
    put_text(&b, 2, 4, "x", false);
    put_text(&b, 2, 5, "", false);
    CHECK_STR(decode(&b), "D4 1 le\nD5 0 le\n");
    buf_free(&b);
}

TEST(limit_can_be_chosen) {
    struct buf b = {0};
    static uint8_t d[1470];
    memset(d, 9, sizeof d);
    put_frame(&b, MAC, 2, 1, d, 1470, true);
    put_frame(&b, MAC, 2, 2, d, 1470, false);
    CHECK_STR(decode(&b), "");
    CHECK_INT(scan.bad_length, 2);
    espcam_scan_free(&scan);
    espcam_scan_init(&scan, 1470);
    feed(buf_data(&b), buf_len(&b));
    CHECK_STR(text(), "D1 1470\nD2 1470 le\n");
    buf_free(&b);
}
