#include "espcam_fixture.h"

/* Pictures and their rules: sections 3 and 4 of espcam.md. */

static const uint8_t OTHER[6] = {0x24, 0x6f, 0x28, 1, 2, 3};

/* The picture of the description. */
static const uint8_t small[22] =
    "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    "\xff\xd9";

/* ---- the sessions of the description ---- */

static void put_session_a(void) {
    put_text(&wire, 1, 0,
             "HASH:d20f6ffd523b78a86cd2f916fa34af5d1918d75f7b142237c752ad6b254213ab,VOLT:75,"
             "TEMP:23.5,2025/05/28 23:17:11.123",
             true);
    put_frame(&wire, MAC, 2, 1, small, 12, true);
    put_frame(&wire, MAC, 2, 2, small + 12, 10, true);
    put_text(&wire, 3, 0, "EOF!", true);
}

static void put_session_c(void) {
    put_frame(&wire, MAC, 2, 1, small, 12, false);
    put_frame(&wire, MAC, 2, 2, small + 12, 10, false);
    put_text(&wire, 1, 3,
             "HASH:00000016000006c1,VOLT:75,TEMP:23.5,TDS_VOLT:-999.0,2025/06/22 "
             "12:00:00.000",
             false);
    put_text(&wire, 3, 4, "EOF", false);
}

TEST(session_a) {
    begin();
    put_session_a();
    CHECK_INT(buf_len(&wire), 245);
    CHECK_STR(sha256_hex(buf_data(&wire), buf_len(&wire)),
              "95567160d2332ab8117f438c172952ade8274647444254f64d948425bba4790b");
    CHECK_STR(said(), "75 23.5 nan 2025/05/28 23:17:11.123\ngood 22 sha256 by end\n");
    CHECK_MEM(buf_data(&last), buf_len(&last), small, sizeof small);
}

TEST(session_c) {
    begin();
    put_session_c();
    CHECK_INT(buf_len(&wire), 212);
    CHECK_STR(sha256_hex(buf_data(&wire), buf_len(&wire)),
              "131a9b5e6a2a0abcf044a2ea59589b5a81ae729a4d10263c2f66eeab0ec60e9a");
    CHECK_STR(said(), "75 23.5 nan 2025/06/22 12:00:00.000\ngood 22 sum by hash\n");
    CHECK_MEM(buf_data(&last), buf_len(&last), small, sizeof small);
    CHECK_INT(cam.lone_ends, 1);
}

TEST(session_d) {
    struct buf inner = {0};
    begin();
    put_frame(&inner, MAC, 2, 1, small, 22, false);
    put_frame(&wire, MAC, 2, 1, buf_data(&inner), buf_len(&inner), false);
    CHECK_INT(buf_len(&wire), 76);
    eof();
    CHECK_STR(said(), "good 22 none by end\n");
    CHECK_MEM(buf_data(&last), buf_len(&last), small, sizeof small);
    buf_free(&inner);
}

/* ---- evidence ---- */

TEST(hash_before_or_behind_the_data) {
    begin();
    sha();
    chunks(1, 8);
    eof();
    CHECK_STR(said(), "good 2000 sha256 by end\n");
    chunks(1, 8);
    sha();
    eof();
    CHECK_STR(said(), "good 2000 sha256 by hash\n");
    chunks(1, 8);
    sum();
    eof();
    CHECK_STR(said(), "good 2000 sum by hash\n");
    sum();
    chunks(1, 8);
    eof();
    CHECK_STR(said(), "good 2000 sum by end\n");
}

TEST(hole_is_told_with_its_numbers) {
    begin();
    sha();
    chunks(1, 2);
    chunks(5, 6);
    chunk(8);
    eof();
    CHECK_STR(said(), ""); /* a late frame may still come */
    CHECK_INT(espcam_deadline(&cam), now + 2000000000u);
    now += 2000000000u;
    CHECK_STR(said(), "gap by end 3-4 7-7\n");
    CHECK_INT(buf_len(&last), 5 * 250);
    CHECK_INT(cam.gaps, 2);
}

TEST(hash_that_disagrees) {
    begin();
    token("d20f6ffd523b78a86cd2f916fa34af5d1918d75f7b142237c752ad6b254213ab", "");
    chunks(1, 8);
    eof();
    CHECK_STR(said(), "mismatch by end\n");
}

