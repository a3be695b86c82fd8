/* The sums over a wire, with stages that are only numbers. */
#include "../../cmd/supervisor/ledger.c"
#include "../../cmd/supervisor/wires.c"
#include "test.h"

static struct supervisor sup;
static struct child child[2];
static struct plan_stage stage[2];
static struct plan_link link_ = {.from = &stage[0], .to = &stage[1]};

#define FROM child[0].ledger.page->out[0]
#define TO child[1].ledger.page->in[0]
#define WIRE sup.wires.wire[0]

static void lives(int i) {
    ledger_start(&child[i].ledger);
    child[i].ledger.page->pid = 1000 + i;
    child[i].pid = 1000 + i;
    child[i].silent_since_ns = clock_mono_ns();
}

static void dies(int i) {
    child[i].pid = 0;
    ledger_end(&child[i].ledger);
}

static void begin(enum endpoint_kind kind) {
    struct err e;
    link_.kind = kind;
    sup.child = child;
    sup.plan.stage = stage;
    sup.plan.link = &link_;
    sup.plan.links = 1;
    for (int i = 0; i < 2; i++) {
        child[i].in = child[i].out = -1;
        CHECK_INT(ledger_open(&child[i].ledger, &e), 0);
        lives(i);
    }
    wires_open(&sup);
}

static void end(void) {
    wires_close(&sup);
    for (int i = 0; i < 2; i++)
        ledger_close(&child[i].ledger);
}

static struct wire_counts now(void) {
    wires_look(&sup);
    struct wire_counts c = WIRE.now;
    CHECK_INT((int64_t)c.sent,
              (int64_t)(c.received + c.lost + c.dropped + c.queued) + c.unaccounted);
    CHECK(c.crashed <= c.lost);
    return c;
}

/* Two seconds in which nothing changes and the receiver reports. */
static struct wire_counts later(void) {
    now();
    WIRE.steady_ns -= 2000000000u;
    child[1].silent_since_ns = clock_mono_ns();
    return now();
}

static void flow(uint64_t sent, uint64_t received) {
    FROM.sent += sent;
    TO.received += received;
}

#define CHECK_COUNTS(c_, sent_, received_, lost_, crashed_, queued_)                               \
    do {                                                                                           \
        struct wire_counts counts_ = (c_);                                                         \
        CHECK_INT(counts_.sent, sent_);                                                            \
        CHECK_INT(counts_.received, received_);                                                    \
        CHECK_INT(counts_.lost, lost_);                                                            \
        CHECK_INT(counts_.crashed, crashed_);                                                      \
        CHECK_INT(counts_.queued, queued_);                                                        \
        CHECK_INT(counts_.unaccounted, 0);                                                         \
    } while (0)

TEST(what_is_on_the_way_is_queued_and_then_there) {
    begin(ENDPOINT_STDIO);
    flow(100, 90);
    CHECK_COUNTS(now(), 100, 90, 0, 0, 10);
    flow(0, 10);
    CHECK_COUNTS(later(), 100, 100, 0, 0, 0);
    TO.skipped += 5; /* came, and was not asked for */
    flow(5, 0);
    CHECK_COUNTS(now(), 105, 105, 0, 0, 0);
    end();
}

TEST(holes_are_losses_unless_the_sender_says_it_dropped_them) {
    begin(ENDPOINT_NNG);
    flow(100, 80);
    TO.lost = 20;
    CHECK_COUNTS(now(), 100, 80, 20, 0, 0);
    flow(50, 40);
    FROM.dropped = 10; /* not told by a hole yet */
    struct wire_counts c = now();
    CHECK_INT(c.dropped, 10);
    CHECK_INT(c.lost + c.queued, 20);
    TO.lost = 30;
    c = now();
    CHECK_INT(c.dropped, 10);
    CHECK_INT(c.lost, 20);
    CHECK_INT(c.queued, 0);
    end();
}

