/* The dump reader of the hev codec: both forms, and lines that are none. */
#include "hev_fixture.h"
#include "codec/hev_dump.h"

static struct hev_dump d;
static struct hev_dump_payload p;
static const char *why;

static void open_text(const char *text) {
    hev_dump_init(&d, (const uint8_t *)text, strlen(text));
}

TEST(a_line_is_a_payload) {
    open_text("b'a00100000000'\nb'aa0302000005010100000000'\n");
    CHECK_INT(hev_dump_next(&d, &p, &why), 1);
    CHECK_INT(p.len, 6);
    CHECK_INT(p.address, HEV_ADDR_ALARM); /* A0 of six bytes */
    CHECK_INT(p.line, 1);
    CHECK(!p.timed);
    CHECK_INT(hev_dump_next(&d, &p, &why), 1);
    CHECK_INT(p.address, HEV_ADDR_CMD);
    CHECK(p.timed);
    CHECK_INT(p.ms, 0x203);
    CHECK_INT(hev_dump_next(&d, &p, &why), 0);
    hev_dump_rewind(&d);
    CHECK_INT(hev_dump_next(&d, &p, &why), 1);
    CHECK_INT(p.line, 1);
}

TEST(a0_data_is_told_by_its_length) {
    open_text("b'a000000000000000000091008f00000000000000000000000100'");
    CHECK_INT(hev_dump_next(&d, &p, &why), 1);
    CHECK_INT(p.len, 26);
    CHECK_INT(p.address, HEV_ADDR_DATA);
}

TEST(blank_lines_and_other_line_ends_do_no_harm) {
    open_text("\n \t\r\n b'a00100000000' \r\n\nb'A0010000000F'");
    CHECK_INT(hev_dump_next(&d, &p, &why), 1);
    CHECK_INT(p.line, 3);
    CHECK_INT(hev_dump_next(&d, &p, &why), 1);
    CHECK_INT(p.line, 5);
    CHECK_INT(p.data[5], 15);
    CHECK_INT(hev_dump_next(&d, &p, &why), 0);
    CHECK_INT(hev_dump_next(&d, &p, &why), 0);
}

TEST(a_damaged_line_is_told_and_the_next_one_read) {
    static const char *const bad[] = {"a00100000000",
                                      "b'a00100000000",
                                      "b''",
                                      "b'a0010000000'",
                                      "b'a0010000000x'",
                                      "b'",
                                      "b",
                                      "b'a001'",
                                      "b'ff0100000000'",
                                      "'a00100000000'",
                                      "{'timestamp': 1}",
                                      "b'a0 0100000000'"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[100];
        snprintf(text, sizeof text, "%s\nb'a00200000000'\n", bad[i]);
        open_text(text);
        why = NULL;
        CHECK_INT(hev_dump_next(&d, &p, &why), -1);
        CHECK(why);
        CHECK_INT(p.line, 1);
        CHECK_INT(hev_dump_next(&d, &p, NULL), 1);
        CHECK_INT(p.line, 2);
    }
}

TEST(a_line_longer_than_any_payload_is_damaged) {
    char text[1000];
    memset(text, '0', sizeof text);
    memcpy(text, "b'", 2);
    memcpy(text + sizeof text - 3, "'\n", 3);
    open_text(text);
    CHECK_INT(hev_dump_next(&d, &p, &why), -1);
    CHECK_INT(hev_dump_next(&d, &p, &why), 0);
}

TEST(records_are_told_from_text_and_lose_their_size_byte) {
    struct buf b = data_read("byteArray.dump");
    hev_dump_init(&d, buf_data(&b), buf_len(&b) - 1); /* the last one cut off */
    CHECK_INT(d.form, HEV_DUMP_RECORDS);
    for (int i = 1; i < 100; i++) {
        CHECK_INT(hev_dump_next(&d, &p, &why), 1);
        CHECK_INT(p.len, 26);
        CHECK_INT(p.line, i);
        CHECK_INT(p.data[0], 0xA0);
        CHECK(p.data[1] != 0x1B);
    }
    CHECK_INT(hev_dump_next(&d, &p, &why), -1);
    CHECK_STR(why, "the last record is cut off");
    CHECK_INT(hev_dump_next(&d, &p, &why), 0);
    buf_free(&b);
}

TEST(a_record_out_of_step_is_told) {
    uint8_t two[2 * HEV_DUMP_RECORD] = {0xA0, 0x1B};
    hev_dump_init(&d, two, sizeof two);
    CHECK_INT(hev_dump_next(&d, &p, &why), 1);
    CHECK_INT(hev_dump_next(&d, &p, &why), -1);
    CHECK_INT(hev_dump_next(&d, &p, &why), 0);
}

TEST(an_empty_file_has_no_payloads) {
    open_text("");
    CHECK_INT(hev_dump_next(&d, &p, &why), 0);
}
