#include "json.h"
#include "random.h"
#include "test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static const struct json_style spaced = {.spaced = true}, hex = {.bin = JSON_BIN_HEX},
                               tagged = {.bin = JSON_BIN_TAGGED};

static const char *text_of(struct buf *b) {
    buf_putc(b, 0);
    b->end--;
    return (const char *)buf_data(b);
}

/* ---- numbers ---- */

static void check_double(double v, const char *want) {
    struct buf b = {0};
    json_put_double(&b, v);
    CHECK_STR(text_of(&b), want);
    buf_free(&b);
}

TEST(writes_doubles_in_the_shortest_form) {
    static const struct {
        double v;
        const char *text;
    } table[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {5.0, "5.0"},
        {-12.0, "-12.0"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {2.0 / 3, "0.6666666666666666"},
        {36.6, "36.6"},
        {-101.325, "-101.325"},
        {3.141592653589793, "3.141592653589793"},
        {123456789.125, "123456789.125"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {1.5e-7, "1.5e-07"},
        {123456789012345.0, "123456789012345.0"},
        {9007199254740993.0, "9007199254740992.0"},
        {9999999999999998.0, "9999999999999998.0"},
        {1e16, "1e+16"},
        {12345678901234567.0, "1.2345678901234568e+16"},
        {1e21, "1e+21"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {9.5e-8, "9.5e-08"},
        {5e-324, "5e-324"},
        {1e-323, "1e-323"},
        {0x1p-1021, "4.450147717014403e-308"},
        {0x1p-44, "5.684341886080802e-14"}, /* nearest 16 digits read as less */
        {0x1p-24, "5.960464477539063e-08"},
        {0x1p89, "6.189700196426902e+26"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {2.225073858507201e-308, "2.225073858507201e-308"}, /* largest sub-normal */
        {DBL_MAX, "1.7976931348623157e+308"},
        {9007199254740991.0, "9007199254740991.0"},
        {(double)0.1f, "0.10000000149011612"},
        {NAN, "null"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        check_double(table[i].v, table[i].text);
}

static void check_round_trip(struct buf *b, double v) {
    buf_clear(b);
    json_put_double(b, v);
    const char *text = text_of(b);
    char *end;
    double back = strtod(text, &end);
    if (*end || memcmp(&back, &v, sizeof v) != 0)
        test_fail(__FILE__, __LINE__, "%a is written as %s", v, text);
    CHECK(strpbrk(text, ".e"));
}

TEST(doubles_read_back_as_the_same_bits) {
    struct buf b = {0};
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = random_bits();
        double v;
        memcpy(&v, &bits, sizeof v);
        if (isfinite(v))
            check_round_trip(&b, v);
    }
    for (int e = -1074; e < 1024; e++) {
        double v = ldexp(1, e);
        check_round_trip(&b, v);
        check_round_trip(&b, nextafter(v, 0));
        check_round_trip(&b, nextafter(v, DBL_MAX));
    }
    for (int i = 0; i < 100000; i++)
        check_round_trip(&b, (double)(int64_t)(random_bits() >> 20) / 1e4);
    buf_free(&b);
}

TEST(writes_whole_numbers) {
    struct buf b = {0};
    json_put_uint(&b, 0);
    json_put_uint(&b, UINT64_MAX);
    json_put_int(&b, INT64_MIN);
    json_put_int(&b, INT64_MAX);
    json_put_int(&b, -1);
    CHECK_STR(text_of(&b), "018446744073709551615-92233720368547758089223372036854775807-1");
    buf_free(&b);
}

/* ---- strings ---- */

static void check_string(const char *s, size_t n, const char *want) {
    struct buf b = {0};
    char *exact = malloc(n ? n : 1);
    memcpy(exact, s, n);
    json_put_str(&b, exact, n);
    CHECK_STR(text_of(&b), want);
    free(exact);
    buf_free(&b);
}

TEST(escapes_strings) {
    check_string("", 0, "\"\"");
    check_string("plain", 5, "\"plain\"");
    check_string("a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"");
    check_string("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
    check_string("\0\1\x0f\x10\x1f\x20\x7f", 7, "\"\\u0000\\u0001\\u000f\\u0010\\u001f \x7f\"");
    check_string("0123456789abcdef\n0123456\"", 25, "\"0123456789abcdef\\n0123456\\\"\"");
}

TEST(keeps_good_utf8_and_replaces_bad) {
    static const struct {
        const char *in, *out;
    } table[] = {
        {"\xc2\x80 \xc3\xa4 \xdf\xbf", "\xc2\x80 \xc3\xa4 \xdf\xbf"},
        {"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
         "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"},
        {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {"\x80", "\xef\xbf\xbd"},
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                                 /* overlong */
        {"\xe0\x9f\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                 /* overlong */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                 /* surrogate */
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* too large */
        {"\xe2\x82", "\xef\xbf\xbd"}, /* cut at the end */
        {"\xf0\x9f\x98", "\xef\xbf\xbd"},
        {"\xe2\x82z", "\xef\xbf\xbdz"},
        {"\xe2\x82\xc3\xa4", "\xef\xbf\xbd\xc3\xa4"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char want[64];
        snprintf(want, sizeof want, "\"%s\"", table[i].out);
        check_string(table[i].in, strlen(table[i].in), want);
    }
}

TEST(random_bytes_become_strings_that_parse) {
    struct buf b = {0}, mp = {0};
    for (int i = 0; i < 5000; i++) {
        char noise[40];
        size_t n = random_bits() % sizeof noise;
        for (size_t k = 0; k < n; k++)
            noise[k] = (char)(random_bits() & (random_bits() % 2 ? 0xff : 0x7f));
        buf_clear(&b);
        buf_clear(&mp);
        json_put_str(&b, noise, n);
        struct err e;
        CHECK_INT(json_to_mp(&mp, (char *)buf_data(&b), buf_len(&b), &e), 0);
    }
    buf_free(&b);
    buf_free(&mp);
}

TEST(base64_both_ways) {
    static const char *const table[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xfb\xff\xbf", "+/+/"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct buf b = {0}, back = {0};
        json_put_base64(&b, table[i][0], strlen(table[i][0]));
        CHECK_STR(text_of(&b), table[i][1]);
        CHECK(json_get_base64(&back, (char *)buf_data(&b), buf_len(&b)));
        CHECK_STR(text_of(&back), table[i][0]);
        buf_free(&b);
        buf_free(&back);
    }
}

TEST(base64_is_strict) {
    static const char *const bad[] = {"Z",    "Zg",   "Zg=",      "Zh==", "Zm9=", "====",
                                      "Z===", "=Zg=", "Zg==Zg==", "Zm9-", "Zm 9", "Z\xc3\xa4="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf b = {0};
        if (json_get_base64(&b, bad[i], strlen(bad[i])))
            test_fail(__FILE__, __LINE__, "accepted %s", bad[i]);
        CHECK_INT(buf_len(&b), 0);
        buf_free(&b);
    }
}

/* ---- msgpack to JSON ---- */

/* Convert the msgpack in `mp`, from a block of exactly its size, and free it. */
static void check_from_mp(struct buf *mp, const struct json_style *style, const char *want) {
    size_t n = buf_len(mp);
    uint8_t *p = malloc(n);
    memcpy(p, buf_data(mp), n);
    struct mp_cursor c = {p, p + n};
    struct buf out = {0};
    CHECK_INT(json_from_mp(&out, &c, style), 1);
    CHECK_STR(text_of(&out), want);
    CHECK(c.at == c.end);
    free(p);
    buf_free(&out);
    buf_free(mp);
}

static struct buf mixed(void) {
    struct buf b = {0};
    mp_put_map(&b, 8);
    mp_kv_uint(&b, "u", UINT64_MAX);
    mp_kv_int(&b, "i", -7);
    mp_kv_double(&b, "d", 2);
    mp_kv_bool(&b, "t", true);
    mp_kv_bool(&b, "f", false);
    mp_kv_nil(&b, "n");
    mp_put_str(&b, "a");
    mp_put_array(&b, 3);
    mp_put_str(&b, "x\n");
    mp_put_array(&b, 0);
    mp_put_map(&b, 0);
    mp_kv_bin(&b, "b", "\0\xff\x10", 3);
    return b;
}

TEST(writes_values_of_every_type) {
    struct buf b = mixed();
    check_from_mp(
        &b, NULL,
        "{\"u\":18446744073709551615,\"i\":-7,\"d\":2.0,\"t\":true,\"f\":false,\"n\":null,"
        "\"a\":[\"x\\n\",[],{}],\"b\":\"AP8Q\"}");
    b = mixed();
    check_from_mp(&b, &spaced,
                  "{\"u\": 18446744073709551615, \"i\": -7, \"d\": 2.0, \"t\": true, \"f\": false, "
                  "\"n\": null, \"a\": [\"x\\n\", [], {}], \"b\": \"AP8Q\"}");
}

TEST(shows_binary_as_asked) {
    struct buf b = {0};
    mp_put_bin(&b, "\0\xff\x10", 3);
    check_from_mp(&b, &hex, "\"00ff10\"");
    mp_put_bin(&b, "\0\xff\x10", 3);
    check_from_mp(&b, &tagged, "{\"$bin\":\"AP8Q\"}");
    mp_put_bin(&b, "", 0);
    check_from_mp(&b, &(struct json_style){true, JSON_BIN_TAGGED}, "{\"$bin\": \"\"}");
}

TEST(writes_extensions_as_null_and_any_key_as_string) {
    struct buf b = {0};
    buf_put(&b, "\x88\x05\x01\xc0\x02\xc3\x03\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00\x04", 17);
    buf_put(&b, "\xc4\x01\xff\x05\x91\xa1\"\x06\xd4\x01\x00\x07\xff\xd4\x01\x00", 16);
    check_from_mp(&b, NULL,
                  "{\"5\":1,\"null\":2,\"true\":3,\"0.5\":4,\"/w==\":5,\"[\\\"\\\\\\\"\\\"]\":6,"
                  "\"null\":7,\"-1\":null}");
}

TEST(leaves_cursor_and_output_alone_unless_whole) {
    struct buf b = mixed(), out = {0};
    buf_puts(&out, "before");
    for (size_t n = 0; n < buf_len(&b); n++) {
        uint8_t *p = malloc(n ? n : 1);
        memcpy(p, buf_data(&b), n);
        struct mp_cursor c = {p, p + n};
        CHECK_INT(json_from_mp(&out, &c, NULL), 0);
        CHECK(c.at == p);
        free(p);
    }
    struct mp_cursor bad = {(const uint8_t *)"\x92\x01\xc1", NULL};
    bad.end = bad.at + 3;
    CHECK_INT(json_from_mp(&out, &bad, NULL), -1);
    CHECK_MEM(buf_data(&out), buf_len(&out), "before", 6);
    buf_free(&b);
    buf_free(&out);
}

TEST(bounds_the_nesting_of_msgpack) {
    for (int key = 0; key < 2; key++)
        for (int deep = MP_DEPTH_MAX; deep <= MP_DEPTH_MAX + 1; deep++) {
            struct buf b = {0}, out = {0};
            for (int i = 0; i < deep; i++)
                buf_put(&b, key ? "\x81" : "\x91", 1);
            buf_put(&b, "\x00", 1);
            for (int i = 0; i < deep && key; i++)
                buf_put(&b, "\x00", 1);
            struct mp_cursor c = {buf_data(&b), buf_data(&b) + buf_len(&b)};
            CHECK_INT(json_from_mp(&out, &c, NULL), deep == MP_DEPTH_MAX ? 1 : -1);
            buf_free(&b);
            buf_free(&out);
        }
}

TEST(writes_messages) {
    struct buf b = {0}, out = {0};
    struct msg m;
    msg_put_head(&b, "panel.press", 11, 1753000000123456789u, 3);
    mp_put_map(&b, 1);
    mp_kv_uint(&b, "id", 5);
    CHECK(msg_parse(buf_data(&b), buf_len(&b), &m) > 0);
    CHECK_INT(json_put_msg(&out, &m, NULL), 1);
    CHECK_STR(text_of(&out), "{\"topic\":\"panel.press\",\"time\":1753000000123456789,\"seq\":3,"
                             "\"body\":{\"id\":5}}");
    buf_clear(&out);
    CHECK_INT(json_put_msg(&out, &m, &spaced), 1);
    CHECK_STR(text_of(&out),
              "{\"topic\": \"panel.press\", \"time\": 1753000000123456789, \"seq\": 3, "
              "\"body\": {\"id\": 5}}");
    buf_free(&b);
    buf_free(&out);
}

/* ---- JSON to msgpack ---- */

static void check_to_mp(const char *text, const char *want, size_t n) {
    struct buf b = {0};
    struct err e = {0};
    size_t len = strlen(text);
    char *exact = malloc(len);
    memcpy(exact, text, len);
    if (json_to_mp(&b, exact, len, &e))
        test_fail(__FILE__, __LINE__, "%s: %s", text, e.text);
    CHECK_MEM(buf_data(&b), buf_len(&b), want, n);
    free(exact);
    buf_free(&b);
}

static void check_not_json(const char *text, enum cause cause, const char *why) {
    struct buf b = {0};
    struct err e = {0};
    buf_puts(&b, "before");
    if (json_to_mp(&b, text, strlen(text), &e) != -1)
        test_fail(__FILE__, __LINE__, "accepted: %s", text);
    CHECK_INT(e.cause, cause);
    if (!strstr(e.text, why) || strpbrk(e.text, "\n\r\t"))
        test_fail(__FILE__, __LINE__, "%s: error \"%s\" without \"%s\"", text, e.text, why);
    CHECK_MEM(buf_data(&b), buf_len(&b), "before", 6);
    buf_free(&b);
}

TEST(reads_values_of_every_type) {
    check_to_mp("5", "\x05", 1);
    check_to_mp(" -1\n", "\xff", 1);
    check_to_mp("9223372036854775807", "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9);
    check_to_mp("-9223372036854775808", "\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9);
    check_to_mp("5.0", "\xcb\x40\x14\x00\x00\x00\x00\x00\x00", 9);
    check_to_mp("5e0", "\xcb\x40\x14\x00\x00\x00\x00\x00\x00", 9);
    check_to_mp("-0.0", "\xcb\x80\x00\x00\x00\x00\x00\x00\x00", 9);
    check_to_mp("true", "\xc3", 1);
    check_to_mp("null", "\xc0", 1);
    check_to_mp("\"a\\u0000\\u00e4\"",
                "\xa4"
                "a\x00\xc3\xa4",
                5);
    check_to_mp("[1,[],{}]", "\x93\x01\x90\x80", 4);
    check_to_mp("{\"b\":false,\"a\":1}",
                "\x82\xa1"
                "b\xc2\xa1"
                "a\x01",
                7);
    check_to_mp("{\"a\":1,\"a\":2}",
                "\x81\xa1"
                "a\x02",
                4);
}

TEST(reads_tagged_binary) {
    check_to_mp("{\"$bin\":\"AP8Q\"}", "\xc4\x03\x00\xff\x10", 5);
    check_to_mp("{\"$bin\":\"\"}", "\xc4\x00", 2);
    check_to_mp("{\"$bin\":1,\"a\":2}",
                "\x82\xa4$bin\x01\xa1"
                "a\x02",
                10);
    check_not_json("{\"$bin\":5}", CAUSE_PROTOCOL, "base64");
    check_not_json("[1,{\"$bin\":\"A\"}]", CAUSE_PROTOCOL, "base64");
}

TEST(names_place_and_reason_of_bad_json) {
    check_not_json("", CAUSE_PROTOCOL, "line 1 column 0");
    check_not_json("{\"a\":1,\n \"b\" 2}", CAUSE_PROTOCOL, "line 2 column 6");
    check_not_json("{} x", CAUSE_PROTOCOL, "line 1 column 4");
    check_not_json("nan", CAUSE_PROTOCOL, "column 3");
    check_not_json("\"a\nb\"", CAUSE_PROTOCOL, "newline");
    check_not_json("\"\xff\"", CAUSE_PROTOCOL, "0xff");
    check_not_json("18446744073709551615", CAUSE_PROTOCOL, "too big integer");
    check_not_json("1e999", CAUSE_PROTOCOL, "real number overflow");
}

static void check_depth(int deep, int want) {
    struct buf text = {0}, out = {0};
    struct err e = {0};
    for (int i = 0; i < deep; i++)
        buf_putc(&text, '[');
    for (int i = 0; i < deep; i++)
        buf_putc(&text, ']');
    CHECK_INT(json_to_mp(&out, (char *)buf_data(&text), buf_len(&text), &e), want);
    struct mp_cursor c = {buf_data(&out), buf_data(&out) + buf_len(&out)};
    CHECK_INT(mp_skip(&c), want ? 0 : 1);
    buf_free(&text);
    buf_free(&out);
}

TEST(bounds_depth_and_size_of_json) {
    check_depth(MP_DEPTH_MAX, 0);
    check_depth(MP_DEPTH_MAX + 1, -1);
    check_depth(100000, -1);
    struct buf out = {0};
    struct err e;
    CHECK_INT(json_to_mp(&out, "", JSON_TEXT_MAX + 1, &e), -1);
    CHECK_INT(e.cause, CAUSE_LIMIT);
}

/* ---- both ways ---- */

static void put_random(struct buf *b, int depth) {
    uint64_t bits = random_bits() >> random_bits() % 64;
    char text[24];
    size_t n = random_bits() % sizeof text;
    for (size_t i = 0; i < n; i++)
        text[i] = (char)(random_bits() % 0x80);
    switch (random_bits() % (depth ? 8 : 6)) {
    case 0:
        mp_put_nil(b);
        break;
    case 1:
        mp_put_bool(b, bits & 1);
        break;
    case 2:
        mp_put_int(b, (int64_t)bits);
        break;
    case 3:
        mp_put_double(b, (double)(int64_t)bits / 1000);
        break;
    case 4:
        mp_put_strn(b, text, n);
        break;
    case 5:
        mp_put_bin(b, text, n);
        break;
    case 6:
        mp_put_array(b, (uint32_t)(n % 5));
        for (size_t i = 0; i < n % 5; i++)
            put_random(b, depth - 1);
        break;
    default:
        mp_put_map(b, (uint32_t)(n % 5));
        for (size_t i = 0; i < n % 5; i++) {
            snprintf(text, sizeof text, "key %zu", i);
            mp_put_str(b, text);
            put_random(b, depth - 1);
        }
    }
}

TEST(tagged_json_brings_every_value_back) {
    struct buf mp = {0}, text = {0}, back = {0};
    struct err e;
    for (int i = 0; i < 3000; i++) {
        buf_clear(&mp);
        buf_clear(&text);
        buf_clear(&back);
        put_random(&mp, 4);
        struct mp_cursor c = {buf_data(&mp), buf_data(&mp) + buf_len(&mp)};
        CHECK_INT(json_from_mp(&text, &c, &tagged), 1);
        CHECK_INT(json_to_mp(&back, (char *)buf_data(&text), buf_len(&text), &e), 0);
        CHECK_MEM(buf_data(&back), buf_len(&back), buf_data(&mp), buf_len(&mp));
    }
    buf_free(&mp);
    buf_free(&text);
    buf_free(&back);
}
