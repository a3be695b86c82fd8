#include "../../cmd/dispatch/espcam_cameras.c"
#include "../../cmd/dispatch/espcam_jpeg.c"
#include "../../cmd/dispatch/espcam_sleep.c"

#include <stdlib.h>

#include "test.h"

static const uint64_t S = 1000000000;

static const char *mac(const char *text) {
    static char out[CAM_MAC];
    return cam_mac(text, strlen(text), out) ? out : "no";
}

TEST(macs_are_written_in_many_ways_and_kept_in_one) {
    CHECK_STR(mac("24:6f:28:a1:b2:c3"), "24:6f:28:a1:b2:c3");
    CHECK_STR(mac("24-6F-28-A1-B2-C3"), "24:6f:28:a1:b2:c3");
    CHECK_STR(mac("246F28a1b2c3"), "24:6f:28:a1:b2:c3");
    static const char *const bad[] = {"",
                                      ":",
                                      "24:6f:28:a1:b2",
                                      "24:6f:28:a1:b2:c3:",
                                      ":24:6f:28:a1:b2:c3",
                                      "24::6f:28:a1:b2:c3",
                                      "246:f28a1b2c3",
                                      "24:6f:28:a1:b2:c3:00",
                                      "24:6f:28:a1:b2:cg",
                                      "24 6f 28 a1 b2 c3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STR(mac(bad[i]), "no");
    CHECK(!cam_mac("24:6f:28:a1:b2:c3\n", 18, (char[CAM_MAC]){0}));
}

static struct cam_camera *add(struct cam_table *t, unsigned n, size_t most, uint64_t heard) {
    char text[CAM_MAC];
    snprintf(text, sizeof text, "00:00:00:00:00:%02x", n);
    struct cam_camera *c = cam_get(t, text, most);
    c->heard_ns = heard;
    return c;
}

TEST(cameras_are_bounded_and_those_with_a_name_stay_longest) {
    struct cam_table *t = calloc(1, sizeof *t);
    cam_table_check(t);
    strcpy(add(t, 1, 3, 1 * S)->name, "kept");
    add(t, 2, 3, 5 * S);
    add(t, 3, 3, 2 * S);
    add(t, 4, 3, 6 * S);
    CHECK_INT(t->n, 3);
    CHECK_INT(t->evicted, 1);
    CHECK(!cam_find(t, "00:00:00:00:00:03"));
    CHECK(cam_find(t, "00:00:00:00:00:01"));
    CHECK(cam_find(t, "00:00:00:00:00:04"));
    CHECK(isnan(cam_find(t, "00:00:00:00:00:04")->temperature_c));
    free(t);
}

TEST(who_was_heard_once_and_never_sent_a_picture_is_forgotten_after_a_day) {
    const uint64_t day = 86400 * S;
    struct cam_table *t = calloc(1, sizeof *t);
    cam_table_check(t);
    add(t, 1, 9, S)->messages = 1;
    add(t, 2, 9, S)->messages = 2;
    add(t, 3, 9, S)->picture_ns = S;
    cam_find(t, "00:00:00:00:00:03")->messages = 1;
    strcpy(add(t, 4, 9, S)->name, "named");
    add(t, 5, 9, 2 * S)->messages = 1;
    CHECK(!cam_forget_strangers(t, day));
    CHECK_INT(t->n, 5);
    CHECK(cam_forget_strangers(t, day + S));
    CHECK_INT(t->n, 4);
    CHECK(!cam_find(t, "00:00:00:00:00:01"));
    CHECK(cam_find(t, "00:00:00:00:00:05"));
    CHECK(cam_forget_strangers(t, day + 2 * S));
    CHECK_INT(t->n, 3);
    CHECK_INT(t->evicted, 2);
    free(t);
}

TEST(what_an_earlier_process_left_is_checked) {
    struct cam_table *t = calloc(1, sizeof *t);
    cam_table_check(t);
    add(t, 1, 9, S)->auto_due_ms = 7;
    cam_table_check(t);
    CHECK_INT(t->n, 1);
    CHECK_INT(t->camera[0].auto_due_ms, 0);
    memset(t->camera[0].saved_name, 'x', CAM_FILE);
    cam_table_check(t);
    CHECK_INT(t->n, 0);
    t->n = CAM_TABLE + 1;
    cam_table_check(t);
    CHECK_INT(t->n, 0);
    add(t, 1, 9, S);
    t->magic++;
    cam_table_check(t);
    CHECK_INT(t->n, 0);
    free(t);
}

static bool near(double a, double b) {
    return fabs(a - b) < 0.001 * fabs(b) + 1e-9;
}

TEST(rates_are_of_the_last_pictures_and_fall_when_the_next_is_overdue) {
    struct cam_camera c = {0};
    double per_min, bytes;
    uint64_t now = 1000000 * S;
    cam_rate(&c, now, &per_min, &bytes);
    CHECK(near(per_min, 0));
    cam_add_picture(&c, now, 5000);
    cam_rate(&c, now, &per_min, &bytes);
    CHECK(near(per_min, 0));
    for (int i = 0; i < 100; i++)
        cam_add_picture(&c, now += 5 * S, 10000);
    cam_rate(&c, now, &per_min, &bytes);
    CHECK(near(per_min, 12));
    CHECK(near(bytes, 2000));
    cam_rate(&c, now + 9 * S, &per_min, &bytes);
    CHECK(near(per_min, 12));
    cam_rate(&c, now + 155 * S + 5 * S, &per_min, &bytes);
    CHECK(near(per_min, 6));
    cam_rate(&c, now + 3601 * S, &per_min, &bytes);
    CHECK(near(per_min, 0));
    cam_add_picture(&c, now, 1); /* the clock has stood, or was set back */
    cam_rate(&c, now - 100 * S, &per_min, &bytes);
    CHECK(per_min >= 0 && per_min < 1000);
}

TEST(a_camera_sent_to_sleep_is_not_silent_until_it_is_overdue) {
    struct cam_camera c = {.heard_ns = 1000 * S};
    CHECK_INT(cam_is(&c, 1059 * S, 60 * S), CAM_LIVE);
    CHECK_INT(cam_is(&c, 1060 * S, 60 * S), CAM_SILENT);
    c.sleep_ns = 1002 * S;
    c.sleep_s = 600;
    CHECK_INT(cam_sleeps_until(&c), 1602 * S);
    CHECK_INT(cam_is(&c, 1100 * S, 60 * S), CAM_ASLEEP);
    CHECK_INT(cam_is(&c, 1650 * S, 60 * S), CAM_LIVE);
    CHECK_INT(cam_is(&c, 1662 * S, 60 * S), CAM_SILENT);
    c.heard_ns = 1005 * S; /* under way while the command went out */
    CHECK_INT(cam_is(&c, 1100 * S, 60 * S), CAM_ASLEEP);
    c.heard_ns = 1050 * S; /* it did not listen */
    CHECK_INT(cam_sleeps_until(&c), 0);
    CHECK_INT(cam_is(&c, 1120 * S, 60 * S), CAM_SILENT);
}

TEST(how_long_to_sleep) {
    CHECK_INT(cam_sleep_rule(75, 3), 600);
    CHECK_INT(cam_sleep_rule(8, 13), 600);
    CHECK_INT(cam_sleep_rule(7, 11), 3600);
    CHECK_INT(cam_sleep_rule(7.9, 12), 32400);
    CHECK_INT(cam_sleep_rule(0, 23), 32400);
}

TEST(commands_wait_one_of_each_camera) {
    struct cam_sleeps q = {0};
    struct cam_sleep s;
    char line[CAM_COMMAND], name[CAM_MAC];
    CHECK(cam_sleeps_add(&q, "24:6f:28:a1:b2:c3", 60));
    CHECK(cam_sleeps_add(&q, "24:6f:28:00:00:02", 70));
    CHECK(cam_sleeps_add(&q, "24:6f:28:a1:b2:c3", 600));
    CHECK_INT(q.n, 2);
    CHECK(cam_sleeps_take(&q, &s));
    CHECK_INT(cam_sleep_line(&s, line), 39);
    CHECK_STR(line, "CMD_SEND_ESP_NOW:24:6f:28:a1:b2:c3:600\n");
    CHECK(!cam_sleeps_has(&q, "24:6f:28:a1:b2:c3"));
    for (unsigned i = 1; i < CAM_SLEEPS; i++) {
        snprintf(name, sizeof name, "00:00:00:00:00:%02x", i);
        CHECK(cam_sleeps_add(&q, name, CAM_SLEEP_MAX_S));
    }
    CHECK(!cam_sleeps_add(&q, "ff:ff:ff:ff:ff:ff", 1));
    CHECK(cam_sleeps_add(&q, "00:00:00:00:00:01", 1));
    while (cam_sleeps_take(&q, &s))
        CHECK(cam_sleep_line(&s, line) < CAM_COMMAND);
}

TEST(size_of_a_jpeg) {
    static const uint8_t jpeg[] = {0xff, 0xd8, 0xff, 0xe0, 0,    4,    1, 2,  0xff,
                                   0xff, 0xc4, 0,    2,    0xff, 0xc0, 0, 17, 8,
                                   0x02, 0x58, 0x03, 0x20, 3,    0,    0};
    unsigned w = 0, h = 0;
    CHECK(cam_jpeg_size(jpeg, sizeof jpeg, &w, &h));
    CHECK_INT(w, 800);
    CHECK_INT(h, 600);
    for (size_t n = 0; n < sizeof jpeg; n++) { /* cut anywhere, in memory of that size */
        uint8_t *p = malloc(n + 1);
        memcpy(p, jpeg, n);
        CHECK(cam_jpeg_size(p, n, &w, &h) == (n >= 22));
        free(p);
    }
    uint8_t bad[sizeof jpeg];
    for (unsigned seed = 1; seed < 20000; seed++) {
        memcpy(bad, jpeg, sizeof bad);
        bad[2 + seed % 20] = (uint8_t)(seed * 2654435761u >> 24);
        bad[2 + seed / 20 % 20] = (uint8_t)(seed * 40503u >> 8);
        cam_jpeg_size(bad, sizeof bad, &w, &h);
    }
}