TEST(what_was_sent_before_a_subscriber_joined_is_not_sent) {
    begin(ENDPOINT_NNG);
    flow(100, 10);
    TO.before = 60; /* of topics it has heard since */
    CHECK_COUNTS(now(), 40, 10, 0, 0, 30);
    CHECK_COUNTS(later(), 10, 10, 0, 0, 0);
    flow(7, 7);
    CHECK_COUNTS(later(), 17, 17, 0, 0, 0);
    end();
}

TEST(what_is_missing_though_nobody_died_is_our_fault_until_it_comes) {
    begin(ENDPOINT_STDIO);
    CHECK_COUNTS(later(), 0, 0, 0, 0, 0);
    flow(10, 8);
    struct wire_counts c = later();
    CHECK_INT(c.unaccounted, 2);
    flow(0, 2);
    CHECK_COUNTS(now(), 10, 10, 0, 0, 0);
    flow(0, 1); /* more than was sent */
    c = now();
    CHECK_INT(c.unaccounted, -1);
    end();
}

TEST(what_died_with_the_receiver_is_lost_once) {
    begin(ENDPOINT_STDIO);
    flow(100, 90);
    dies(1);
    CHECK_COUNTS(later(), 100, 90, 0, 0, 10); /* the pipe may still hold it */
    lives(1);
    CHECK_COUNTS(later(), 100, 90, 10, 10, 0);
    flow(10, 10); /* the first after it tells of a hole */
    TO.lost = TO.crashed = 10;
    CHECK_COUNTS(now(), 110, 100, 10, 10, 0);
    CHECK_COUNTS(later(), 110, 100, 10, 10, 0);
    end();
}

TEST(what_died_with_the_sender_is_lost) {
    begin(ENDPOINT_STDIO);
    flow(100, 95);
    FROM.queue = 1000;
    TO.waiting = 10; /* the beginning of a message whose end has died */
    dies(0);
    lives(0);
    flow(20, 20);
    CHECK_COUNTS(now(), 120, 115, 0, 0, 5);
    CHECK_COUNTS(later(), 120, 115, 5, 5, 0);
    TO.lost += 3; /* a hole in the receiver's eyes: it thinks the new numbers go on from the old */
    CHECK_COUNTS(now(), 120, 115, 5, 5, 0);
    end();
}

TEST(over_nng_nothing_waits_for_a_receiver_that_is_gone) {
    begin(ENDPOINT_NNG);
    CHECK_COUNTS(later(), 0, 0, 0, 0, 0);
    dies(1);
    flow(30, 0);
    CHECK_COUNTS(later(), 30, 0, 30, 30, 0);
    end();
}

TEST(a_receiver_that_stands_still_has_lost_nothing_yet) {
    begin(ENDPOINT_NNG);
    CHECK_COUNTS(later(), 0, 0, 0, 0, 0);
    flow(30, 0);
    now();
    WIRE.steady_ns -= 5000000000u;
    child[1].silent_since_ns = WIRE.steady_ns; /* not heard of since */
    CHECK_COUNTS(now(), 30, 0, 0, 0, 30);
    TO.paused = 1;
    CHECK_COUNTS(later(), 30, 0, 0, 0, 30);
    TO.paused = 0;
    FROM.queue = 100;
    CHECK_COUNTS(later(), 30, 0, 0, 0, 30);
    end();
}

TEST(a_wire_with_an_end_that_does_not_count_is_unknown) {
    begin(ENDPOINT_STDIO);
    link_.out = -1;
    flow(10, 9);
    TO.lost = 1;
    struct wire_counts c = (wires_look(&sup), WIRE.now);
    CHECK(!c.known && !c.from_known && c.to_known);
    CHECK_INT(c.received, 9);
    CHECK_INT(c.lost, 1);
    link_.out = 0;
    child[1].ledger.page->pid = 0; /* nor has it ever */
    child[1].ledger.known = false;
    c = (wires_look(&sup), WIRE.now);
    CHECK(!c.known);
    end();
}

TEST(earlier_lives_count) {
    begin(ENDPOINT_STDIO);
    for (int i = 0; i < 5; i++) {
        flow(10, 10);
        TO.bytes = FROM.bytes = 100;
        dies(i % 2);
        lives(i % 2);
    }
    CHECK_COUNTS(now(), 50, 50, 0, 0, 0);
    end();
}
