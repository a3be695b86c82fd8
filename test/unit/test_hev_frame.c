/* Frames of the hev codec: flags, escapes, the checksum, and the receiver on damaged streams. */
#include "hev_fixture.h"

static struct hev_receiver r;
static struct buf heard;

static void feed_hex(const char *text) {
    uint8_t wire[2048];
    size_t n = unhex(wire, sizeof wire, text);
    hev_receiver_feed(&r, wire, n, 1, frame_note, &heard);
}

static void check_heard(const char *want) {
    CHECK_STR(text_of(&heard), want);
    buf_clear(&heard);
}

/* From the bytes between the flags, without looking at them through the codec. */
static struct hev_frame frame_of(const uint8_t *content, size_t n) {
    struct hev_frame f = {.address = content[0], .nr = content[1] >> 1};
    f.kind = content[2] == 1 ? HEV_ACK : content[2] == 5 ? HEV_NACK : HEV_INFO;
    if (f.kind == HEV_INFO) {
        f.ns = content[2] >> 1;
        f.data = content + 3;
        f.len = n - 5;
    }
    return f;
}

static void same_frame(void *ctx, const struct hev_frame *f) {
    const struct hev_frame *want = ctx;
    CHECK_INT(f->address, want->address);
    CHECK_INT(f->kind, want->kind);
    CHECK_INT(f->ns, want->ns);
    CHECK_INT(f->nr, want->nr);
    CHECK_INT(f->len, want->len);
    CHECK(f->len == 0 || memcmp(f->data, want->data, f->len) == 0);
}

static void check_vector(const char *content_hex, const char *wire_hex) {
    uint8_t content[256], wire[512], out[HEV_WIRE_MAX];
    size_t n = unhex(content, sizeof content, content_hex);
    size_t wire_len = unhex(wire, sizeof wire, wire_hex);
    struct hev_frame f = frame_of(content, n);
    size_t out_len = hev_frame_encode(out, &f);
    CHECK_MEM(out, out_len, wire, wire_len);
    hev_receiver_feed(&r, wire, wire_len, 1, same_frame, &f);
}

TEST(golden_frames_both_ways) {
    struct buf b = data_read("golden-frames.txt");
    int vectors = 0;
    for (char *line = strtok((char *)buf_data(&b), "\n"); line; line = strtok(NULL, "\n")) {
        char *content = strchr(line, '|') + 1, *wire = strchr(content, '|') + 1;
        check_vector(content, wire);
        vectors++;
    }
    CHECK_INT(vectors, 67);
    CHECK_INT(r.frames, 67);
    CHECK_INT(r.bad_fcs + r.runts + r.skipped_bytes + r.overlong_frames, 0);
    buf_free(&b);
}

TEST(fcs_is_crc16_x25) {
    CHECK_INT(hev_fcs((const uint8_t *)"123456789", 9), 0x906E);
    CHECK_INT(hev_fcs(NULL, 0), 0);
}

TEST(longest_payload_goes_and_comes_and_a_longer_one_does_not) {
    uint8_t payload[HEV_PAYLOAD_MAX + 1], wire[HEV_WIRE_MAX];
    memset(payload, 0x7E, sizeof payload); /* every byte escaped */
    struct hev_frame f = {.address = HEV_ADDR_DATA, .data = payload, .len = HEV_PAYLOAD_MAX};
    size_t n = hev_frame_encode(wire, &f);
    CHECK(n > 2 * HEV_PAYLOAD_MAX && n <= sizeof wire);
    hev_receiver_feed(&r, wire, n, 1, same_frame, &f);
    CHECK_INT(r.frames, 1);
    f.len++;
    CHECK_INT(hev_frame_encode(wire, &f), 0);
}

TEST(a_flag_may_be_shared_doubled_or_surplus) {
    feed_hex("7e 40020183e2 7e 80020119e8 7e7e7e c002016fee 7e 7e");
    check_heard("40 ack 1\n80 ack 1\nc0 ack 1\n");
    CHECK_INT(r.runts + r.bad_fcs, 0);
}

