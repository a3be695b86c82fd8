/* What happens between a publisher and a subscriber when one does not keep up, and at the edges. */
#include "pub_sub.h"

/* ---- pushing back ---- */

TEST(slow_reader_of_a_full_pipe_loses_nothing) {
    struct talker t = {0};
    struct listener l = {0};
    int told = 0;
    begin();
    talker_open(&t, "fifo:x", NULL);
    listener_open(&l, "fifo:x");
    sub_pause(&l.sub, true);
    while (!t.blocked)
        tell(&t, "a", ++told);
    CHECK_INT(t.pub.blocked, 1);
    for (int i = 0; i < 100; i++) /* a source that cannot stop at once */
        tell(&t, "a", ++told);
    run_for(&loop, 10);
    CHECK_INT(l.messages, 0);
    sub_pause(&l.sub, false);
    RUN_UNTIL(&loop, l.messages == (uint64_t)told);
    CHECK_INT(l.sub.lost, 0);
    CHECK_INT(t.blocked, 1);
    CHECK_INT(t.unblocked, 1);
    CHECK_INT(t.pub.blocked, 0);
    CHECK_INT(t.pub.dropped, 0);
    listener_close(&l);
    talker_close(&t);
    end();
}

TEST(two_full_pipes_are_one_pause) {
    struct talker t = {0};
    struct listener a = {0}, b = {0};
    begin();
    talker_open(&t, "fifo:a", "fifo:b");
    for (uint64_t i = 0; t.pub.blocked < 2; i++)
        tell(&t, "t", 0);
    CHECK_INT(t.blocked, 1);
    listener_open(&a, "fifo:a");
    RUN_UNTIL(&loop, t.pub.blocked == 1);
    CHECK_INT(t.unblocked, 0);
    listener_open(&b, "fifo:b");
    RUN_UNTIL(&loop, t.pub.blocked == 0);
    CHECK_INT(t.unblocked, 1);
    RUN_UNTIL(&loop, a.messages == t.pub.sent && b.messages == t.pub.sent);
    listener_close(&a);
    listener_close(&b);
    talker_close(&t);
    end();
}

TEST(a_source_that_does_not_stop_is_cut_off_and_counted) {
    struct talker t = {0};
    begin();
    talker_open(&t, "fifo:x", NULL);
    uint8_t *block = mem_alloc(8 << 20);
    for (int i = 0; i < 12; i++) {
        mp_kv_bin(pub_begin(&t.pub, "image", 0, 1), "data", block, 8 << 20);
        CHECK_INT(pub_end(&t.pub), i + 1);
        pub_flush(&t.pub);
    }
    CHECK(pub_queued(&t.pub) <= PUB_PIPE_BYTES);
    CHECK(t.pub.dropped >= 4);
    free(block);
    talker_close(&t);
    end();
}

TEST(end_of_input_while_paused_loses_nothing) {
    struct listener l = {.pause_after = 10};
    struct talker t = {0};
    begin();
    pipe_to_self();
    talker_open(&t, "-", NULL);
    for (int i = 1; i <= 1000; i++)
        tell(&t, "a", i);
    talker_close(&t);
    close(STDOUT_FILENO);
    listener_open(&l, "-");
    RUN_UNTIL(&loop, l.messages == 10);
    run_for(&loop, 10);
    CHECK_INT(l.messages, 10);
    CHECK_INT(l.ends, 0);
    l.pause_after = 500;
    sub_pause(&l.sub, false); /* what was read already comes from within the call */
    CHECK_INT(l.messages, 500);
    sub_pause(&l.sub, false);
    RUN_UNTIL(&loop, l.ends);
    CHECK_INT(l.messages, 1000);
    listener_close(&l);
    open("/dev/null", O_WRONLY);
    end();
}

static void pausing_msg(void *ctx, const struct msg *m) {
    struct listener *l = ctx;
    on_msg(ctx, m);
    sub_pause(&l->sub, true);
    sub_pause(&l->sub, false); /* must not show this message again */
}

TEST(pausing_and_going_on_from_within_a_message) {
    struct listener l = {0};
    listener_on_fifo(&l);
    l.sub.on_msg = pausing_msg;
    for (uint64_t i = 1; i <= 3; i++)
        put_msg("a", i, i);
    RUN_UNTIL(&loop, l.messages >= 3);
    run_for(&loop, 5);
    CHECK_STR(heard(&l), "a 1\na 2\na 3\n");
    listener_off_fifo(&l);
}

static void closing_msg(void *ctx, const struct msg *m) {
    struct listener *l = ctx;
    on_msg(ctx, m);
    sub_close(&l->sub);
}

TEST(closing_from_within_a_message_and_unpausing_afterwards) {
    struct listener l = {0};
    listener_on_fifo(&l);
    l.sub.on_msg = closing_msg;
    put_msg("a", 1, 1);
    put_msg("a", 2, 2);
    RUN_UNTIL(&loop, l.messages);
    sub_pause(&l.sub, false);
    sub_pause(&l.sub, true);
    run_for(&loop, 5);
    CHECK_INT(l.messages, 1);
    listener_off_fifo(&l);
}

