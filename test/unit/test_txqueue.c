#include "test.h"

#include "../../cmd/serialcat/txqueue.c"

static char gone_log[256];

static void on_gone(void *ctx, void *owner, bool written) {
    (void)ctx;
    strcat(gone_log, written ? "+" : "-");
    strcat(gone_log, owner);
}

static struct txqueue queue(size_t limit) {
    return (struct txqueue){.limit = limit, .on_gone = on_gone};
}

static void put(struct txqueue *q, const char *s) {
    txqueue_put(q, s, strlen(s), NULL, false);
}

static void holds(const struct txqueue *q, const char *want) {
    CHECK_MEM(buf_data(&q->bytes), txqueue_len(q), want, strlen(want));
}

TEST(keeps_order) {
    struct txqueue q = queue(100);
    put(&q, "A\nB\n");
    put(&q, "C\n");
    holds(&q, "A\nB\nC\n");
    txqueue_took(&q, 3);
    holds(&q, "\nC\n");
    txqueue_took(&q, 3);
    CHECK_INT(txqueue_len(&q), 0);
    CHECK_INT(q.dropped, 0);
    txqueue_free(&q);
}

TEST(oldest_whole_line_goes_first) {
    struct txqueue q = queue(12);
    put(&q, "AAA\nBBB\nCCC\n");
    put(&q, "DDD\n");
    holds(&q, "BBB\nCCC\nDDD\n");
    put(&q, "EEEEEE\n");
    holds(&q, "DDD\nEEEEEE\n");
    CHECK_INT(q.dropped, 3);
    txqueue_free(&q);
}

TEST(a_line_that_has_begun_is_finished) {
    struct txqueue q = queue(12);
    put(&q, "AAA\nBBB\nCCC\n");
    txqueue_took(&q, 1);
    put(&q, "DDD\n");
    holds(&q, "AA\nCCC\nDDD\n");
    put(&q, "EEEE\n");
    holds(&q, "AA\nDDD\nEEEE\n");
    txqueue_took(&q, 4);
    put(&q, "FFFFFF\n");
    holds(&q, "DD\nFFFFFF\n");
    txqueue_free(&q);
}

TEST(the_rest_of_what_the_kernel_began_counts_as_begun) {
    struct txqueue q = queue(8);
    txqueue_put(&q, "AA\nBB\n", 6, NULL, true);
    put(&q, "CC\n");
    holds(&q, "AA\nCC\n");
    txqueue_free(&q);
}

TEST(packets_are_not_cut_at_line_ends) {
    struct txqueue q = queue(12);
    txqueue_put(&q, "\1\n\2\n\3\n\4\n", 8, NULL, false);
    put(&q, "CCCC\n");
    holds(&q, "CCCC\n");
    CHECK_INT(q.dropped, 1);
    txqueue_free(&q);
}

TEST(what_is_larger_than_the_queue_costs_nothing_else) {
    struct txqueue q = queue(8);
    put(&q, "AA\n");
    put(&q, "0123456789\n");
    holds(&q, "AA\n");
    CHECK_INT(q.dropped, 1);
    txqueue_free(&q);
}

TEST(owners_learn_what_became_of_it) {
    struct txqueue q = queue(8);
    txqueue_put(&q, "AA\nA", 4, "a", false);
    txqueue_put(&q, "BBBB", 4, "b", false);
    txqueue_put(&q, "CCCC", 4, "c", false);
    CHECK_STR(gone_log, "-a");
    txqueue_took(&q, 5);
    CHECK_STR(gone_log, "-a+b");
    txqueue_put(&q, "0123456789", 10, "d", false);
    CHECK_STR(gone_log, "-a+b-d");
    txqueue_clear(&q);
    CHECK_STR(gone_log, "-a+b-d-c");
    CHECK_INT(txqueue_len(&q), 0);
    txqueue_free(&q);
}

/* Whatever is put and taken: never more than the limit, and only whole lines come out. */
TEST(any_order_of_events) {
    struct txqueue q = queue(64);
    unsigned seed = 1, at = 0;
    char out[100000];
    for (unsigned i = 0; i < 20000; i++) {
        char line[16];
        seed = seed * 1103515245u + 12345u;
        size_t n = (size_t)snprintf(line, sizeof line, "<%u>\n", i);
        txqueue_put(&q, line, n, NULL, false);
        CHECK(txqueue_len(&q) <= 64);
        size_t take = (seed >> 16) % 8;
        if (take > txqueue_len(&q))
            take = txqueue_len(&q);
        memcpy(out + at, buf_data(&q.bytes), take);
        at += (unsigned)take;
        txqueue_took(&q, take);
    }
    out[at] = 0;
    int last = -1, number, used;
    for (char *p = out; sscanf(p, "<%d>\n%n", &number, &used) == 1 && strchr(p, '\n'); p += used) {
        CHECK(number > last);
        last = number;
        CHECK(p == out || p[-1] == '\n');
        if (!strchr(p + used, '>'))
            break;
    }
    CHECK(last > 19900);
    txqueue_free(&q);
}