TEST(without_hash_the_numbers_must_be_whole) {
    begin();
    chunks(1, 8);
    eof();
    CHECK_STR(said(), "good 2000 none by end\n");
    chunks(1, 8); /* all there, and no end */
    CHECK_STR(said(), "");
    now += espcam_defaults.timeout_ns;
    CHECK_STR(said(), "unproven by timeout\n");
}

/* The first two of the next picture have changed places: its second one must not fill the hole. */
TEST(without_hash_a_hole_is_not_filled_from_the_next_picture) {
    begin();
    chunk(1);
    chunks(3, 8);
    eof();
    chunk(2);
    chunk(1);
    chunks(3, 8);
    eof();
    CHECK_STR(said(), "gap by end 2-2\ngood 2000 none by end\n");
    check_big();
}

TEST(without_hash_the_first_chunk_must_be_there) {
    begin();
    chunks(2, 8);
    eof();
    said();
    espcam_finish(&cam);
    CHECK_STR(said(), "gap by end 1-1\n");
}

TEST(without_hash_it_must_be_a_jpeg) {
    begin();
    put_text(&wire, 2, 1, "no picture at all", true);
    eof();
    said();
    espcam_finish(&cam);
    CHECK_STR(said(), "no_jpeg by end\n");
}

TEST(damaged_chunk) {
    begin();
    sha();
    chunks(1, 3);
    bad_chunk(4);
    chunks(5, 8);
    eof();
    CHECK_STR(said(), "damaged by end\n");
    CHECK_INT(cam.scan.bad_sum, 1);
}

/* The checksum field was hit, not the data: the hash says so, the weak one is not asked. */
TEST(damaged_checksum_field) {
    for (int weak = 0; weak < 2; weak++) {
        begin();
        weak ? sum() : sha();
        chunks(1, 8);
        *(buf_data(&wire) + buf_len(&wire) - 6) ^= 1;
        eof();
        CHECK_STR(said(), weak ? "damaged by end\n" : "good 2000 sha256 by end\n");
    }
}

static const char *with_policy(enum espcam_policy policy, bool hash) {
    struct espcam_options o = espcam_defaults;
    o.policy = policy;
    open_with(&o);
    if (hash)
        sha();
    chunks(1, 8);
    *(buf_data(&wire) + buf_len(&wire) - 6) ^= 1;
    eof();
    espcam_feed(&cam, buf_data(&wire), buf_len(&wire), now);
    buf_clear(&wire);
    espcam_finish(&cam);
    return said();
}

TEST(policies) {
    CHECK_STR(with_policy(ESPCAM_WARN, true), "good 2000 sha256 by end\n");
    CHECK_STR(with_policy(ESPCAM_WARN, false), "damaged by end\n");
    CHECK_STR(with_policy(ESPCAM_OFF, false), "good 2000 none by end\n");
    CHECK_STR(with_policy(ESPCAM_STRICT, true), "mismatch by end\n");
    CHECK_INT(cam.refused, 1);
}

TEST(damaged_end_and_hash_frames_end_nothing) {
    begin();
    sha();
    chunks(1, 4);
    eof();
    *(buf_data(&wire) + buf_len(&wire) - 6) ^= 1;
    sum();
    *(buf_data(&wire) + buf_len(&wire) - 6) ^= 1;
    chunks(5, 8);
    eof();
    CHECK_STR(said(), "good 2000 sha256 by end\n");
    CHECK_INT(cam.refused, 2);
}

/* ---- order and doubles ---- */

TEST(doubled_frames) {
    begin();
    sha();
    chunk(1);
    chunk(1);
    chunks(2, 8);
    chunk(8);
    eof();
    eof();
    CHECK_STR(said(), "good 2000 sha256 by end\n");
    CHECK_INT(cam.duplicates, 2);
}