TEST(reader_that_goes_while_the_output_is_full) {
    struct talker t = {0};
    begin();
    pipe_to_self();
    talker_open(&t, "-", NULL);
    while (!t.blocked)
        tell(&t, "a", 1);
    close(STDIN_FILENO);
    RUN_UNTIL(&loop, t.broken);
    CHECK_INT(t.unblocked, 1);
    CHECK_INT(t.pub.blocked, 0);
    CHECK(tell(&t, "a", 2) > 0); /* harmless */
    CHECK_INT(pub_queued(&t.pub), 0);
    talker_close(&t);
    end();
}

/* ---- edges ---- */

TEST(last_messages_before_the_close_reach_nng_subscribers) {
    struct talker t = {0};
    struct listener l = {0};
    begin();
    listener_open(&l, "x");
    talker_open(&t, "x", NULL);
    subscribed(&t);
    for (int i = 1; i <= 200; i++)
        tell(&t, "a", i);
    talker_close(&t);
    RUN_UNTIL(&loop, l.messages == 200);
    listener_close(&l);
    end();
}

TEST(endpoint_in_use_is_named) {
    struct talker t = {0}, other = {0};
    begin();
    talker_open(&t, "x", NULL);
    pub_init(&other.pub, &loop);
    CHECK_INT(pub_add(&other.pub, "x", &e), -1);
    CHECK_INT(e.cause, CAUSE_BUSY);
    CHECK(strstr(e.text, "cannot publish on x: in use by another process"));
    talker_close(&other);
    talker_close(&t);
    end();
}

TEST(too_many_outputs_inputs_and_topics) {
    struct talker t = {0};
    struct listener l = {0};
    char topic[32];
    begin();
    talker_open(&t, "fifo:o0", NULL);
    for (int i = 1; i < PUB_OUTPUTS; i++) {
        snprintf(topic, sizeof topic, "fifo:o%d", i);
        CHECK_INT(pub_add(&t.pub, topic, &e), 0);
    }
    CHECK_INT(pub_add(&t.pub, "fifo:more", &e), -1);
    listener_init(&l);
    for (int i = 0; i < SUB_INPUTS; i++)
        listener_add(&l, "fifo:o0");
    CHECK_INT(sub_add(&l.sub, "fifo:o0", &e), -1);
    CHECK_INT(sub_add(&l.sub, "a/b", &e), -1);
    for (int i = 0; i < SUB_PREFIXES; i++)
        CHECK_INT(sub_prefix(&l.sub, "p", &e), 0);
    CHECK_INT(sub_prefix(&l.sub, "p", &e), -1);
    for (int i = 0; i < PUB_TOPICS; i++) {
        snprintf(topic, sizeof topic, "topic.%d", i);
        CHECK_INT(tell(&t, topic, 0) > 0, i < PUB_TOPICS * 3 / 4);
    }
    CHECK_INT(t.pub.dropped, PUB_TOPICS / 4);
    CHECK_INT(t.pub.sent, PUB_TOPICS * 3 / 4);
    listener_close(&l);
    talker_close(&t);
    end();
}

TEST(what_no_receiver_would_take_is_not_sent) {
    struct talker t = {0};
    begin();
    talker_open(&t, "fifo:x", NULL);
    CHECK_INT(tell(&t, "Not.A.Topic", 1), 0);
    CHECK_INT(tell(&t, "", 1), 0);
    char name[200] = {0};
    memset(name, 'a', sizeof name - 1);
    CHECK_INT(tell(&t, name, 1), 0);
    uint8_t *block = mem_alloc(MSG_MAX);
    mp_kv_bin(pub_begin(&t.pub, "image", 0, 1), "data", block, MSG_MAX);
    CHECK_INT(pub_end(&t.pub), 0);
    CHECK_INT(t.pub.dropped, 4);
    CHECK_INT(pub_queued(&t.pub), 0);
    CHECK_INT(tell(&t, "image", 1), 1); /* no hole */
    free(block);
    talker_close(&t);
    end();
}

TEST(relayed_messages_keep_time_and_get_our_number) {
    struct talker t = {0};
    struct listener l = {0};
    struct buf b = {0};
    struct msg m;
    begin();
    listener_open(&l, "fifo:x");
    talker_open(&t, "fifo:x", NULL);
    msg_put_head(&b, "in", 2, 12345, 99);
    mp_put_map(&b, 1);
    mp_kv_int(&b, "value", 7);
    CHECK(msg_parse(buf_data(&b), buf_len(&b), &m) > 0);
    pub_relay(&t.pub, &m, NULL);
    pub_relay(&t.pub, &m, "other");
    pub_flush(&t.pub);
    RUN_UNTIL(&loop, l.messages == 2);
    CHECK_STR(heard(&l), "in 7\nother 7\n");
    CHECK_INT(l.last_time, 12345);
    CHECK_INT(l.last_seq, 1);
    pub_raw(&t.pub, &m);
    pub_flush(&t.pub);
    RUN_UNTIL(&loop, l.messages == 3);
    CHECK_INT(l.last_seq, 99);
    CHECK(pub_wanted(&t.pub));
    buf_free(&b);
    listener_close(&l);
    talker_close(&t);
    end();
}

TEST(nobody_is_there) {
    struct talker t = {0};
    begin();
    talker_open(&t, "x", NULL);
    CHECK(!pub_wanted(&t.pub));
    CHECK_INT(tell(&t, "a", 1), 1);
    talker_close(&t);
    end();
}
