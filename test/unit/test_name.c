#include <stdlib.h>
#include <time.h>

#include "../../cmd/imgwrite/mac.c"
#include "../../cmd/imgwrite/name.c"
#include "test.h"

static struct name_pattern p;
static struct err e;

static void pattern(const char *text) {
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    if (name_parse(&p, text, &e) < 0)
        test_fail(__FILE__, __LINE__, "%s", e.text);
}

/* 2025-05-28 23:17:11.123456 in Berlin. */
static struct name_facts facts(void) {
    return (struct name_facts){
        .mac = 0x246f28a1b2c3, .time_us = 1748467031123456u, .seq = 42, .topic = "espcam.image"};
}

static const char *made(const struct name_facts *f) {
    static char out[NAME_BYTES];
    int n = name_make(&p, f, out, sizeof out);
    CHECK_INT(n, strlen(out));
    return out;
}

static void refused(const char *text, const char *why) {
    if (name_parse(&p, text, &e) == 0 || !strstr(e.text, why))
        test_fail(__FILE__, __LINE__, "\"%s\": %s", text, e.text);
}

TEST(default_is_the_name_that_viewers_know) {
    struct name_facts f = facts();
    pattern(NAME_DEFAULT);
    CHECK_STR(made(&f), "246f28a1b2c3_20250528_231711_123456.jpg");
    CHECK(p.certain && p.dated && p.dirs == 0);
    f.time_us = 1748467031000007u;
    f.mac = 7;
    CHECK_STR(made(&f), "000000000007_20250528_231711_000007.jpg");
}

TEST(placeholders_and_directories) {
    struct name_facts f = facts();
    pattern("{mac}/{time:%Y/%m-%d}/{topic}-{seq}%{time:%H%%}{us}.jpeg");
    CHECK_STR(made(&f), "246f28a1b2c3/2025/05-28/espcam.image-42%23%123456.jpeg");
    CHECK_INT(p.dirs, 3);
    CHECK(!p.dated && !p.certain);
    pattern("cam_{mac}_{time}.jpg");
    CHECK_STR(made(&f), "cam_246f28a1b2c3_20250528_231711.jpg");
    CHECK(p.certain);
}

TEST(wrong_patterns_are_refused) {
    refused("{mak}.jpg", "{mak} is unknown");
    refused("{mac.jpg", "a { without }");
    refused("{time:%H:%q}.jpg", "there are %Y");
    refused("{time:%}.jpg", "there are %Y");
    refused("", "empty");
    refused("/tmp/{us}.jpg", "empty or begin");
    refused("../{us}.jpg", "begin with a dot");
    refused("{mac}/../{us}.jpg", "begin with a dot");
    refused("{time:../%Y}.jpg", "begin with a dot");
    refused("{time:.}{time:.}/{us}.jpg", "begin with a dot");
    refused("{mac}//{us}.jpg", "empty");
    refused("{mac}/", "empty");
    refused(".{mac}.jpg", "begin with a dot");
    refused("{us}\n.jpg", "control");
    refused("{seq}{us}.jpg", "between the placeholders");
    refused("{topic}{topic}.jpg", "between the placeholders");
    char text[400];
    memset(text, 'x', sizeof text);
    text[255] = 0;
    refused(text, "longer than 248");
    text[255] = 'x';
    text[399] = 0;
    refused(text, "at most");
    memset(text, 0, sizeof text);
    for (int i = 0; i < 49; i++)
        strcat(text, "{us}");
    refused(text, "at most");
}

TEST(advance_counts_microseconds_over_the_second) {
    struct name_facts f = facts();
    pattern(NAME_DEFAULT);
    f.time_us += 999999 - 123456;
    CHECK_STR(made(&f), "246f28a1b2c3_20250528_231711_999999.jpg");
    name_advance(&p, &f);
    CHECK_STR(made(&f), "246f28a1b2c3_20250528_231712_000000.jpg");
}

TEST(advance_numbers_names_without_microseconds) {
    struct name_facts f = facts(), g;
    pattern("{mac}/{seq}.tar.jpg");
    name_advance(&p, &f);
    CHECK_STR(made(&f), "246f28a1b2c3/42.tar_2.jpg");
    name_advance(&p, &f);
    CHECK_STR(made(&f), "246f28a1b2c3/42.tar_3.jpg");
    CHECK(name_match(&p, "246f28a1b2c3/42.tar_3.jpg", &g));
    CHECK_INT(g.copy, 3);
    CHECK_INT(g.seq, 42);
    CHECK(!name_match(&p, "246f28a1b2c3/42.tar_1.jpg", &g));
    CHECK(!name_match(&p, "246f28a1b2c3/42.tar_03.jpg", &g));
    CHECK(!name_match(&p, "246f28a1b2c3/42.tar_.jpg", &g));
    pattern("{mac}");
    f.copy = 2;
    CHECK_STR(made(&f), "246f28a1b2c3_2");
    CHECK(name_match(&p, "246f28a1b2c3_2", &g) && g.copy == 2);
}

