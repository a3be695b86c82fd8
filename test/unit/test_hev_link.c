/* The link of the hev codec: two ends joined by a line that loses, damages, repeats and reorders.
 */
#include "hev_fixture.h"
#include "codec/hev_link.h"

enum { MS = 1000000, WIRES = 512 };

struct wire {
    uint8_t data[HEV_WIRE_MAX];
    size_t n;
};

/* One end: what it put on the line, what it handed over, what became of its payloads. */
struct end {
    struct hev_link link;
    struct wire out[WIRES];
    size_t outs, taken; /* taken: how far the other end has read */
    struct buf heard, sent;
};

static struct end a, b;
static uint64_t now = 1000 * (uint64_t)MS;

static void on_write(void *ctx, const uint8_t *p, size_t n) {
    struct end *e = ctx;
    CHECK(e->outs < WIRES);
    memcpy(e->out[e->outs].data, p, n);
    e->out[e->outs++].n = n;
}

static void on_frame(void *ctx, const struct hev_frame *f) {
    frame_note(&((struct end *)ctx)->heard, f);
}

static void on_sent(void *ctx, const struct hev_sent *s) {
    buf_printf(&((struct end *)ctx)->sent, "%llu %s %s %u %u\n", (unsigned long long)s->id,
               hev_class_name(s->class), s->ok ? "ok" : "lost", s->tries, s->ns);
}

static const struct hev_link_hooks hooks = {
    .write = on_write, .deliver = on_frame, .sent = on_sent};

static void join(const struct hev_link_config *c) {
    hev_link_init(&a.link, c, &hooks, &a);
    hev_link_init(&b.link, c, &hooks, &b);
}

static void feed(struct end *e, const struct wire *w) {
    hev_link_feed(&e->link, w->data, w->n, now);
}

/* What one end has put on the line reaches the other. */
static void carry(struct end *from, struct end *to) {
    while (from->taken < from->outs)
        feed(to, &from->out[from->taken++]);
}

static void lose(struct end *from) {
    from->taken = from->outs;
}

static void later(uint64_t ns) {
    now += ns;
    hev_link_timeout(&a.link, now);
    hev_link_timeout(&b.link, now);
}

static void send_text(struct end *e, enum hev_class class, uint64_t id, const char *text) {
    CHECK(hev_link_send(&e->link, class, id, (const uint8_t *)text, strlen(text), now));
}

static void check(struct buf *got, const char *want) {
    CHECK_STR(text_of(got), want);
    buf_clear(got);
}

static void send_until(struct end *e, uint64_t id, uint64_t until) {
    CHECK(hev_link_send_until(&e->link, HEV_CLASS_CMD, id, (const uint8_t *)"x", 1, now, until));
}

/* ---- sending ---- */

/* A START pressed long ago must not start anything. */
TEST(what_comes_too_late_is_neither_sent_nor_repeated) {
    join(NULL);
    uint64_t begin = now;
    send_until(&a, 1, begin + 120 * (uint64_t)MS);
    send_until(&a, 2, begin + 60 * (uint64_t)MS);
    send_until(&a, 3, begin + 1000 * (uint64_t)MS);
    for (int i = 0; i < 3; i++) {
        lose(&a);
        later(50 * MS);
    }
    CHECK_INT(a.outs, 4); /* 1 three times, then 3 */
    check(&a.sent, "1 cmd lost 3 0\n2 cmd lost 0 0\n");
    CHECK_INT(a.link.expired, 2);
    carry(&a, &b);
    carry(&b, &a);
    check(&a.sent, "3 cmd ok 1 1\n");
    now += 2000 * (uint64_t)MS;
    send_until(&a, 4, begin + 1000 * (uint64_t)MS);
    check(&a.sent, "4 cmd lost 0 0\n");
    CHECK_INT(a.outs, 4);
    CHECK_INT(a.link.expired, 3);
    CHECK_INT(hev_link_pending(&a.link), 0);
}

