/* The vectors of the protocol page: sessions byte for byte. */
#include "../../cmd/devsim/camera.c"
#include "../../cmd/devsim/faults.c"
#include "test.h"

static struct chance luck = {1};
static struct camera c;
static struct frame f;
static const uint8_t small[] = {0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 0x4a, 0x46, 0x49, 0x46, 0x00,
                                0x01, 0x01, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0xff, 0xd9};

static void hex(const char *want) {
    char got[2 * FRAME_MAX + 1] = "";
    for (size_t i = 0; i < f.n; i++)
        snprintf(got + 2 * i, 3, "%02x", f.bytes[i]);
    CHECK_STR(got, want);
}

static void camera(char dialect, enum camera_hash place) {
    c = (struct camera){.mac = 0x246f28a1b2c3, .dialect = dialect, .hash = place, .volt = 80};
}

TEST(checksums) {
    uint8_t p[512] = {0};
    CHECK_INT(frame_checksum(p, 0), 0);
    CHECK_INT(frame_checksum((const uint8_t *)"\1\2\3\4\5", 5), 0x04030204);
    CHECK_INT(frame_checksum((const uint8_t *)"EOF!", 4), 0x21464f45);
    CHECK_INT(frame_checksum((const uint8_t *)"EOF", 3), 0x00464f45);
    CHECK_INT(frame_checksum((const uint8_t *)"HASH:0123", 9), 0x7a627141);
    for (int i = 0; i < 512; i++)
        p[i] = (uint8_t)(7 * i);
    CHECK_INT(frame_checksum(p, 223), 0xd9804020);
    memset(p, 0xff, sizeof p);
    CHECK_INT(frame_checksum(p, 512), 0);
}

TEST(frames_of_the_page) {
    camera('A', CAMERA_HASH_NONE);
    pack(&c, &f, FRAME_HASH, "HASH:0123", 9, true);
    hex("faceaabb246f28a1b2c3010000000000000009484153483a303132337a627141cdef5678");
    pack(&c, &f, FRAME_DATA, small, 12, true);
    hex("faceaabb246f28a1b2c302000000010000000cffd8ffe000104a4649460001a7b58eb6cdef5678");
    pack(&c, &f, FRAME_DATA, small + 12, 10, true);
    hex("faceaabb246f28a1b2c302000000020000000a0100000100010000ffd90100d8fecdef5678");
    pack(&c, &f, FRAME_EOF, "EOF!", 4, true);
    hex("faceaabb246f28a1b2c3030000000000000004454f462121464f45cdef5678");
    camera('B', CAMERA_HASH_NONE);
    pack(&c, &f, FRAME_EOF, "EOF!", 4, true);
    hex("faceaabb246f28a1b2c3030000000004000000454f4621454f4621cdef5678");
    camera('C', CAMERA_HASH_NONE);
    pack(&c, &f, FRAME_DATA, small, 12, true);
    hex("faceaabb246f28a1b2c302010000000c000000ffd8ffe000104a4649460001b68eb5a7cdef5678");
    camera('D', CAMERA_HASH_NONE);
    pack(&c, &f, FRAME_DATA, small, 22, true);
    hex("faceaabb246f28a1b2c3020100000031000000faceaabb246f28a1b2c3020100000016000000ffd8ffe000104a"
        "46494600010100000100010000ffd94856b5a6cdef5678e4529fa6cdef5678");
}

TEST(sums_of_newer_cameras) {
    char text[HASH_TEXT] = "";
    camera('C', CAMERA_HASH_LAST);
    buf_put(&c.image, small, sizeof small);
    c.volt = 75;
    c.temp10 = 235;
    snprintf(c.stamp, sizeof c.stamp, "2025/06/22 12:00:00.000");
    CHECK_INT(hash_text(&c, text), 79);
    CHECK_STR(text, "HASH:00000016000006c1,VOLT:75,TEMP:23.5,TDS_VOLT:-999.0,2025/06/22 "
                    "12:00:00.000");
}

/* Types and numbers of a whole picture, and its data joined. */
static void session(char dialect, enum camera_hash place, const char *want_types) {
    static uint8_t jpeg[600] = {0xff, 0xd8, 0xff, 0xe0};
    char types[16] = "";
    struct buf data = {0};
    camera(dialect, place);
    camera_shoot(&c, jpeg, sizeof jpeg, "2025/06/22 12:00:00.000", &luck);
    for (int i = 0; camera_next(&c, &f, &luck); i++) {
        types[i] = "?HDE"[f.type];
        if (f.type == FRAME_DATA)
            buf_put(&data, f.bytes + 19, f.n - FRAME_OVERHEAD);
    }
    CHECK_STR(types, want_types);
    CHECK_MEM(buf_data(&data), buf_len(&data), buf_data(&c.image), buf_len(&c.image));
    CHECK_INT(c.frames, strlen(want_types));
    buf_free(&data);
    buf_free(&c.image);
}

