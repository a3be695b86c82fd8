/* json_scan: what is JSON and what is not, raw texts, keys and strings behind escapes. */
#include "json_scan.h"

#include <stdlib.h>

#include "test.h"

static struct json_object o;
static struct err e;

/* In a block of its own, so that a read past the end is seen. */
static int scan_n(const char *text, size_t n) {
    static char *block;
    free(block);
    block = malloc(n ? n : 1);
    memcpy(block, text, n);
    return json_scan(&o, block, n, &e);
}

static int scan(const char *text) {
    return scan_n(text, strlen(text));
}

static void raw_is(const char *key, const char *want) {
    const struct json_raw *v = json_get(&o, key);
    CHECK(v);
    CHECK_MEM(v->p, v->n, want, strlen(want));
}

TEST(values_are_the_text_that_came) {
    CHECK_INT(scan(" { \"x\" : 10.50, \"big\":1234567890123456789012345 ,\"e\":-0.0E+07,"
                   "\"s\":\"a\\u00e9\\n\", \"o\": {\"a\": [1, 2, {}]}, \"n\":null,\"t\":true,"
                   "\"f\":false,\"a\":[ ] } "),
              0);
    CHECK_INT(o.n, 9);
    raw_is("x", "10.50");
    raw_is("big", "1234567890123456789012345");
    raw_is("e", "-0.0E+07");
    raw_is("s", "\"a\\u00e9\\n\"");
    raw_is("o", "{\"a\": [1, 2, {}]}");
    raw_is("a", "[ ]");
    CHECK_INT(json_get(&o, "n")->kind, RAW_NULL);
    CHECK_INT(json_get(&o, "t")->kind, RAW_TRUE);
    CHECK_INT(json_get(&o, "f")->kind, RAW_FALSE);
    CHECK(!json_get(&o, "y"));
    CHECK_INT(scan("{}"), 0);
    CHECK_INT(o.n, 0);
}

TEST(what_is_no_object_is_refused) {
    static const char *const bad[] = {"",
                                      "  ",
                                      "[1]",
                                      "null",
                                      "1",
                                      "\"x\"",
                                      "{",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1",
                                      "{\"a\":1,}",
                                      "{'a':1}",
                                      "{\"a\":NaN}",
                                      "{\"a\":-}",
                                      "{\"a\":Infinity}",
                                      "{\"a\":01}",
                                      "{\"a\":1.}",
                                      "{\"a\":.5}",
                                      "{\"a\":1e}",
                                      "{\"a\":+1}",
                                      "{\"a\":1}x",
                                      "{\"a\":1}{}",
                                      "{\"a\":[1,]}",
                                      "{\"a\":[1}",
                                      "{\"a\":nul}",
                                      "{\"a\":tru",
                                      "{\"a\":\"\\x\"}",
                                      "{\"a\":\"\\u12g4\"}",
                                      "{\"a\":\"\\u12",
                                      "{\"a\":\"\t\"}",
                                      "{\"a\":\"",
                                      "{\"a\" 1}",
                                      "{a:1}",
                                      "{\"a\":1 \"b\":2}",
                                      "{\"a\":-Infinity}",
                                      "{\"a\":\"\\",
                                      "{,}",
                                      "{\"a\":0x10}",
                                      "\xef\xbb\xbf{}",
                                      "{\"a\":\"\xff\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (scan(bad[i]) != -1)
            test_fail(__FILE__, __LINE__, "taken: %s", bad[i]);
        CHECK(o.n == 0 && e.text[0]);
    }
    CHECK_INT(scan_n("{\"a\":\"\0\"}", 9), -1);
    scan("{\"a\": 1, \"b\": oops}");
    CHECK_STR(e.text, "byte 15: this is no JSON value");
}

TEST(depth_and_keys_are_bounded) {
    char text[4096];
    int n = sprintf(text, "{\"a\":");
    memset(text + n, '[', 2000);
    CHECK_INT(scan_n(text, (size_t)n + 2000), -1);
    n = sprintf(text, "{\"a\":%.*s%.*s}", JSON_SCAN_DEPTH, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
                JSON_SCAN_DEPTH, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    CHECK_INT(scan(text), 0);
    text[0] = 0;
    for (int i = 0; i < JSON_SCAN_KEYS; i++)
        sprintf(text + strlen(text), "%s\"k%d\":%d", i ? "," : "{", i, i);
    strcat(text, "}");
    CHECK_INT(scan(text), 0);
    CHECK_INT(o.n, JSON_SCAN_KEYS);
    strcpy(text + strlen(text) - 1, ",\"z\":1}");
    CHECK_INT(scan(text), -1);
}

TEST(keys_are_known_behind_their_escapes) {
    CHECK_INT(scan("{\"ev\\u0065nt\":1,\"event\":2,\"eventx\":3,\"even\":4,\"e\\/\":5}"), 0);
    CHECK(json_key_is(&o.item[0], "event"));
    CHECK(json_key_is(&o.item[1], "event"));
    CHECK(!json_key_is(&o.item[2], "event"));
    CHECK(!json_key_is(&o.item[3], "event"));
    CHECK(json_key_is(&o.item[4], "e/"));
    raw_is("event", "2");
}

static const char *text_of(const char *json, size_t size) {
    static char out[64];
    char object[128];
    sprintf(object, "{\"a\":%s}", json);
    CHECK_INT(scan(object), 0);
    return json_raw_text(json_get(&o, "a"), out, size) ? out : "(none)";
}

TEST(strings_are_decoded) {
    CHECK_STR(text_of("\"\"", 64), "");
    CHECK_STR(text_of("\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", 64), "a\"\\/\b\f\n\r\tz");
    CHECK_STR(text_of("\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"", 64),
              "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    CHECK_STR(text_of("\"\\ud83d\"", 64), "(none)");
    CHECK_STR(text_of("\"\\ude00\"", 64), "(none)");
    CHECK_STR(text_of("\"\\ud83dx\"", 64), "(none)");
    CHECK_STR(text_of("\"\\u0000\"", 64), "(none)");
    CHECK_STR(text_of("\"abc\"", 4), "abc");
    CHECK_STR(text_of("\"abcd\"", 4), "(none)");
    CHECK_STR(text_of("12", 64), "(none)");
}

TEST(numbers_must_be_finite) {
    double d = 0;
    CHECK_INT(scan("{\"a\":-1.5e3,\"b\":1e999,\"c\":\"1\",\"d\":0}"), 0);
    CHECK(json_raw_number(json_get(&o, "a"), &d) && d == -1500);
    CHECK(json_raw_number(json_get(&o, "d"), &d) && d == 0);
    CHECK(!json_raw_number(json_get(&o, "b"), &d));
    CHECK(!json_raw_number(json_get(&o, "c"), &d));
    CHECK(!json_raw_number(NULL, &d));
}