TEST(a_command_is_sent_acknowledged_and_told) {
    join(NULL);
    send_text(&a, HEV_CLASS_CMD, 7, "x");
    CHECK_INT(hev_link_pending(&a.link), 1);
    CHECK_INT(hev_link_deadline(&a.link), now + 50 * MS);
    carry(&a, &b);
    check(&b.heard, "80 info 0 78\n");
    check(&a.sent, "");
    carry(&b, &a);
    check(&a.sent, "7 cmd ok 1 0\n");
    CHECK_INT(hev_link_pending(&a.link), 0);
    CHECK_INT(hev_link_deadline(&a.link), 0);
    CHECK_INT(a.link.acks, 1);
    CHECK_INT(a.link.stray_acks, 0);
}

TEST(one_at_a_time_the_most_urgent_first) {
    join(NULL);
    send_text(&a, HEV_CLASS_DATA, 1, "a");
    send_text(&a, HEV_CLASS_DATA, 2, "b");
    send_text(&a, HEV_CLASS_CMD, 3, "c");
    send_text(&a, HEV_CLASS_ALARM, 4, "d");
    CHECK_INT(a.outs, 1);
    for (int i = 0; i < 4; i++) {
        carry(&a, &b);
        carry(&b, &a);
    }
    check(&a.sent, "1 data ok 1 0\n4 alarm ok 1 1\n3 cmd ok 1 2\n2 data ok 1 3\n");
    check(&b.heard, "40 info 0 61\nc0 info 1 64\n80 info 2 63\n40 info 3 62\n");
    CHECK_INT(b.link.gaps, 0);
}

TEST(a_lost_frame_is_sent_again_in_the_same_words) {
    join(NULL);
    send_text(&a, HEV_CLASS_CMD, 1, "x");
    lose(&a);
    later(49 * MS);
    CHECK_INT(a.outs, 1);
    later(1 * MS);
    CHECK_INT(a.outs, 2);
    CHECK_MEM(a.out[1].data, a.out[1].n, a.out[0].data, a.out[0].n);
    carry(&a, &b);
    carry(&b, &a);
    check(&a.sent, "1 cmd ok 2 0\n");
    check(&b.heard, "80 info 0 78\n");
    CHECK_INT(a.link.resent, 1);
}

TEST(a_lost_acknowledgement_delivers_once) {
    join(NULL);
    send_text(&a, HEV_CLASS_CMD, 1, "x");
    carry(&a, &b);
    lose(&b);
    later(50 * MS);
    carry(&a, &b);
    carry(&b, &a);
    check(&a.sent, "1 cmd ok 2 0\n");
    check(&b.heard, "80 info 0 78\n");
    CHECK_INT(b.link.repeats, 1);
    CHECK_INT(b.link.gaps, 0);
}

TEST(a_corrupt_frame_gets_no_answer) {
    join(NULL);
    send_text(&a, HEV_CLASS_CMD, 1, "x");
    a.out[0].data[4] ^= 1;
    carry(&a, &b);
    CHECK_INT(b.outs, 0);
    CHECK_INT(b.link.receiver.bad_fcs, 1);
    later(50 * MS);
    carry(&a, &b);
    carry(&b, &a);
    check(&a.sent, "1 cmd ok 2 0\n");
}

TEST(a_corrupt_acknowledgement_is_none) {
    join(NULL);
    send_text(&a, HEV_CLASS_CMD, 1, "x");
    carry(&a, &b);
    b.out[0].data[2] ^= 4;
    carry(&b, &a);
    check(&a.sent, "");
    CHECK_INT(a.link.receiver.bad_fcs, 1);
}

