#include "msg.h"
#include "random.h"
#include "test.h"

#include <stdlib.h>

static void put_message(struct buf *b, uint64_t seq) {
    msg_put_head(b, "panel.press", 11, 1753000000123456789u, seq);
    mp_put_map(b, 2);
    mp_kv_uint(b, "id", 300);
    mp_kv_bin(b, "data",
              "\x94\xa1"
              "a\x00",
              4);
}

static long parse(const void *bytes, size_t n) {
    uint8_t *p = exact(bytes, n);
    struct msg m;
    long r = msg_parse(p, n, &m);
    free(p);
    return r;
}

TEST(parses_what_was_put) {
    struct buf b = {0};
    put_message(&b, 42);
    size_t n = buf_len(&b);
    struct msg m;
    CHECK_INT(msg_parse(buf_data(&b), n, &m), n);
    CHECK_MEM(m.topic, m.topic_len, "panel.press", 11);
    CHECK_INT(m.time, 1753000000123456789);
    CHECK_INT(m.seq, 42);
    CHECK(m.raw == buf_data(&b) && m.raw_len == n);
    CHECK(m.body + m.body_len == m.raw + n);
    uint64_t id = 0;
    CHECK(mp_get_uint(m.body, m.body_len, "id", &id) && id == 300);
    CHECK(msg_is(&m, "panel.press") && !msg_is(&m, "panel.pres") && !msg_is(&m, "panel.press2"));
    CHECK(msg_has_prefix(&m, "panel.") && msg_has_prefix(&m, "") &&
          msg_has_prefix(&m, "panel.press"));
    CHECK(!msg_has_prefix(&m, "panel.press.more") && !msg_has_prefix(&m, "x"));
    buf_free(&b);
}

TEST(waits_wherever_it_is_cut_and_leaves_what_follows) {
    struct buf b = {0};
    put_message(&b, UINT64_MAX);
    size_t n = buf_len(&b);
    put_message(&b, 1);
    for (size_t cut = 0; cut < n; cut++)
        CHECK_INT(parse(buf_data(&b), cut), 0);
    for (size_t cut = n; cut <= buf_len(&b); cut++)
        CHECK_INT(parse(buf_data(&b), cut), n);
    buf_free(&b);
}