TEST(what_was_made_is_read_back) {
    static const char *const all[] = {NAME_DEFAULT, "{mac}/{time:%Y/%m/%d/%H%M%S}_{us}.jpg",
                                      "{topic}/{seq}-{mac}-{time}{us}", "{topic}_{time}.jpg",
                                      "{time:%Y%Y}{mac}{mac}{time:%m%d%H%M%S}{us}"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct name_facts f = facts(), g;
        pattern(all[i]);
        CHECK(name_match(&p, made(&f), &g));
        CHECK(!p.has[NAME_MAC] || g.mac == f.mac);
        CHECK(!p.has[NAME_SEQ] || g.seq == f.seq);
        CHECK(!p.has[NAME_TOPIC] || strcmp(g.topic, f.topic) == 0);
        CHECK_INT(g.time_us, p.has[NAME_US] ? f.time_us : f.time_us / 1000000 * 1000000);
    }
}

TEST(foreign_names_are_not_ours) {
    static const char *const all[] = {"246f28a1b2c3.jpg",
                                      "holiday.jpg",
                                      "",
                                      "246F28A1B2C3_20250528_231711_123456.jpg",
                                      "246f28a1b2c3_20250528_231711_123456.jpg.bak",
                                      "x246f28a1b2c3_20250528_231711_123456.jpg",
                                      "246f28a1b2c3_20250528_231711_12345.jpg",
                                      "246f28a1b2c3_20250528_231711_1234567.jpg",
                                      "246f28a1b2c3_20250229_231711_123456.jpg",
                                      "246f28a1b2c3_20251328_231711_123456.jpg",
                                      "246f28a1b2c3_20250500_231711_123456.jpg",
                                      "246f28a1b2c3_20250528_241711_123456.jpg",
                                      "246f28a1b2c3_20250528_231761_123456.jpg",
                                      "246f28a1b2c3_20250528_231711_123456_2.jpg",
                                      "246f28a1b2c3_2025-528_231711_123456.jpg",
                                      "246f28a1b2c3_20250528_231711_+12345.jpg"};
    struct name_facts g;
    pattern(NAME_DEFAULT);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (name_match(&p, all[i], &g))
            test_fail(__FILE__, __LINE__, "\"%s\" passes for ours", all[i]);
    CHECK(name_match(&p, "246f28a1b2c3_20240229_231711_123456.jpg", &g));
    pattern("{time:%Y}/{time:%Y%m%d%H%M%S}{mac}.jpg");
    CHECK(name_match(&p, "2025/20250528231711246f28a1b2c3.jpg", &g));
    CHECK(!name_match(&p, "2024/20250528231711246f28a1b2c3.jpg", &g));
}

TEST(the_hour_that_comes_twice_keeps_its_name) {
    struct name_facts f = facts(), g;
    pattern(NAME_DEFAULT);
    f.time_us = 1761440400000000u; /* 2025-10-26 02:00 CET, an hour after 02:00 CEST */
    CHECK_STR(made(&f), "246f28a1b2c3_20251026_020000_000000.jpg");
    CHECK(name_match(&p, made(&f), &g));
    CHECK(g.time_us == f.time_us || g.time_us == f.time_us - 3600000000u);
}

TEST(topics_with_anything_in_them_stay_one_part) {
    struct name_facts f = facts();
    pattern("{topic}/{us}.jpg");
    CHECK(name_match(&p, "a.b-c_9.image/000001.jpg", &f));
    CHECK(!name_match(&p, "a/b/000001.jpg", &f));
    CHECK(!name_match(&p, "/000001.jpg", &f));
}

TEST(addresses) {
    uint64_t mac = 0;
    char out[MAC_TEXT];
    CHECK(mac_parse("24:6f:28:A1:b2:C3", 17, &mac));
    CHECK_STR(mac_text(mac, out), "24:6f:28:a1:b2:c3");
    CHECK(mac_parse("24-6f-28-a1-b2-c3", 17, &mac) && mac == 0x246f28a1b2c3);
    CHECK(mac_parse("246F28A1B2C3", 12, &mac) && mac == 0x246f28a1b2c3);
    static const char *const wrong[] = {"",
                                        "24",
                                        "24:6f:28:a1:b2",
                                        "24:6f:28:a1:b2:c3:",
                                        "24:6f-28:a1:b2:c3",
                                        "246f28a1b2c",
                                        "246f28a1b2c3d",
                                        "../../../../",
                                        "24:6f:28:a1:b2:g3",
                                        "24:6f28:a1:b2:c3",
                                        "::::::",
                                        "24:6f:28:a1:b2:c"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (mac_parse(wrong[i], strlen(wrong[i]), &mac))
            test_fail(__FILE__, __LINE__, "\"%s\" passes for an address", wrong[i]);
}
