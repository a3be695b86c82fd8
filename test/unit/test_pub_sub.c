#include "pub_sub.h"

#include <netinet/in.h>

/* ---- every way from one to the other ---- */

static void one_way(const char *endpoint, bool nng) {
    struct talker t = {0};
    struct listener l = {0};
    listener_open(&l, endpoint); /* whoever comes first */
    talker_open(&t, endpoint, NULL);
    if (nng)
        subscribed(&t);
    for (int i = 1; i <= 500; i++)
        CHECK_INT(tell(&t, i % 2 ? "odd.x" : "even.x", i), (i + 1) / 2);
    RUN_UNTIL(&loop, l.messages == 500);
    CHECK(strncmp(heard(&l), "odd.x 1\neven.x 2\nodd.x 3\n", 25) == 0);
    CHECK_INT(l.last_seq, 250);
    CHECK(clock_wall_ns() - l.last_time < 20000000000u);
    CHECK_INT(l.sub.lost + l.sub.skipped_bytes + l.sub.restarts, 0);
    CHECK_INT(t.pub.sent, 500);
    CHECK_INT(t.pub.dropped, 0);
    listener_close(&l);
    talker_close(&t);
}

TEST(over_a_named_pipe) {
    begin();
    one_way("fifo:x", false);
    end();
}

TEST(over_nng_by_name) {
    begin();
    one_way("x", true);
    end();
}

TEST(over_nng_tcp) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    char url[64];
    begin();
    int s = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(s, (struct sockaddr *)&a, n) == 0 && getsockname(s, (struct sockaddr *)&a, &n) == 0);
    close(s);
    snprintf(url, sizeof url, "tcp://127.0.0.1:%d", ntohs(a.sin_port));
    one_way(url, true);
    end();
}

TEST(over_standard_output_and_input_to_the_end) {
    struct talker t = {0};
    struct listener l = {0};
    begin();
    pipe_to_self();
    talker_open(&t, "-", NULL);
    listener_open(&l, "-");
    for (int i = 0; i < 100; i++)
        tell(&t, "a", i);
    talker_close(&t);
    close(STDOUT_FILENO);
    RUN_UNTIL(&loop, l.ends);
    CHECK_INT(l.messages, 100);
    CHECK(!l.sub.failed);
    listener_close(&l);
    end();
}

TEST(large_messages_go_through_a_pipe) {
    struct talker t = {0};
    struct listener l = {0};
    enum { BYTES = 20 << 20 };
    begin();
    talker_open(&t, "fifo:x", NULL);
    listener_open(&l, "fifo:x");
    uint8_t *data = mem_alloc(BYTES);
    mp_kv_bin(pub_begin(&t.pub, "image", 0, 1), "data", data, BYTES);
    CHECK_INT(pub_end(&t.pub), 1);
    pub_flush(&t.pub);
    CHECK_INT(t.blocked, 1);
    tell(&t, "after", 1);
    RUN_UNTIL(&loop, l.messages == 2);
    CHECK_INT(t.unblocked, 1);
    CHECK(l.longest > BYTES);
    CHECK(l.sub.in[0]->stream.buf.cap <= 1 << 20); /* the memory was given back */
    CHECK_INT(l.sub.skipped_bytes, 0);
    free(data);
    listener_close(&l);
    talker_close(&t);
    end();
}

/* Bytes of a message of many small items, which are walked over one by one. */
static uint64_t time_of_items(struct talker *t, struct listener *l, uint32_t items) {
    uint64_t start = clock_mono_ns(), before = l->messages;
    struct buf *b = pub_begin(&t->pub, "samples", 0, 1);
    mp_put_str(b, "v");
    mp_put_array(b, items);
    memset(buf_reserve(b, items), 1, items);
    buf_added(b, items);
    pub_end(&t->pub);
    pub_flush(&t->pub);
    RUN_UNTIL(&loop, l->messages == before + 1);
    return clock_mono_ns() - start;
}

