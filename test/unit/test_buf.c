#include "buf.h"
#include "test.h"

TEST(appends_and_consumes) {
    struct buf b = {0};
    buf_puts(&b, "hello ");
    buf_printf(&b, "%d", 42);
    CHECK_MEM(buf_data(&b), buf_len(&b), "hello 42", 8);
    buf_consume(&b, 6);
    CHECK_MEM(buf_data(&b), buf_len(&b), "42", 2);
    buf_free(&b);
    CHECK_INT(buf_len(&b), 0);
}

TEST(reuses_storage_in_steady_state) {
    struct buf b = {0};
    uint8_t block[100] = {0};
    for (int i = 0; i < 1000; i++) {
        buf_put(&b, block, sizeof block);
        if (i)
            buf_consume(&b, sizeof block);
    }
    CHECK_INT(buf_len(&b), 100);
    CHECK(b.cap <= 1024);
    buf_free(&b);
}

TEST(keeps_unread_bytes_when_growing) {
    struct buf b = {0};
    buf_puts(&b, "xxabc");
    buf_consume(&b, 2);
    buf_reserve(&b, 100000);
    CHECK_MEM(buf_data(&b), buf_len(&b), "abc", 3);
    buf_free(&b);
}

TEST(clear_gives_large_storage_back) {
    struct buf b = {0};
    buf_reserve(&b, 4 << 20);
    buf_clear(&b);
    CHECK_INT(b.cap, 0);
}

/* A queue that stays nearly full must not be moved with every append. */
TEST(moves_are_paid_for_by_what_was_appended) {
    struct buf b = {0};
    static uint8_t block[1000];
    for (int i = 0; i < 1000; i++)
        buf_put(&b, block, sizeof block);
    size_t moved = 0;
    for (int i = 0; i < 20000; i++) {
        buf_consume(&b, sizeof block);
        size_t start = b.start;
        buf_put(&b, block, sizeof block);
        if (b.start < start)
            moved += buf_len(&b);
    }
    CHECK(moved <= 2 * 20000 * sizeof block);
    CHECK(b.cap <= 4 << 20);
    buf_free(&b);
}