TEST(given_up_after_ten_tries_and_the_next_has_its_turn) {
    join(NULL);
    send_text(&a, HEV_CLASS_CMD, 1, "x");
    send_text(&a, HEV_CLASS_CMD, 2, "y");
    for (int i = 0; i < 10; i++)
        later(50 * MS);
    check(&a.sent, "1 cmd lost 10 0\n");
    CHECK_INT(a.outs, 11);
    CHECK_INT(a.link.unanswered, 1);
    a.taken = 10;
    carry(&a, &b);
    carry(&b, &a);
    check(&a.sent, "2 cmd ok 1 1\n");
    check(&b.heard, "80 info 1 79\n");
}

TEST(a_late_acknowledgement_is_not_taken_for_the_next_payload) {
    struct hev_link_config c = {.tries = 1};
    join(&c);
    send_text(&a, HEV_CLASS_CMD, 1, "x");
    send_text(&a, HEV_CLASS_CMD, 2, "y");
    feed(&b, &a.out[a.taken++]);
    later(50 * MS);
    check(&a.sent, "1 cmd lost 1 0\n");
    carry(&b, &a);
    check(&a.sent, "");
    CHECK_INT(a.link.stray_acks, 1);
    carry(&a, &b);
    carry(&b, &a);
    check(&a.sent, "2 cmd ok 1 1\n");
}

TEST(without_a_limit_it_is_sent_for_ever) {
    struct hev_link_config c = {.tries = 0, .resend_ns = {[HEV_CLASS_DATA] = 200 * MS}};
    join(&c);
    send_text(&a, HEV_CLASS_DATA, 1, "x");
    for (int i = 0; i < 400; i++)
        later(200 * MS);
    CHECK_INT(a.outs, 401);
    check(&a.sent, "");
}

TEST(a_full_queue_drops_its_oldest_and_tells) {
    struct hev_link_config c = {.depth = 2, .tries = 10};
    join(&c);
    for (uint64_t id = 1; id <= 5; id++) /* 1 is on the line, 2 and 3 make room */
        send_text(&a, HEV_CLASS_DATA, id, "x");
    check(&a.sent, "2 data lost 0 0\n3 data lost 0 0\n");
    CHECK_INT(a.link.dropped, 2);
    CHECK_INT(hev_link_pending(&a.link), 3);
    for (int i = 0; i < 3; i++) {
        carry(&a, &b);
        carry(&b, &a);
    }
    check(&a.sent, "1 data ok 1 0\n4 data ok 1 1\n5 data ok 1 2\n");
}

TEST(thirty_two_of_each_kind_wait) {
    join(NULL);
    for (uint64_t id = 0; id < 33; id++)
        for (int c = 0; c < HEV_CLASSES; c++)
            send_text(&a, c, id, "x");
    CHECK_INT(hev_link_pending(&a.link), 1 + 3 * 32);
    CHECK_INT(a.link.dropped, 2);
    for (int i = 0; i < 100; i++) {
        carry(&a, &b);
        carry(&b, &a);
    }
    CHECK_INT(hev_link_pending(&a.link), 0);
    CHECK_INT(b.link.taken, 97);
    CHECK_INT(b.link.gaps, 0);
}

TEST(what_cannot_be_a_payload_is_not_taken) {
    uint8_t p[HEV_PAYLOAD_MAX + 1] = {0};
    join(NULL);
    CHECK(!hev_link_send(&a.link, HEV_CLASS_CMD, 1, p, 0, now));
    CHECK(!hev_link_send(&a.link, HEV_CLASS_CMD, 1, p, sizeof p, now));
    CHECK_INT(a.outs, 0);
}

TEST(a_reset_tells_what_was_not_sent) {
    join(NULL);
    send_text(&a, HEV_CLASS_CMD, 1, "x");
    send_text(&a, HEV_CLASS_ALARM, 2, "y");
    hev_link_reset(&a.link);
    check(&a.sent, "2 alarm lost 0 0\n1 cmd lost 1 0\n");
    CHECK_INT(hev_link_pending(&a.link), 0);
    CHECK_INT(a.link.unanswered, 2);
    send_text(&a, HEV_CLASS_CMD, 3, "z"); /* N(S) goes on */
    a.taken = 1;
    carry(&a, &b);
    carry(&b, &a);
    check(&a.sent, "3 cmd ok 1 1\n");
}

