#include "../../cmd/httpd/cond.c"

#include "test.h"

/* Tue, 02 Jan 2024 03:04:05.5 GMT */
static const struct cond_file FILE_10 = {1704164645500000000u, 10};

static struct cond_part decide(const struct cond_file *f, struct cond_ask ask) {
    struct cond_part p;
    cond_decide(f, &ask, &p);
    return p;
}

static void range_is(const char *range, unsigned status, uint64_t at, uint64_t len) {
    struct cond_part p = decide(&FILE_10, (struct cond_ask){.range = range});
    if (p.status != status || p.at != at || p.len != len)
        test_fail(__FILE__, __LINE__, "%s: %u %llu+%llu", range, p.status, (unsigned long long)p.at,
                  (unsigned long long)p.len);
}

TEST(tag_and_date) {
    char out[COND_TEXT];
    CHECK_STR(cond_date(&FILE_10, out), "Tue, 02 Jan 2024 03:04:05 GMT");
    char want[COND_TEXT];
    snprintf(want, sizeof want, "\"%llx-a\"", 1704164645500000000ull);
    CHECK_STR(cond_etag(&FILE_10, out), want);
}

TEST(one_range) {
    range_is("bytes=0-3", 206, 0, 4);
    range_is("bytes=4-", 206, 4, 6);
    range_is("bytes=-3", 206, 7, 3);
    range_is("bytes=-99999999999999999999999", 206, 0, 10);
    range_is("bytes=0-99999999999999999999999", 206, 0, 10);
    range_is("bytes=0-18446744073709551615", 206, 0, 10);
    range_is("bytes=9-9", 206, 9, 1);
    range_is("bytes=0-9", 206, 0, 10);
}

TEST(ranges_that_cannot_be) {
    static const char *const bad[] = {"bytes=10-",     "bytes=99999999999999999999999-",
                                      "bytes=5-2",     "bytes=-0",
                                      "bytes=",        "bytes=-",
                                      "bytes=0-1,3-4", "bytes=a-b",
                                      "bytes=1",       "bytes=1-2x",
                                      "bytes= 1-2",    "bytes=--1",
                                      "bytes=+1-2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        range_is(bad[i], 416, 0, 0);
    struct cond_file empty = {1, 0};
    CHECK_INT(decide(&empty, (struct cond_ask){.range = "bytes=0-"}).status, 416);
    CHECK_INT(decide(&empty, (struct cond_ask){.range = "bytes=-1"}).status, 416);
    range_is("lines=1-2", 200, 0, 10);
    range_is("", 200, 0, 10);
}

TEST(not_modified) {
    char tag[COND_TEXT], list[200];
    cond_etag(&FILE_10, tag);
    snprintf(list, sizeof list, "\"a,b\" , W/%s", tag);
    const char *const yes[] = {tag, list, "*", "  *"}, *const no[] = {"\"x\"", "", ",,", "\"",
                                                                      "W/"};
    for (size_t i = 0; i < 4; i++)
        CHECK_INT(decide(&FILE_10, (struct cond_ask){.if_none_match = yes[i]}).status, 304);
    for (size_t i = 0; i < 5; i++)
        CHECK_INT(decide(&FILE_10, (struct cond_ask){.if_none_match = no[i]}).status, 200);
    /* 304 goes before a range. */
    CHECK_INT(
        decide(&FILE_10, (struct cond_ask){.if_none_match = "*", .range = "bytes=50-"}).status,
        304);
}

TEST(dates_in_all_three_forms) {
    static const char *const same[] = {"Tue, 02 Jan 2024 03:04:05 GMT",
                                       "Tuesday, 02-Jan-24 03:04:05 GMT",
                                       "Tue Jan  2 03:04:05 2024"};
    for (size_t i = 0; i < 3; i++)
        CHECK_INT(decide(&FILE_10, (struct cond_ask){.if_modified_since = same[i]}).status, 304);
    static const char *const other[] = {"Tue, 02 Jan 2024 03:04:04 GMT", "yesterday", "",
                                        "Tue, 02 Jan 2024 03:04:05 GMT+1"};
    for (size_t i = 0; i < 4; i++)
        CHECK_INT(decide(&FILE_10, (struct cond_ask){.if_modified_since = other[i]}).status, 200);
}

TEST(if_range_needs_the_very_same_file) {
    char tag[COND_TEXT], weak[COND_TEXT + 2];
    cond_etag(&FILE_10, tag);
    snprintf(weak, sizeof weak, "W/%s", tag);
    struct cond_ask ask = {.range = "bytes=1-2", .if_range = tag};
    CHECK_INT(decide(&FILE_10, ask).status, 206);
    ask.if_range = weak;
    CHECK_INT(decide(&FILE_10, ask).status, 200);
    ask.if_range = "\"old\"";
    CHECK_INT(decide(&FILE_10, ask).status, 200);
    ask.if_range = "Tue, 02 Jan 2024 03:04:05 GMT";
    CHECK_INT(decide(&FILE_10, ask).status, 206);
    ask.if_range = "Tue, 02 Jan 2024 03:04:06 GMT";
    CHECK_INT(decide(&FILE_10, ask).status, 200);
}