TEST(any_two_neighbours_change_places) {
    for (int kind = 0; kind < 3; kind++) {
        for (int at = 0; at < 9; at++) {
            int order[10]; /* 0: hash, 1..8: chunks, 9: end */
            begin();
            for (int i = 0; i < 10; i++)
                order[i] = i;
            order[at] = at + 1;
            order[at + 1] = at;
            for (int i = 0; i < 10; i++) {
                if (order[i] == 9)
                    eof();
                else if (order[i])
                    chunk(order[i]);
                else if (kind == 0)
                    sha();
                else if (kind == 1)
                    sum();
            }
            espcam_feed(&cam, buf_data(&wire), buf_len(&wire), now);
            buf_clear(&wire);
            espcam_finish(&cam);
            CHECK(strncmp(said(), "good 2000 ", 10) == 0);
            check_big();
        }
    }
}

TEST(heard_twice_before_numbering) {
    begin();
    sha();
    chunks(1, 3);
    for (int i = 3; i <= 8; i++)
        chunk_as(i, (uint32_t)i + 1);
    eof();
    CHECK_STR(said(), "good 2000 sha256 by end\n");
    check_big();
    for (int i = 1; i <= 3; i++)
        chunk(i);
    for (int i = 3; i <= 8; i++)
        chunk_as(i, (uint32_t)i + 1);
    eof(); /* without a hash nobody can tell */
    said();
    espcam_finish(&cam);
    CHECK_STR(said(), "unproven by end\n");
}

TEST(constant_numbers) {
    begin();
    for (int i = 1; i <= 8; i++)
        chunk_as(i, 1);
    sum();
    eof();
    CHECK_STR(said(), "good 2000 sum by hash\n");
    for (int i = 1; i <= 8; i++)
        if (i != 4)
            chunk_as(i, 1);
    sum();
    eof();
    CHECK_STR(said(), "mismatch by end\n");
}

TEST(constant_numbers_and_equal_chunks) {
    begin();
    memcpy(big + 1000, big + 750, 250);
    for (int i = 1; i <= 8; i++)
        chunk_as(i, 1);
    sum();
    CHECK_STR(said(), "good 2000 sum by hash\n");
    check_big();
}

TEST(constant_numbers_without_hash) {
    begin();
    for (int i = 1; i <= 8; i++)
        chunk_as(i, 1);
    eof(); /* a camera that never sends one */
    CHECK_STR(said(), "good 2000 none by end\n");
    token("0123456789abcdef", "");
    for (int i = 1; i <= 8; i++)
        chunk_as(i, 1);
    eof();
    said();
    espcam_finish(&cam);
    CHECK_STR(said(), "mismatch by end\n");
    for (int i = 1; i <= 8; i++)
        chunk_as(i, 1);
    eof();
    said();
    espcam_finish(&cam); /* one that does: it was lost, and what else? */
    CHECK_STR(said(), "unproven by end\n");
}

TEST(constant_numbers_and_an_odd_hash) {
    begin();
    for (int cycle = 0; cycle < 2; cycle++) {
        for (int i = 1; i <= 8; i++)
            chunk_as(i, 1);
        if (cycle == 0)
            sum();
        else
            put_text(&wire, 1, 1, "HASH:abc,VOLT:", true);
        eof();
    }
    said();
    espcam_finish(&cam);
    CHECK_STR(said(), "good 2000 none by end\n"); /* none was lost: the camera has none to send */
}

/* ---- boundaries ---- */

TEST(lost_end_frames) {
    begin();
    for (int i = 0; i < 3; i++) {
        sha();
        chunks(1, 8);
    }
    espcam_feed(&cam, buf_data(&wire), buf_len(&wire), now);
    buf_clear(&wire);
    espcam_finish(&cam);
    CHECK_STR(said(),
              "good 2000 sha256 by next\ngood 2000 sha256 by next\ngood 2000 sha256 by stop\n");
}

TEST(lost_hash_and_end_frames) {
    begin();
    sha();
    chunks(1, 8);
    chunks(1, 8); /* the counter shows it */
    eof();
    CHECK_STR(said(), "good 2000 sha256 by next\ngood 2000 none by end\n");
}

TEST(camera_stops_and_comes_again) {
    for (int n = 1; n < 8; n++) {
        begin();
        sha();
        chunks(1, n);
        sha();
        chunks(1, 8);
        eof();
        said();
        check_big();
        CHECK_INT(cam.verified[ESPCAM_BY_SHA256], 1);
    }
}