TEST(a_message_of_many_items_costs_no_more_than_its_length) {
    struct talker t = {0};
    struct listener l = {0};
    begin();
    talker_open(&t, "fifo:x", NULL);
    listener_open(&l, "fifo:x");
    time_of_items(&t, &l, 1 << 20);
    uint64_t one = time_of_items(&t, &l, 1 << 20), twenty = time_of_items(&t, &l, 20 << 20);
    if (twenty > one * 20 * 8) /* it would be 20 times that */
        test_fail(__FILE__, __LINE__, "1 M items %llu us, 20 M items %llu us",
                  (unsigned long long)one / 1000, (unsigned long long)twenty / 1000);
    listener_close(&l);
    talker_close(&t);
    end();
}

/* ---- topics and sequence numbers ---- */

TEST(outputs_are_narrowed_each_for_itself) {
    struct talker t = {0};
    struct listener all = {0}, some = {0}, part = {0};
    begin();
    talker_open(&t, "fifo:all", "fifo:some?serial.");
    listener_open(&all, "fifo:all");
    listener_open(&some, "fifo:some");
    tell(&t, "serial.rx", 1);
    tell(&t, "serialx", 2);
    tell(&t, "serial.tx", 3);
    RUN_UNTIL(&loop, all.messages == 3 && some.messages == 2);
    CHECK_STR(heard(&some), "serial.rx 1\nserial.tx 3\n");
    listener_close(&all);
    /* and so can an input be */
    listener_open(&part, "fifo:all?serial.t");
    tell(&t, "serial.rx", 4);
    tell(&t, "serial.tx", 5);
    RUN_UNTIL(&loop, part.messages == 1);
    CHECK_STR(heard(&part), "serial.tx 5\n");
    listener_close(&some);
    listener_close(&part);
    talker_close(&t);
    end();
}

TEST(topics_narrow_the_inputs_and_gaps_of_others_do_not_count) {
    struct talker t = {0};
    struct listener l = {0}, n = {0};
    begin();
    listener_init(&l);
    listener_init(&n);
    CHECK_INT(sub_prefix(&l.sub, "panel.", &e), 0);
    CHECK_INT(sub_prefix(&l.sub, "line", &e), 0);
    CHECK_INT(sub_prefix(&n.sub, "panel.press", &e), 0);
    CHECK_INT(sub_prefix(&n.sub, "panel.*", &e), -1);
    listener_add(&l, "fifo:x");
    listener_add(&n, "y");
    talker_open(&t, "y", "fifo:x");
    subscribed(&t);
    static const char *const topics[] = {"panel.press", "panel", "line", "lines", "x.panel.press"};
    for (int i = 0; i < 5; i++)
        tell(&t, topics[i], i);
    RUN_UNTIL(&loop, l.messages == 3 && n.messages == 1);
    CHECK_STR(heard(&l), "panel.press 0\nline 2\nlines 3\n");
    CHECK_STR(heard(&n), "panel.press 0\n");
    CHECK_INT(l.sub.lost + n.sub.lost, 0);
    listener_close(&l);
    listener_close(&n);
    talker_close(&t);
    end();
}