TEST(refuses_what_is_no_message) {
    static const struct {
        const char *bytes;
        size_t n;
    } bad[] = {
        {"\x93\xa1"
         "a\x01\x01",
         5}, /* three items */
        {"\x95\xa1"
         "a\x01\x01\x80\x80",
         7}, /* five */
        {"\x84\xa1"
         "a\x01\x01\x80",
         6}, /* a map */
        {"\x94\xa1"
         "A\x01\x01\x80",
         6},                         /* topic with a capital */
        {"\x94\xa0\x01\x01\x80", 5}, /* empty topic */
        {"\x94\xc4\x01"
         "a\x01\x01\x80",
         7}, /* binary as topic */
        {"\x94\xa1"
         "a\xff\x01\x80",
         6}, /* negative time */
        {"\x94\xa1"
         "a\xd0\xff\x01\x80",
         7}, /* the same, longer */
        {"\x94\xa1"
         "a\x01\xc0\x80",
         6}, /* nil for seq */
        {"\x94\xa1"
         "a\x01\xcb\x00",
         6}, /* double for seq */
        {"\x94\xa1"
         "a\x01\x01\x90",
         6}, /* array for body */
        {"\x94\xa1"
         "a\x01\x01\x81\xc1",
         7}, /* broken body */
        {"\xc1", 1},
        {"hello", 5},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_INT(parse(bad[i].bytes, bad[i].n), -1);
}

TEST(does_not_wait_for_what_damage_announces) {
    CHECK_INT(parse("\xdb\xff\xff\xff\xff", 5), -1); /* string for a message */
    CHECK_INT(parse("\xc6\x7f\xff\xff\xff", 5), -1); /* binary for a message */
    CHECK_INT(parse("\xdd\x00", 2), -1);             /* long array */
    CHECK_INT(parse("\x94\xdb\x00", 3), -1);         /* long string for a topic */
    CHECK_INT(parse("\x94\xd9\x61"
                    "aaa",
                    6),
              -1); /* 97 bytes of topic */
    CHECK_INT(parse("\x94\xd9\x60"
                    "aaa",
                    6),
              0); /* 96 bytes of topic */
    CHECK_INT(parse("\x94\xa1"
                    "a\xdb\xff\xff\xff\xff",
                    8),
              -1); /* string for time */
    CHECK_INT(parse("\x94\xa1"
                    "a\x01\xc6\xff\xff\xff\xff",
                    9),
              -1); /* binary for seq */
}

TEST(bounds_the_size_of_a_message) {
    struct buf b = {0};
    msg_put_head(&b, "a", 1, 1, 1);
    mp_put_map(&b, 1);
    mp_put_str(&b, "data");
    mp_put_bin_header(&b, MSG_MAX);
    struct msg m;
    CHECK_INT(msg_parse(buf_data(&b), buf_len(&b), &m), 0);
    memset(buf_reserve(&b, MSG_MAX), 0, MSG_MAX);
    buf_added(&b, MSG_MAX - 1);
    CHECK_INT(msg_parse(buf_data(&b), buf_len(&b), &m), -1);
    buf_added(&b, 1);
    CHECK_INT(msg_parse(buf_data(&b), buf_len(&b), &m), -1);
    buf_free(&b);
}

TEST(bounds_the_nesting_of_a_body) {
    struct buf b = {0};
    msg_put_head(&b, "a", 1, 1, 1);
    mp_put_map(&b, 1);
    mp_put_str(&b, "k");
    for (int i = 0; i < 100000; i++)
        mp_put_array(&b, 1);
    struct msg m;
    CHECK_INT(msg_parse(buf_data(&b), buf_len(&b), &m), -1);
    buf_free(&b);
}

TEST(knows_a_valid_topic) {
    static const struct {
        const char *topic;
        bool valid;
    } table[] = {
        {"a", true},         {"panel.press", true}, {"sys.web-1", true}, {"a_b.c9", true},
        {"0", true},         {"a.b.c.d", true},     {"-", true},         {"", false},
        {".", false},        {".a", false},         {"a.", false},       {"a..b", false},
        {"A", false},        {"a b", false},        {"a/b", false},      {"a\n", false},
        {"\xc3\xa4", false}, {"a*", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        CHECK_INT(msg_topic_valid(table[i].topic, strlen(table[i].topic)), table[i].valid);
    char longest[MSG_TOPIC_MAX + 1];
    memset(longest, 'a', sizeof longest);
    CHECK(msg_topic_valid(longest, MSG_TOPIC_MAX));
    CHECK(!msg_topic_valid(longest, MSG_TOPIC_MAX + 1));
    CHECK(!msg_topic_valid("a\0b", 3));
}

/* Sequence number of the last message that a reader finds which resynchronises after damage. */
static uint64_t last_found(const uint8_t *p, size_t n) {
    uint64_t seq = 0;
    while (n) {
        struct msg m;
        long r = msg_parse(p, n, &m);
        size_t step = r > 0 ? (size_t)r : msg_resync(p, n);
        CHECK(step >= 1 && step <= n);
        if (r > 0)
            seq = m.seq;
        p += step;
        n -= step;
    }
    return seq;
}

TEST(finds_the_next_message_after_lost_bytes) {
    struct buf one = {0}, b = {0};
    put_message(&one, 1);
    size_t len = buf_len(&one);
    for (size_t lost = 1; lost < len; lost++) {
        buf_clear(&b);
        buf_put(&b, buf_data(&one) + lost, len - lost);
        for (uint64_t seq = 2; seq < 5; seq++)
            put_message(&b, seq);
        uint8_t *p = exact(buf_data(&b), buf_len(&b));
        CHECK_INT(last_found(p, buf_len(&b)), 4);
        free(p);
    }
    buf_free(&one);
    buf_free(&b);
}

TEST(finds_the_next_message_after_noise) {
    for (int i = 0; i < 2000; i++) {
        struct buf b = {0};
        for (uint64_t n = random_bits() % 64; n; n--)
            buf_putc(&b, (char)random_bits());
        for (uint64_t seq = 1; seq < 9; seq++)
            put_message(&b, seq);
        uint8_t *p = exact(buf_data(&b), buf_len(&b));
        CHECK_INT(last_found(p, buf_len(&b)), 8);
        free(p);
        buf_free(&b);
    }
}

TEST(resync_stays_within_the_input) {
    static const char *const ends[] = {"x\x94", "x\x94\xd9", "x\x94\xd9\x02", "x\x94\xa1",
                                       "x\x94\xa1"
                                       "a"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t n = strlen(ends[i]);
        uint8_t *p = exact(ends[i], n);
        CHECK_INT(msg_resync(p, n), 1);
        free(p);
    }
    CHECK_INT(msg_resync((const uint8_t *)"\x94", 1), 1);
    CHECK_INT(msg_resync((const uint8_t *)"\x94\xa1"
                                          "abc",
                         5),
              5);
    CHECK_INT(msg_resync((const uint8_t *)"x\x94\xa1"
                                          "Abc",
                         6),
              6);
    CHECK_INT(msg_resync((const uint8_t *)"x\x94\xa0"
                                          "abc",
                         6),
              6);
}

TEST(clocks_run_in_nanoseconds) {
    uint64_t a = clock_mono_ns(), wall = clock_wall_ns();
    CHECK(clock_mono_ns() >= a);
    CHECK(wall > 1600000000000000000u && wall < 10000000000000000000u);
}
