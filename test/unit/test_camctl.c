/* The pure parts of camctl. */
#include "../../cmd/camctl/annexb.c"
#include "../../cmd/camctl/command.c"
#include "../../cmd/camctl/jpeg.c"
#include "../../cmd/camctl/session.c"
#include "../../cmd/camctl/settings.c"

#include <stdlib.h>

#include "test.h"

/* ---- logins ---- */

static void hides(const char *text, const char *want) {
    char *copy = mem_strdup(text);
    size_t n = command_hide_logins(copy, strlen(copy));
    CHECK(n == strlen(want) && memcmp(copy, want, n) == 0);
    free(copy);
}

TEST(logins_are_hidden) {
    hides("", "");
    hides("://", "://");
    hides("://@", "://");
    hides("rtsp://host:8554/a@b", "rtsp://host:8554/a@b");
    hides("rtsp://u:p@host/a", "rtsp://host/a");
    hides("'rtsp://u:p@ss@[::1]:1/a' x rtsp://v@h: no", "'rtsp://[::1]:1/a' x rtsp://h: no");
    hides("a@b c://d e@f", "a@b c://d e@f");
}

/* ---- session ---- */

static struct sockaddr_storage peer(const char *text, bool mapped) {
    struct sockaddr_storage a = {0};
    struct sockaddr_in *v4 = (void *)&a;
    struct sockaddr_in6 *v6 = (void *)&a;
    unsigned b[4];
    sscanf(text, "%u.%u.%u.%u", &b[0], &b[1], &b[2], &b[3]);
    uint8_t bytes[4] = {(uint8_t)b[0], (uint8_t)b[1], (uint8_t)b[2], (uint8_t)b[3]};
    if (mapped) {
        v6->sin6_family = AF_INET6;
        v6->sin6_addr.s6_addr[10] = v6->sin6_addr.s6_addr[11] = 0xff;
        memcpy(v6->sin6_addr.s6_addr + 12, bytes, 4);
    } else {
        v4->sin_family = AF_INET;
        memcpy(&v4->sin_addr, bytes, 4);
    }
    return a;
}

static bool sees(struct sessions *s, const char *text, bool mapped, uint64_t now) {
    struct sockaddr_storage a = peer(text, mapped);
    return session_see(s, (struct sockaddr *)&a, now);
}

static void begin(struct sessions *s, const char *text, uint64_t now) {
    struct sockaddr_storage a = peer(text, false);
    session_begin(s, (struct sockaddr *)&a, now);
}

TEST(a_session_lasts_while_its_address_is_seen) {
    struct sessions s = {.life_ms = 100};
    CHECK(!sees(&s, "10.0.0.1", false, 0));
    begin(&s, "10.0.0.1", 0);
    CHECK(sees(&s, "10.0.0.1", false, 100));
    CHECK(sees(&s, "10.0.0.1", true, 200)); /* the same, through an IPv6 socket */
    CHECK(!sees(&s, "10.0.0.2", false, 200));
    CHECK(!sees(&s, "10.0.0.1", false, 301));
    CHECK_INT(session_count(&s, 301), 0);
    CHECK(!sees(&s, "10.0.0.1", false, 250));
}

TEST(the_table_of_sessions_is_bounded) {
    struct sessions s = {.life_ms = 1000000};
    char text[32];
    for (int i = 0; i <= SESSIONS; i++) {
        snprintf(text, sizeof text, "10.0.%d.%d", i / 250, i % 250);
        begin(&s, text, (uint64_t)i);
    }
    CHECK_INT(session_count(&s, 1000), SESSIONS);
    CHECK(!sees(&s, "10.0.0.0", false, 1000));
    CHECK(sees(&s, "10.0.0.1", false, 1000));
    begin(&s, "10.0.0.1", 1001);
    CHECK_INT(session_count(&s, 1001), SESSIONS);
}

/* ---- annexb ---- */

/* What a picture begins with: p parameter sets, k key picture, n other picture, c its second slice,
 * d access unit delimiter. */
static size_t unit(char kind, uint8_t *out) {
    static const struct {
        char kind;
        uint8_t bytes[6];
    } all[] = {{'p', {0, 0, 1, 0x67, 0x42, 9}}, {'q', {0, 0, 1, 0x68, 0xce, 9}},
               {'k', {0, 0, 1, 0x65, 0x88, 9}}, {'n', {0, 0, 1, 0x41, 0x9a, 9}},
               {'c', {0, 0, 1, 0x41, 0x4a, 9}}, {'d', {0, 0, 1, 0x09, 0xf0, 9}}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].kind == kind)
            memcpy(out, all[i].bytes, 6);
    return 6;
}