static void on_sent_more(void *ctx, const struct hev_sent *s) {
    struct end *e = ctx;
    on_sent(ctx, s);
    if (s->id < 3)
        CHECK(hev_link_send(&e->link, HEV_CLASS_CMD, s->id + 1, (const uint8_t *)"x", 1, now));
}

TEST(the_hook_may_send_more) {
    struct hev_link_hooks more = hooks;
    more.sent = on_sent_more;
    join(NULL);
    hev_link_init(&a.link, NULL, &more, &a);
    send_text(&a, HEV_CLASS_CMD, 1, "x");
    for (int i = 0; i < 3; i++) {
        carry(&a, &b);
        carry(&b, &a);
    }
    check(&a.sent, "1 cmd ok 1 0\n2 cmd ok 1 1\n3 cmd ok 1 2\n");
}

TEST(a_clock_that_steps_back_delays_a_resend_once_only) {
    join(NULL);
    send_text(&a, HEV_CLASS_CMD, 1, "x");
    now -= 900 * MS;
    hev_link_timeout(&a.link, now);
    CHECK_INT(hev_link_deadline(&a.link), now + 50 * MS);
    later(50 * MS);
    CHECK_INT(a.outs, 2);
}

/* ---- receiving ---- */

static void receive(struct end *e, uint8_t address, uint8_t ns, const char *text) {
    struct wire w;
    struct hev_frame f = {
        .address = address, .ns = ns, .data = (const uint8_t *)text, .len = strlen(text)};
    w.n = hev_frame_encode(w.data, &f);
    feed(e, &w);
}

static void refuse(struct end *e, uint8_t address, uint8_t nr) {
    struct wire w;
    struct hev_frame f = {.address = address, .kind = HEV_NACK, .nr = nr};
    w.n = hev_frame_encode(w.data, &f);
    feed(e, &w);
}

TEST(any_number_is_accepted_and_acknowledged) {
    join(NULL);
    receive(&b, 0x40, 0, "a");
    receive(&b, 0x40, 5, "b");
    receive(&b, 0x40, 5, "c"); /* the same number, another content */
    receive(&b, 0x40, 3, "d");
    receive(&b, 0x40, 127, "e");
    receive(&b, 0xC0, 0, "f");
    check(&b.heard, "40 info 0 61\n40 info 5 62\n40 info 5 63\n40 info 3 64\n40 info 127 65\n"
                    "c0 info 0 66\n");
    CHECK_INT(b.link.gaps, 4);
    CHECK_INT(b.link.repeats, 0);
    a.link.hooks.answer = on_frame;
    carry(&b, &a);
    check(&a.heard, "40 ack 1\n40 ack 6\n40 ack 6\n40 ack 4\n40 ack 0\nc0 ack 1\n");
    CHECK_INT(a.link.stray_acks, 6);
}

TEST(a_repetition_is_seen_through_frames_of_other_addresses) {
    join(NULL);
    receive(&b, 0x40, 1, "a");
    receive(&b, 0xC0, 2, "b");
    receive(&b, 0x40, 1, "a");
    receive(&b, 0xC0, 2, "b");
    check(&b.heard, "40 info 1 61\nc0 info 2 62\n");
    CHECK_INT(b.link.repeats, 2);
    CHECK_INT(b.outs, 4); /* all acknowledged */
}

TEST(an_equal_frame_after_a_round_of_numbers_is_a_new_one) {
    join(NULL);
    receive(&b, 0xC0, 0, "alarm");
    for (int i = 1; i < 128; i++)
        receive(&b, 0x40, (uint8_t)i, "data");
    buf_clear(&b.heard);
    receive(&b, 0xC0, 0, "alarm");
    check(&b.heard, "c0 info 0 616c61726d\n");
    CHECK_INT(b.link.repeats, 0);
    CHECK_INT(b.link.gaps, 0);
}