TEST(camera_starts_over_within_a_picture) {
    for (int n = 1; n < 8; n++) {
        for (int weak = 0; weak < 2; weak++) {
            begin();
            chunks(1, n);
            for (int i = 1; i <= 8; i++)
                chunk_as(i, (uint32_t)(n + i));
            weak ? sum() : sha();
            eof();
            said();
            check_big();
            CHECK_INT(cam.verified[ESPCAM_BY_SHA256] + cam.verified[ESPCAM_BY_SUM], 1);
            CHECK_INT(cam.broken, 0);
        }
    }
}

TEST(starting_over_is_not_believed_without_hash) {
    begin();
    chunks(1, 8);
    for (int i = 1; i <= 8; i++)
        chunk_as(i, (uint32_t)(5 + i));
    eof();
    espcam_feed(&cam, buf_data(&wire), buf_len(&wire), now);
    buf_clear(&wire);
    espcam_finish(&cam);
    CHECK_STR(said(), "unproven by next\ngap by end 1-5\n");
}

/* The original stopped for good at any of these. */
TEST(odd_hashes_stop_nothing) {
    static const char *const odd[] = {"HASH:",
                                      "HASH:deadbeef",
                                      "HASH:\x80\xff\xc3",
                                      "HASH:abc,VOLT:",
                                      "HASH:,,,,,,,,,,",
                                      "HASH:0123456789ABCDEF",
                                      "HASH"};
    begin();
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        sha();
        chunks(1, 4);
        put_text(&wire, 1, 0, odd[i], true);
        if (i == 6)
            wire.end -= 31; /* that one is data by its content */
        chunks(5, 8);
        eof();
        CHECK_STR(said(), "good 2000 sha256 by end\n");
    }
    CHECK_INT(cam.odd_hashes, 6);
}

TEST(cameras_do_not_mix) {
    begin();
    sha();
    put_text(&wire, 1, 0, "VOLT", true);
    buf_clear(&wire);
    char text[100];
    snprintf(text, sizeof text, "HASH:%s", sha256_hex(small, 22));
    sha();
    put_frame(&wire, OTHER, 1, 0, text, strlen(text), false);
    chunks(1, 3);
    put_frame(&wire, OTHER, 2, 1, small, 12, false);
    chunks(4, 8);
    put_frame(&wire, OTHER, 2, 2, small + 12, 10, false);
    put_frame(&wire, OTHER, 3, 0, "EOF!", 4, false);
    eof();
    CHECK_STR(said(), "good 22 sha256 by end\ngood 2000 sha256 by end\n");
}

/* ---- sensors ---- */

TEST(sensor_texts) {
    static const struct {
        const char *text, *want;
    } table[] = {{"HASH:0123456789abcdef,VOLT:100", "100 nan nan \n"},
                 {"HASH:0123456789abcdef,VOLT:255,TEMP:-999", ""},
                 {"HASH:0123456789abcdef,TEMP:-4.25,VOLT:8", "8 -4.25 nan \n"},
                 {"HASH:0123456789abcdef,VOLT:7,TEMP:31.0625,TDS_VOLT:1.5,2025/01/02 03:04:05.678",
                  "7 31.0625 1.5 2025/01/02 03:04:05.678\n"},
                 {"HASH:2025/05/28 "
                  "05:00:01.250,0000000000000000000000000000000000000000000000000000000000000000,"
                  "VOLT:5,TEMP:20",
                  "5 20 nan 2025/05/28 05:00:01.250\n"},
                 {"HASH:0123456789abcdef,VOLT:1x,TEMP:--1,TDS_VOLT:,2025/01/02", ""},
                 {"HASH:0123456789abcdef,TEMP:-,VOLT:1.2.3,TDS_VOLT:.", ""}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        begin();
        put_text(&wire, 1, 0, table[i].text, true);
        CHECK_STR(said(), table[i].want);
    }
}

TEST(cycles_without_a_picture) {
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    begin();
    token(zeros, ",VOLT:100,TEMP:21.5,TDS_VOLT:-999.0,2000/01/01 00:00:00.000");
    eof();
    CHECK_STR(said(), "100 21.5 nan 2000/01/01 00:00:00.000\n");
    sha();
    chunks(1, 5);
    token(zeros, ",VOLT:1"); /* the picture before it was given up */
    CHECK_STR(said(), "1 nan nan \nno_end by next\n");
    eof();
    chunks(1, 8);
    eof();
    CHECK_STR(said(), "good 2000 none by end\n");
}
