#include "../../cmd/httpd/rate.c"

#include "test.h"

static const uint64_t MS = 1000000;

/* Something comes every step_ms for seconds; how many pass, and the most within any second. */
static unsigned run(struct rate *r, unsigned step_ms, unsigned seconds, unsigned *most) {
    static uint64_t passed[100000];
    unsigned n = 0, first = 0;
    *most = 0;
    for (uint64_t t = 0; t < seconds * 1000u; t += step_ms) {
        uint64_t now = 5000 * MS + t * MS;
        if (!rate_pass(r, now))
            continue;
        passed[n++] = now;
        while (now - passed[first] >= SECOND_NS)
            first++;
        if (n - first > *most)
            *most = n - first;
    }
    return n;
}

TEST(never_more_than_the_rate_in_any_second_and_nearly_all_of_it) {
    static const unsigned rates[] = {1, 2, 3, 5, 20, 50, 333, 1000};
    for (unsigned i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct rate r = {.per_s = rates[i]};
        unsigned most, n = run(&r, 1, 10, &most);
        CHECK(most <= rates[i]);
        if (n < rates[i] * 9)
            test_fail(__FILE__, __LINE__, "rate %u: %u in 10 s", rates[i], n);
    }
}

TEST(what_is_slower_than_the_rate_passes_whole) {
    struct rate r = {.per_s = 50};
    unsigned most;
    CHECK_INT(run(&r, 25, 10, &most), 400);
}

TEST(half_a_second_at_once) {
    struct rate r = {.per_s = 50};
    unsigned n = 0;
    for (int i = 0; i < 100; i++)
        n += rate_pass(&r, 77 * MS);
    CHECK_INT(n, 25);
}

TEST(evenly_spread_when_there_is_too_much) {
    struct rate r = {.per_s = 10};
    uint64_t last = 0, longest = 0;
    for (uint64_t t = 5000; t < 15000; t++)
        if (rate_pass(&r, t * MS)) {
            if (t > 7000 && t - last > longest)
                longest = t - last;
            last = t;
        }
    CHECK(longest <= 150);
}

TEST(bucket) {
    struct bucket b = {0};
    for (int i = 0; i < 5; i++)
        CHECK(bucket_take(&b, 0.5, 5, 1000 * MS));
    CHECK(!bucket_take(&b, 0.5, 5, 1001 * MS));
    CHECK(!bucket_take(&b, 0.5, 5, 2900 * MS));
    CHECK(bucket_take(&b, 0.5, 5, 3001 * MS));
    CHECK(!bucket_take(&b, 0.5, 5, 3002 * MS));
}
