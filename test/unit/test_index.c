#include <stdlib.h>

#include "../../cmd/imgwrite/index.c"
#include "../../cmd/imgwrite/keep.c"
#include "../../cmd/imgwrite/name.c"
#include "test.h"

static struct name_pattern p;
static struct index ix = {.pattern = &p}, found = {.pattern = &p};
static struct err e;

static void with(const char *text) {
    CHECK_INT(name_parse(&p, text, &e), 0);
}

static const char *name_at(const struct index *x, size_t i) {
    static char out[NAME_BYTES];
    CHECK(index_name(x, i, out));
    return out;
}

/* As imgwrite names it. */
static void enter(struct index *x, uint64_t mac, uint64_t time_us, uint64_t bytes) {
    struct name_facts f = {.mac = mac, .time_us = time_us};
    char name[NAME_BYTES];
    name_make(&p, &f, name, sizeof name);
    index_add(x, name, mac, time_us, bytes);
}

TEST(order_and_sums) {
    with(NAME_DEFAULT);
    for (uint64_t t = 1; t <= 1000; t++)
        enter(&ix, t % 4, t ^ 3, 10); /* a little out of order, as writers are */
    CHECK_INT(ix.n, 1000);
    CHECK_INT(ix.bytes, 10000);
    for (size_t i = 1; i < ix.n; i++)
        CHECK(index_at(&ix, i - 1)->time_us <= index_at(&ix, i)->time_us);
    CHECK(!index_at(&ix, 5)->name); /* made again when it is asked for */
    CHECK_INT(index_older(&ix, 0), 0);
    CHECK_INT(index_older(&ix, UINT64_MAX), 1000);
    CHECK_INT(index_older(&ix, 500), 499 - 0);
    for (int i = 0; i < 999; i++)
        index_drop_oldest(&ix);
    CHECK_INT(ix.n, 1);
    CHECK_INT(ix.bytes, 10);
    index_drop_oldest(&ix);
    CHECK_INT(ix.bytes, 0);
    index_free(&ix);
}

TEST(a_queue_that_runs_for_ever_stays_small) {
    with(NAME_DEFAULT);
    for (uint64_t t = 1; t <= 100000; t++) {
        enter(&ix, 1, t, 1);
        if (ix.n > 100)
            index_drop_oldest(&ix);
    }
    CHECK_INT(ix.n, 100);
    CHECK(ix.cap <= 512);
    CHECK_INT(index_at(&ix, 0)->time_us, 99901);
    index_free(&ix);
}

TEST(names_that_say_more_are_kept) {
    with("{mac}/{seq}_{time}.jpg");
    index_add(&ix, "000000000001/17_20250528_231711.jpg", 1, 1748467031000000u, 5);
    CHECK_STR(name_at(&ix, 0), "000000000001/17_20250528_231711.jpg");
    index_drop_oldest(&ix);
    index_free(&ix);
}

TEST(a_scan_replaces_all_but_what_came_meanwhile) {
    with(NAME_DEFAULT);
    enter(&ix, 1, 10, 1);
    enter(&ix, 1, 20, 1); /* somebody else removes it */
    index_mark(&ix);
    enter(&ix, 1, 30, 1); /* the scan sees it */
    enter(&ix, 1, 40, 1); /* the scan is past it */
    enter(&found, 1, 30, 1);
    enter(&found, 1, 10, 1);
    enter(&found, 1, 5, 1); /* somebody else's */
    index_replace(&ix, &found);
    CHECK_INT(ix.n, 4);
    CHECK_INT(ix.bytes, 4);
    static const uint64_t want[] = {5, 10, 30, 40};
    for (int i = 0; i < 4; i++)
        CHECK_INT(index_at(&ix, (size_t)i)->time_us, want[i]);
    CHECK_INT(found.n, 0);
    index_mark(&ix);
    index_replace(&ix, &found);
    CHECK_INT(ix.n, 0);
    CHECK_INT(ix.bytes, 0);
    index_free(&ix);
}

TEST(limits_are_read) {
    struct keep k = {0};
    CHECK_INT(keep_parse(&k, "1000,7d,2G", &e), 0);
    CHECK_INT(k.count, 1000);
    CHECK_INT(k.age_ms, 7ll * 86400000);
    CHECK_INT(k.bytes, 2ll << 30);
    k = (struct keep){0};
    CHECK_INT(keep_parse(&k, "10M", &e), 0);
    CHECK(k.bytes == 10 << 20 && !k.count && !k.age_ms && keep_any(&k));
    k = (struct keep){0};
    CHECK(!keep_any(&k));
    CHECK_INT(keep_parse(&k, "90m", &e), 0);
    CHECK_INT(k.age_ms, 5400000);
}

TEST(wrong_limits_are_refused) {
    static const char *const wrong[] = {"",  ",",  "10,", "10,20", "1G,2G",    "1d,2d", "x",
                                        "0", "-5", "1.5", "5q",    "1000 ,7d", "1e400G"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct keep k = {0};
        if (keep_parse(&k, wrong[i], &e) == 0)
            test_fail(__FILE__, __LINE__, "\"%s\" passes for a limit", wrong[i]);
    }
}

TEST(what_goes) {
    struct keep k = {.count = 10};
    CHECK(!keep_exceeded(&k, 10, 1, 0, 0) && keep_exceeded(&k, 11, 1, 0, 0));
    k = (struct keep){.bytes = 100};
    CHECK(!keep_exceeded(&k, 3, 100, 0, 0) && keep_exceeded(&k, 3, 101, 0, 0));
    CHECK(!keep_exceeded(&k, 0, 101, 0, 0));
    k = (struct keep){.age_ms = 1000};
    CHECK(!keep_exceeded(&k, 1, 1, 5000000, 6000000) && keep_exceeded(&k, 1, 1, 5000000, 6000001));
    CHECK(!keep_exceeded(&k, 1, 1, 5000000, 0)); /* a clock that was set back */
}