TEST(gaps_duplicates_and_restarts) {
    struct listener l = {0};
    listener_on_fifo(&l);
    put_msg("a", 10, 5); /* a late joiner: what was before is no loss */
    put_msg("a", 11, 6);
    put_msg("b", 11, 1);
    put_msg("a", 12, 9); /* 7 and 8 are missing */
    RUN_UNTIL(&loop, l.messages == 4);
    CHECK_INT(l.sub.lost, 2);
    CHECK_INT(l.gap, 2);
    put_msg("a", 12, 9); /* repeated state */
    put_msg("a", 12, 9);
    put_msg("a", 13, 10);
    RUN_UNTIL(&loop, l.messages == 5);
    CHECK_INT(l.sub.lost, 2);
    CHECK_INT(l.sub.restarts, 0);
    put_msg("a", 20, 1); /* a restarted publisher */
    put_msg("a", 21, 2);
    RUN_UNTIL(&loop, l.messages == 7);
    CHECK_INT(l.sub.restarts, 1);
    CHECK_INT(l.sub.lost, 2);
    put_msg("a", 30, 2); /* restarted again, its first was missed */
    RUN_UNTIL(&loop, l.messages == 8);
    CHECK_INT(l.sub.restarts, 2);
    CHECK_INT(l.sub.lost, 3);
    put_msg("a", 31, 4);
    put_msg("c", 31, 0); /* unnumbered: each is new */
    put_msg("c", 31, 0);
    RUN_UNTIL(&loop, l.messages == 11);
    CHECK_INT(l.sub.lost, 4);
    listener_off_fifo(&l);
}

TEST(each_input_is_followed_by_itself) {
    struct talker a = {0}, b = {0};
    struct listener l = {0};
    begin();
    listener_open(&l, "fifo:a");
    listener_add(&l, "fifo:b");
    talker_open(&a, "fifo:a", NULL);
    talker_open(&b, "fifo:b", NULL);
    for (int i = 0; i < 10; i++) {
        tell(&a, "t", i);
        if (i % 3 == 0)
            tell(&b, "t", i);
    }
    RUN_UNTIL(&loop, l.messages == 14);
    CHECK_INT(l.sub.lost + l.sub.restarts, 0);
    listener_close(&l);
    talker_close(&a);
    talker_close(&b);
    end();
}

TEST(damage_in_a_pipe_is_skipped_and_counted) {
    struct listener l = {0};
    listener_on_fifo(&l);
    put_msg("a", 1, 1);
    put_bytes("some garbage\x94\xff", 14);
    put_msg("a", 2, 2);
    put_bytes("\xc1\xc1\xc1", 3);
    put_msg("a", 3, 3);
    RUN_UNTIL(&loop, l.messages == 3);
    CHECK_INT(l.sub.skipped_bytes, 17);
    CHECK_INT(l.sub.lost, 0);
    listener_off_fifo(&l);
}

