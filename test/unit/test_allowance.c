#include "allowance.h"

#include "test.h"

static const uint64_t S = 1000000000;

TEST(so_many_at_once_then_one_every_so_often) {
    struct allowance a = {S, 3};
    uint64_t until = 0, now = 100 * S;
    for (int i = 0; i < 3; i++)
        CHECK(allowance_take(a, &until, now));
    CHECK(!allowance_take(a, &until, now));
    CHECK_INT(until, 103 * S); /* what is refused costs nothing */
    CHECK(!allowance_take(a, &until, now + S - 1));
    CHECK(allowance_take(a, &until, now + S));
    CHECK(!allowance_take(a, &until, now + S));
}

TEST(no_more_gathers_than_is_had_at_once) {
    struct allowance a = allowance_a_second(10);
    uint64_t until = 5 * S;
    int n = 0;
    while (allowance_take(a, &until, 1000 * S))
        n++;
    CHECK_INT(n, 10);
}

TEST(whoever_takes_beyond_it_waits_longer) {
    struct allowance a = {S, 1};
    uint64_t until = allowance_less(a, allowance_less(a, 0, 10 * S), 10 * S);
    CHECK(!allowance_left(a, until, 11 * S));
    CHECK(allowance_left(a, until, 12 * S));
}