TEST(a_picture_in_order) {
    session('A', CAMERA_HASH_FIRST, "HDDDE");
    session('B', CAMERA_HASH_LAST, "DDDHE");
    session('C', CAMERA_HASH_LAST, "DDDHE");
    session('A', CAMERA_HASH_NONE, "DDDE");
}

TEST(no_two_pictures_are_the_same) {
    uint8_t first[32];
    camera('A', CAMERA_HASH_FIRST);
    camera_shoot(&c, small, sizeof small, "", &luck);
    memcpy(first, c.sha256, 32);
    camera_shoot(&c, small, sizeof small, "", &luck);
    CHECK(memcmp(first, c.sha256, 32) != 0);
    CHECK_MEM(buf_data(&c.image), 4, "\xff\xd8\xff\xfe", 4);
    buf_free(&c.image);
}

TEST(what_the_gateway_never_hears_has_no_number_there) {
    camera('A', CAMERA_HASH_NONE);
    pack(&c, &f, FRAME_DATA, small, 4, true);
    pack(&c, &f, FRAME_DATA, small, 4, false);
    CHECK_INT(f.n, 0);
    pack(&c, &f, FRAME_DATA, small, 4, true);
    CHECK_INT(f.bytes[14], 2);
    camera('C', CAMERA_HASH_NONE);
    pack(&c, &f, FRAME_DATA, small, 4, false);
    pack(&c, &f, FRAME_DATA, small, 4, true);
    CHECK_INT(f.bytes[11], 2);
}

/* ---- faults ---- */

static struct buf wire;

static void on_send(void *ctx, const void *p, size_t n) {
    (void)ctx;
    buf_put(&wire, p, n);
}

static struct faults x = {.send = on_send, .luck = {5}};
static struct fault_lane lane;

static void pass(enum frame_type type, char letter) {
    f.type = type;
    f.n = 1;
    f.bytes[0] = (uint8_t)letter;
    faults_pass(&x, &lane, &f);
}

static void on_wire(const char *want) {
    CHECK_MEM(buf_data(&wire), buf_len(&wire), want, strlen(want));
    buf_clear(&wire);
}

TEST(without_faults_all_goes_through) {
    uint64_t before = x.luck.state;
    pass(FRAME_HASH, 'h');
    pass(FRAME_DATA, 'a');
    pass(FRAME_EOF, 'e');
    on_wire("hae");
    CHECK(!lane.damaged);
    CHECK(x.luck.state == before); /* so that adding one fault does not move the others */
}

TEST(swaps_never_cross_the_ends) {
    x.rate.swap = 1;
    pass(FRAME_HASH, 'h');
    pass(FRAME_DATA, 'a');
    pass(FRAME_DATA, 'b');
    pass(FRAME_DATA, 'c');
    pass(FRAME_EOF, 'e');
    on_wire("hbace");
    CHECK(!lane.damaged);
    CHECK_INT(x.swapped, 1);
}

TEST(lost_doubled_cut_and_changed) {
    x.rate.twice = 1;
    pass(FRAME_DATA, 'a');
    on_wire("aa");
    CHECK(!lane.damaged);
    x.rate = (struct fault_rates){.loss = 1};
    pass(FRAME_DATA, 'a');
    on_wire("");
    CHECK(lane.damaged);
    lane.damaged = false;
    x.rate = (struct fault_rates){.cut = 1};
    pass(FRAME_DATA, 'a');
    on_wire("");
    CHECK(lane.damaged);
    lane.damaged = false;
    x.rate = (struct fault_rates){.corrupt = 1};
    pass(FRAME_DATA, 'a');
    CHECK(lane.damaged && buf_len(&wire) == 1 && *buf_data(&wire) != 'a');
    buf_clear(&wire);
    x.rate = (struct fault_rates){.noise = 1};
    for (int i = 0; i < 100; i++)
        pass(FRAME_DATA, 'a');
    CHECK(buf_len(&wire) > 300);
    CHECK_INT(x.noises, 100);
}

TEST(shares) {
    double r;
    struct err e;
    CHECK(fault_rate("1%", &r, &e) == 0 && r == 0.01);
    CHECK(fault_rate("0.05%", &r, &e) == 0 && r > 0.00049 && r < 0.00051);
    CHECK(fault_rate("1", &r, &e) < 0 && fault_rate("%", &r, &e) < 0 &&
          fault_rate("101%", &r, &e) < 0 && fault_rate("-1%", &r, &e) < 0 &&
          fault_rate("nan%", &r, &e) < 0);
}