TEST(messages_in_single_bytes) {
    struct listener l = {0};
    struct buf b = {0};
    listener_on_fifo(&l);
    for (uint64_t i = 1; i <= 3; i++) {
        msg_put_head(&b, "topic.name", 10, i << 40, i);
        mp_put_map(&b, 1);
        mp_kv_int(&b, "value", (int64_t)i);
    }
    for (size_t i = 0; i < buf_len(&b); i++) {
        put_bytes(buf_data(&b) + i, 1);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    RUN_UNTIL(&loop, l.messages == 3);
    CHECK_STR(heard(&l), "topic.name 1\ntopic.name 2\ntopic.name 3\n");
    CHECK_INT(l.sub.skipped_bytes, 0);
    buf_free(&b);
    listener_off_fifo(&l);
}

TEST(plain_bytes_on_standard_input_are_recognised) {
    static const char *const inputs[] = {"plain text", "\x94\xa1", "x"};
    for (int i = 0; i < 3; i++) {
        struct listener l = {0};
        if (i == 0)
            begin();
        pipe_to_self();
        CHECK_INT(write(STDOUT_FILENO, inputs[i], strlen(inputs[i])), strlen(inputs[i]));
        close(STDOUT_FILENO);
        l.sub.on_raw = on_raw;
        listener_open(&l, "-");
        RUN_UNTIL(&loop, l.ends);
        CHECK_INT(l.raw_bytes, i == 1 ? 0 : strlen(inputs[i]));
        CHECK_INT(l.sub.skipped_bytes, i == 1 ? 2 : 0); /* the start of a message that never came */
        listener_close(&l);
        close(STDIN_FILENO);
        open("/dev/null", O_RDONLY);
        open("/dev/null", O_WRONLY);
    }
    end();
}

/* ---- state topics ---- */

TEST(late_joiner_gets_the_state) {
    struct talker t = {0};
    struct listener l = {0}, late = {0};
    begin();
    talker_open(&t, "x", NULL);
    pub_retain(&t.pub, "state");
    listener_open(&l, "x");
    subscribed(&t);
    tell(&t, "state", 1);
    tell(&t, "state", 2);
    tell(&t, "event", 3);
    RUN_UNTIL(&loop, l.messages == 3);
    listener_open(&late, "x");
    RUN_UNTIL(&loop, late.messages == 1);
    CHECK_STR(heard(&late), "state 2\n");
    tell(&t, "event", 4);
    RUN_UNTIL(&loop, l.messages == 4 && late.messages == 2);
    CHECK_INT(l.sub.lost + late.sub.lost, 0);
    CHECK_INT(l.sub.restarts, 0);
    pub_repeat(&t.pub);
    tell(&t, "event", 5);
    RUN_UNTIL(&loop, l.messages == 5 && late.messages == 3); /* the repetition is not one of them */
    listener_close(&l);
    listener_close(&late);
    talker_close(&t);
    end();
}

TEST(repetitions_go_into_supervised_pipes_only_and_arrive_once) {
    for (int supervised = 0; supervised < 2; supervised++) {
        struct talker t = {0};
        struct listener l = {0}, next = {0};
        if (!supervised)
            begin();
        else
            setenv("TAPLINE_STAGE", "test", 1);
        listener_open(&l, "fifo:x");
        talker_open(&t, "fifo:x", NULL);
        pub_retain(&t.pub, "state");
        tell(&t, "state", 1);
        for (int i = 0; i < 3; i++) {
            pub_repeat(&t.pub);
            pub_flush(&t.pub);
        }
        tell(&t, "event", 2);
        RUN_UNTIL(&loop, l.messages == 2);
        CHECK_STR(heard(&l), "state 1\nevent 2\n");
        listener_close(&l);
        listener_open(&next, "fifo:x"); /* a reader that was replaced */
        pub_repeat(&t.pub);
        tell(&t, "event", 3);
        RUN_UNTIL(&loop, next.messages == 1u + (unsigned)supervised);
        CHECK_STR(heard(&next), supervised ? "state 1\nevent 3\n" : "event 3\n");
        listener_close(&next);
        talker_close(&t);
    }
    end();
}

TEST(restarted_publisher_is_followed_and_its_state_is_new) {
    struct talker t = {0}, again = {0};
    struct listener l = {0};
    begin();
    listener_open(&l, "x");
    talker_open(&t, "x", NULL);
    pub_retain(&t.pub, "state");
    subscribed(&t);
    for (int i = 1; i <= 5; i++)
        tell(&t, "state", i);
    RUN_UNTIL(&loop, l.messages == 5);
    talker_close(&t);
    talker_open(&again, "x", NULL);
    pub_retain(&again.pub, "state");
    tell(&again, "state", 100); /* before anybody is there */
    RUN_UNTIL(&loop, l.messages == 6);
    CHECK_INT(l.sub.restarts, 1);
    CHECK_INT(l.sub.lost, 0);
    tell(&again, "state", 101);
    RUN_UNTIL(&loop, l.messages == 7);
    CHECK_INT(l.sub.lost, 0);
    listener_close(&l);
    talker_close(&again);
    end();
}

TEST(repetitions_do_not_pile_up_before_a_full_pipe) {
    struct talker t = {0};
    begin();
    setenv("TAPLINE_STAGE", "test", 1);
    talker_open(&t, "fifo:x", NULL);
    pub_retain(&t.pub, "state");
    tell(&t, "state", 1);
    while (pub_queued(&t.pub) == 0)
        tell(&t, "event", 0);
    size_t n = pub_queued(&t.pub);
    for (int i = 0; i < 1000; i++)
        pub_repeat(&t.pub);
    CHECK_INT(pub_queued(&t.pub), n);
    talker_close(&t);
    end();
}