TEST(bytes_before_the_first_flag_are_counted) {
    feed_hex("0102037e 40020183e2 7e");
    check_heard("40 ack 1\n");
    CHECK_INT(r.skipped_bytes, 3);
}

TEST(a_flipped_bit_spoils_one_frame_only) {
    feed_hex("7e 40020183e3 7e 7e 80020119e8 7e");
    check_heard("80 ack 1\n");
    CHECK_INT(r.bad_fcs, 1);
}

TEST(a_lost_flag_spoils_no_later_frame) {
    feed_hex("7e 40020183e2 7e 80020119e8 7e"); /* one of two flags lost: still both */
    check_heard("40 ack 1\n80 ack 1\n");
    feed_hex("40020183e2 80020119e8 7e 7e c002016fee 7e"); /* both lost: two frames in one */
    check_heard("c0 ack 1\n");
    CHECK_INT(r.bad_fcs, 1);
}

TEST(short_contents_are_no_frames) {
    feed_hex("7e 40 7e 40020183 7e 00 7d 7e 40020183e2 7e");
    check_heard("40 ack 1\n");
    CHECK_INT(r.runts, 2);
    CHECK_INT(r.bad_fcs, 1); /* cut off inside an escape */
}

TEST(a_flag_behind_an_escape_ends_the_frame_and_begins_the_next) {
    feed_hex("7e 40020183e27d 7e 80020119e8 7e");
    check_heard("80 ack 1\n");
    CHECK_INT(r.bad_fcs, 1);
}

TEST(an_endless_frame_is_given_up_and_the_next_one_found) {
    feed_hex("7e");
    for (int i = 0; i < 1000; i++)
        feed_hex("55aa");
    feed_hex("7e 40020183e2 7e");
    check_heard("40 ack 1\n");
    CHECK_INT(r.overlong_frames, 1);
    CHECK_INT(r.bad_fcs, 0);
}

TEST(a_reset_forgets_the_unfinished_frame) {
    feed_hex("7e 4002");
    hev_receiver_reset(&r);
    feed_hex("0183e2 7e 80020119e8 7e");
    check_heard("80 ack 1\n");
    CHECK_INT(r.skipped_bytes, 3);
}

static void time_note(void *ctx, const struct hev_frame *f) {
    *(uint64_t *)ctx = f->time_ns;
}

TEST(a_frame_has_the_time_of_its_first_byte) {
    static const uint8_t wire[] = {0x7E, 0x40, 0x02, 0x01, 0x83, 0xE2, 0x7E};
    uint64_t t = 0;
    for (size_t i = 0; i < sizeof wire; i++)
        hev_receiver_feed(&r, wire + i, 1, 100 + i, time_note, &t);
    CHECK_INT(t, 101); /* the flag before may be the end of an older frame */
}

TEST(low_bits_of_addresses_and_odd_controls_are_taken_as_they_are) {
    uint8_t wire[HEV_WIRE_MAX], payload[1] = {7};
    struct hev_frame f = {.address = 0x65, .ns = 9, .data = payload, .len = 1};
    hev_receiver_feed(&r, wire, hev_frame_encode(wire, &f), 1, frame_note, &heard);
    check_heard("65 info 9 07\n");
    feed_hex("7e 40 02 03 91c1 7e"); /* control 2 is neither ACK nor NACK nor even */
    check_heard("40 info 1\n");
}

TEST(recorded_streams_are_whole) {
    struct buf a0 = data_read("a0-serial.raw"), aa = data_read("aa-emulator-capture.raw");
    hev_receiver_feed(&r, buf_data(&a0), buf_len(&a0), 1, frame_note, &heard);
    CHECK_INT(r.frames, 102);
    hev_receiver_feed(&r, buf_data(&aa), buf_len(&aa), 1, frame_note, &heard);
    CHECK_INT(r.frames, 102 + 769);
    CHECK_INT(r.bad_fcs + r.runts + r.skipped_bytes + r.overlong_frames, 0);
    buf_free(&a0);
    buf_free(&aa);
}