TEST(after_a_reset_an_equal_frame_is_a_new_one) {
    join(NULL);
    receive(&b, 0x40, 0, "a");
    hev_link_reset(&b.link);
    receive(&b, 0x40, 0, "a");
    check(&b.heard, "40 info 0 61\n40 info 0 61\n");
    CHECK_INT(b.link.gaps, 0);
}

TEST(address_zero_is_handed_over_and_not_acknowledged) {
    join(NULL);
    receive(&b, 0x20, 0, "a");
    check(&b.heard, "20 info 0 61\n");
    CHECK_INT(b.outs, 0);
    CHECK_INT(b.link.unaddressed, 1);
}

TEST(a_listener_answers_nothing) {
    struct hev_link_hooks quiet = {.deliver = on_frame};
    join(NULL);
    hev_link_init(&b.link, NULL, &quiet, &b);
    receive(&b, 0x40, 0, "a");
    receive(&b, 0x40, 0, "a");
    check(&b.heard, "40 info 0 61\n");
    CHECK_INT(b.link.repeats, 1);
}

TEST(a_refusal_that_names_another_number_is_obeyed) {
    join(NULL);
    send_text(&a, HEV_CLASS_CMD, 1, "x");
    lose(&a);
    refuse(&a, 0x40, 9); /* of another address */
    refuse(&a, 0x80, 1); /* N(S)+1: says nothing */
    later(50 * MS);
    CHECK_MEM(a.out[1].data, a.out[1].n, a.out[0].data, a.out[0].n);
    lose(&a);
    refuse(&a, 0x80, 42);
    later(50 * MS);
    carry(&a, &b);
    check(&b.heard, "80 info 42 78\n");
    carry(&b, &a);
    check(&a.sent, "1 cmd ok 3 42\n");
    CHECK_INT(a.link.nacks, 3);
}

/* ---- everything at once ---- */

static uint32_t dice_state = 12345;
static uint32_t dice(uint32_t sides) {
    dice_state = dice_state * 1664525u + 1013904223u;
    return (dice_state >> 8) % sides;
}

/* One frame in four is lost, damaged, doubled or comes before the one in front of it. */
static void carry_badly(struct end *from, struct end *to) {
    while (from->taken < from->outs) {
        struct wire *w = &from->out[from->taken];
        uint32_t fate = dice(16);
        if (fate == 0)
            w->data[dice((uint32_t)w->n)] ^= (uint8_t)(1 << dice(8));
        if (fate == 1 && from->taken > 0)
            feed(to, w - 1);
        if (fate != 2)
            feed(to, w);
        if (fate == 3)
            feed(to, w);
        from->taken++;
    }
    from->outs = from->taken = 0;
}

static void check_all_arrived(struct end *to, int count) {
    char want[40];
    for (int i = 0; i < count; i++) {
        snprintf(want, sizeof want, " %02x%02x\n", 'a' + i / 20, 'a' + i % 20);
        if (!strstr(text_of(&to->heard), want))
            test_fail(__FILE__, __LINE__, "payload %d has not come", i);
    }
}

TEST(a_bad_line_delivers_everything_both_ways_in_the_end) {
    struct hev_link_config c = {.tries = 0};
    join(&c);
    for (int i = 0; i < 200; i++) {
        char text[3] = {(char)('a' + i / 20), (char)('a' + i % 20), 0};
        send_text(&a, i % HEV_CLASSES, (uint64_t)i, text);
        send_text(&b, i % HEV_CLASSES, (uint64_t)i, text);
        while (hev_link_pending(&a.link) || hev_link_pending(&b.link)) {
            carry_badly(&a, &b);
            carry_badly(&b, &a);
            later(10 * MS);
        }
    }
    check_all_arrived(&a, 200);
    check_all_arrived(&b, 200);
    CHECK(a.link.resent > 10 && b.link.repeats > 10);
    CHECK(a.link.receiver.bad_fcs > 5);
}
