#include "hist.h"
#include "test.h"

TEST(empty_has_no_quantiles) {
    struct hist h = {0};
    CHECK_INT(hist_quantile(&h, 0.5), 0);
    CHECK_INT(hist_quantile(&h, 1), 0);
}

TEST(edges_grow_and_meet_without_holes) {
    for (unsigned i = 1; i < HIST_BUCKETS; i++)
        CHECK(hist_edge(i) > hist_edge(i - 1));
    /* One value on each side of every edge falls into neighbouring buckets. */
    for (unsigned i = 0; i + 1 < HIST_BUCKETS; i++) {
        struct hist h = {0};
        hist_add(&h, hist_edge(i) * 1000);
        hist_add(&h, (hist_edge(i) + 1) * 1000);
        CHECK_INT(h.bucket[i], 1);
        CHECK_INT(h.bucket[i + 1], 1);
    }
}

TEST(quantiles_are_at_most_a_quarter_too_high) {
    for (uint64_t us = 1; us < 4000000000u; us = us * 9 / 8 + 1) {
        struct hist h = {0};
        hist_add(&h, us * 1000);
        hist_add(&h, us * 4000); /* so that the maximum does not correct the answer */
        uint64_t q = hist_quantile(&h, 0.5);
        CHECK(q >= us && q <= us + us / 4 + 1);
    }
}

TEST(quantiles_of_many) {
    struct hist h = {0};
    for (int i = 0; i < 99; i++)
        hist_add(&h, 100000);
    hist_add(&h, 50000000);
    CHECK(hist_quantile(&h, 0.5) >= 100 && hist_quantile(&h, 0.5) <= 125);
    CHECK(hist_quantile(&h, 0.99) <= 125);
    CHECK_INT(hist_quantile(&h, 1), 50000);
    CHECK_INT(h.count, 100);
    CHECK_INT(h.sum_us, 99 * 100 + 50000);
}

TEST(what_is_off_the_scale_is_not_understated) {
    struct hist h = {0};
    hist_add(&h, UINT64_MAX);
    CHECK_INT(h.bucket[HIST_BUCKETS - 1], 1);
    CHECK_INT(hist_quantile(&h, 0.99), UINT64_MAX / 1000);
}

TEST(merging_is_the_sum) {
    struct hist a = {0}, b = {0};
    hist_add(&a, 1000);
    hist_add(&b, 9000);
    hist_add(&b, 9000);
    hist_merge(&a, &b);
    CHECK_INT(a.count, 3);
    CHECK_INT(a.sum_us, 19);
    CHECK_INT(a.max_us, 9);
    CHECK_INT(a.bucket[1], 1);
}