/* The stream in pieces of `step` bytes; for each piece found: its flags and number of bytes. */
static void cut(const char *units, size_t step, char *out) {
    uint8_t s[256], hold[256];
    size_t n = 0, have = 0, len = 0;
    struct annexb a = {0};
    struct annexb_piece x;
    *out = 0;
    for (const char *u = units; *u; u++)
        n += unit(*u, s + n);
    for (size_t at = 0; at < n;) {
        size_t take = n - at < step ? n - at : step;
        memcpy(hold + have, s + at, take);
        have += take;
        at += take;
        while (have && annexb_next(&a, hold, have, &x)) {
            CHECK(x.len > 0 && x.len <= have);
            if ((x.leave || x.enter) && len)
                sprintf(out + strlen(out), "%zu ", len);
            if (x.leave || x.enter) {
                sprintf(out + strlen(out), "%s%s", x.leave ? "L" : "", x.enter ? "E" : "");
                len = 0;
            }
            len += x.len;
            memmove(hold, hold + x.len, have -= x.len);
        }
        CHECK(have <= 4);
    }
    sprintf(out + strlen(out), "%zu", len + have);
}

TEST(pictures_are_found_however_the_stream_is_split) {
    static const struct {
        const char *units, *found;
    } all[] = {{"pqknn", "LE18 L6 L6"},
               {"nncnpqk", "L6 L12 L6 LE18"},
               {"knk", "LE6 L6 LE6"},
               {"dpqkdndn", "L6 E18 L12 L12"},
               {"cn", "6 L6"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (size_t step = 1; step < 50; step++) {
            char found[256];
            cut(all[i].units, step, found);
            CHECK_STR(found, all[i].found);
        }
}

TEST(what_is_no_video_goes_through) {
    uint8_t s[300];
    struct annexb a = {0};
    struct annexb_piece x;
    srand(1);
    for (int round = 0; round < 2000; round++) {
        size_t n = sizeof s;
        for (size_t i = 0; i < n; i++)
            s[i] = (uint8_t)(rand() % 3);
        const uint8_t *p = s;
        while (n && annexb_next(&a, p, n, &x)) {
            CHECK(x.len > 0 && x.len <= n);
            p += x.len;
            n -= x.len;
        }
        CHECK(n <= 4);
    }
}

/* ---- jpeg ---- */

static const uint8_t picture[] = {
    0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 0xFF, 0xD9,                         /* an end that is none */
    0xFF, 0xC0, 0,    11,   8, 0, 48,   0,    64,   1, 0,    0x11, 0, /* 64 x 48 */
    0xFF, 0xDA, 0,    4,    0, 0, 1,    0xFF, 0x00, 2, 0xFF, 0xD0, 3, /* stuffed, restart */
    0xFF, 0xD9};

TEST(a_jpeg_ends_where_it_ends) {
    uint8_t two[2 * sizeof picture];
    unsigned w, h;
    memcpy(two, picture, sizeof picture);
    memcpy(two + sizeof picture, picture, sizeof picture);
    CHECK_INT(jpeg_scan(two, sizeof two, &w, &h), sizeof picture);
    CHECK(w == 64 && h == 48);
    for (size_t n = 0; n < sizeof picture; n++)
        CHECK_INT(jpeg_scan(picture, n, &w, &h), 0);
    CHECK_INT(jpeg_scan(picture + 1, sizeof picture - 1, &w, &h), -1);
    CHECK_INT(jpeg_scan((const uint8_t[]){0xFF, 0xD8, 0, 0}, 4, &w, &h), -1);
    CHECK_INT(jpeg_scan((const uint8_t[]){0xFF, 0xD8, 0xFF, 0xE0, 0, 1, 0}, 7, &w, &h), -1);
}

TEST(a_jpeg_of_noise_is_read_within_its_bytes) {
    unsigned w, h;
    srand(2);
    for (int i = 0; i < 20000; i++) {
        size_t n = (size_t)rand() % 64;
        uint8_t *p = malloc(n + 1);
        for (size_t k = 0; k < n; k++)
            p[k] = rand() % 2 ? 0xFF : (uint8_t)rand();
        CHECK(jpeg_scan(p, n, &w, &h) <= (long)n);
        free(p);
    }
}

/* ---- command ---- */

static const struct command_values values = {.settings = {10000, 2, 1.5, 0.25, 1.0, -0.5},
                                             .width = 640,
                                             .height = 480,
                                             .fps = 24,
                                             .preview_step = 5,
                                             .url = "rtsp://x/a b",
                                             .camera = "rpicam-vid"};

TEST(values_are_put_into_words) {
    struct conf_argv a;
    struct err e;
    CHECK_INT(
        command_make("%camera --shutter %shutter --gain %gain '%size @%fps' "
                     "--awbgains %awb_red,%awb_blue -c %contrast -b %brightness %url 5%% '$x'",
                     &values, &a, &e),
        0);
    static const char *const want[] = {"rpicam-vid",  "--shutter",  "10000",        "--gain", "2",
                                       "640x480 @24", "--awbgains", "1.50,0.25",    "-c",     "1.0",
                                       "-b",          "-0.5",       "rtsp://x/a b", "5%",     "$x"};
    CHECK_INT(a.cmd[0].argc, sizeof want / sizeof *want);
    for (size_t i = 0; i < a.cmd[0].argc; i++)
        CHECK_STR(a.cmd[0].argv[i], want[i]);
    conf_argv_free(&a);
}

TEST(a_template_that_is_none_is_told) {
    struct err e;
    CHECK_INT(command_check("a %shuter", "--x", &e), -1);
    CHECK(strstr(e.text, "--x \"a %shuter\": unknown value %shuter"));
    CHECK_INT(command_check("a | b", "--x", &e), -1);
    CHECK_INT(command_check("a $b", "--x", &e), -1);
    CHECK_INT(command_check("", "--x", &e), -1);
    CHECK_INT(command_check("a 'b", "--x", &e), -1);
    CHECK_INT(command_check("a %%b", "--x", &e), 0);
}

/* ---- settings ---- */

static int from_json(const char *text, struct camsettings *s, struct err *e) {
    return settings_read(text, strlen(text), s, e);
}

TEST(a_settings_file_is_read_back) {
    struct camsettings s = {12300, 3, 1.5, 2.25, 0.1, -0.25}, got;
    struct buf b = {0};
    struct err e;
    settings_text(&b, &s);
    CHECK_MEM(buf_data(&b), buf_len(&b),
              "{\"shutter\": 12300, \"gain\": 3, \"awb_red\": 1.5, \"awb_blue\": 2.25, "
              "\"contrast\": 0.1, \"brightness\": -0.25}\n",
              buf_len(&b));
    CHECK_INT(settings_read((char *)buf_data(&b), buf_len(&b), &got, &e), 0);
    CHECK(memcmp(&s, &got, sizeof s) == 0);
    buf_free(&b);
}

TEST(what_a_file_leaves_out_is_standard) {
    struct camsettings s;
    struct err e;
    CHECK_INT(from_json("{\"gain\": 4.0}", &s, &e), 0);
    CHECK(s.gain == 4 && s.shutter_us == 10000 && s.contrast == 1 && s.brightness == 0);
}

TEST(wrong_settings_change_nothing) {
    static const char *const wrong[] = {"",
                                        "[]",
                                        "{\"gain\": 1",
                                        "{\"gain\": \"1\"}",
                                        "{\"gain\": 1.5}",
                                        "{\"gain\": 17}",
                                        "{\"gain\": -1}",
                                        "{\"shutter\": 41601}",
                                        "{\"brightness\": -1.01}",
                                        "{\"contrast\": null}",
                                        "{\"awb_red\": true}",
                                        "{\"awb_blue\": 1e300}",
                                        "{\"gain\": 2, \"gian\": 2}"};
    struct camsettings s = {1, 2, 3, 4, 5, 6}, before = s;
    struct err e;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_INT(from_json(wrong[i], &s, &e), -1);
        CHECK(memcmp(&s, &before, sizeof s) == 0);
    }
    CHECK(strstr(e.text, "unknown setting \"gian\""));
}

TEST(only_what_is_given_is_merged) {
    struct camsettings s = {1, 2, 3, 4, 5, 0}, from = {9, 9, 9, 9, 9, 1};
    CHECK(settings_merge(&s, &from, 1 << 1 | 1 << 5));
    CHECK(s.shutter_us == 1 && s.gain == 9 && s.awb_red == 3 && s.brightness == 1);
    CHECK(!settings_merge(&s, &from, 1 << 1 | 1 << 5));
}
