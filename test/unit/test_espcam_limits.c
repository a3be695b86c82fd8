#include "espcam_fixture.h"

/* Time and memory: section 3 of espcam.md. */

TEST(silence_ends_a_picture) {
    begin();
    chunks(1, 3);
    CHECK_STR(said(), "");
    CHECK_INT(espcam_deadline(&cam), now + espcam_defaults.timeout_ns);
    espcam_timeout(&cam, now + espcam_defaults.timeout_ns - 1);
    CHECK_STR(said(), "");
    now += espcam_defaults.timeout_ns;
    CHECK_STR(said(), "no_end by timeout\n");
    CHECK_INT(espcam_deadline(&cam), 0);
    sha();
    chunks(1, 8);
    said();
    now += espcam_defaults.timeout_ns;
    CHECK_STR(said(), "good 2000 sha256 by timeout\n");
    CHECK_INT(cam.timed_out, 2);
}

TEST(port_may_go_away_within_a_picture) {
    begin();
    sha();
    chunks(1, 4);
    buf_put(&wire, "\xFA\xCE\xAA\xBBxx", 6);
    said();
    espcam_reset(&cam);
    chunks(5, 8);
    eof();
    CHECK_STR(said(), "good 2000 sha256 by end\n");
    CHECK_INT(cam.scan.skipped_bytes, 6);
}

TEST(picture_too_large) {
    struct espcam_options o = espcam_defaults;
    o.max_image = 1999;
    open_with(&o);
    sha();
    chunks(1, 8);
    eof();
    CHECK_STR(said(), "too_large by end\n");
    CHECK_INT(cam.memory, 0);
    o.max_image = 2000;
    open_with(&o);
    sha();
    chunks(1, 8);
    eof();
    CHECK_STR(said(), "good 2000 sha256 by end\n");
}

static void chunk_of(int camera, uint32_t seq) {
    uint8_t mac[6] = {0x24, 0, 0, 0, (uint8_t)(camera >> 8), (uint8_t)camera};
    put_frame(&wire, mac, 2, seq, big, 500, true);
}

/* A picture of endless small chunks, and one without any data, are bounded too. */
TEST(endless_pictures) {
    struct espcam_options o = espcam_defaults;
    o.max_image = 100000;
    open_with(&o);
    for (uint32_t i = 1; i < 20000; i++) {
        put_frame(&wire, MAC, 2, i, "x", 1, true);
        put_frame(&wire, MAC, 2, i, "", 0, true);
    }
    said();
    CHECK_INT(cam.memory, 0);
    eof();
    CHECK_STR(said(), "too_large by end\n");
}

TEST(memory_is_bounded_and_the_oldest_gives_way) {
    struct espcam_options o = espcam_defaults;
    o.max_memory = 1 << 20; /* seven first blocks of 140 KiB */
    open_with(&o);
    for (int c = 1; c <= 7; c++)
        chunk_of(c, 1);
    chunk_of(1, 2);
    CHECK_STR(said(), "");
    chunk_of(8, 1);
    CHECK_STR(said(), "evicted by evicted\n"); /* of camera 2 */
    CHECK(cam.memory <= o.max_memory);
    for (int c = 1; c <= 200; c++)
        chunk_of(c, 3);
    said();
    CHECK(cam.memory <= o.max_memory);
    CHECK(cam.evicted > 100);
}

TEST(cameras_are_bounded_and_idle_ones_give_way) {
    struct espcam_options o = espcam_defaults;
    o.max_cameras = 4;
    open_with(&o);
    sha();
    chunks(1, 4);
    for (int c = 1; c <= 3; c++) {
        chunk_of(c, 1);
        uint8_t mac[6] = {0x24, 0, 0, 0, 0, (uint8_t)c};
        put_frame(&wire, mac, 3, 0, "EOF!", 4, true);
    }
    said();
    now += 3000000000u;
    said(); /* these are closed, only ours waits for more */
    for (int c = 10; c < 13; c++)
        chunk_of(c, 1);
    CHECK_STR(said(), "");
    chunks(5, 8);
    eof();
    CHECK_STR(said(), "good 2000 sha256 by end\n");
    for (int c = 20; c < 24; c++)
        chunk_of(c, 1);
    said();
    CHECK_INT(cam.evicted, 3);
    CHECK_INT(cam.cameras, 4);
}

TEST(a_frame_in_doubt_makes_no_camera) {
    begin();
    bad_chunk(1);
    CHECK_STR(said(), "");
    CHECK_INT(cam.cameras, 0);
    CHECK_INT(cam.refused, 1);
}
