/* The pure parts of `dispatch hev`: ring of samples, device clock, breaths. */
#include <math.h>
#include <stdlib.h>

#include "../../cmd/dispatch/hev_breath.c"
#include "../../cmd/dispatch/hev_clock.c"
#include "../../cmd/dispatch/hev_ring.c"
#include "test.h"

/* ---- ring ---- */

static struct vent_ring *ring_of(uint64_t room) {
    struct vent_ring *r = calloc(1, vent_ring_bytes(room));
    vent_ring_check(r, room);
    return r;
}

static void fill(struct vent_ring *r, uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to; i++)
        vent_ring_add(r, &(struct vent_sample){.time_us = i * 1000, .v = {(float)i, -1, NAN}});
}

TEST(ring_keeps_the_newest) {
    struct vent_ring *r = ring_of(100);
    fill(r, 0, 250);
    CHECK_INT(r->kept, 100);
    CHECK_INT(vent_ring_at(r, 0)->time_us, 150000);
    CHECK_INT(vent_ring_at(r, 99)->time_us, 249000);
    CHECK_INT(vent_ring_before(r, 0), 0);
    CHECK_INT(vent_ring_before(r, 160000), 10);
    CHECK_INT(vent_ring_before(r, 160001), 11);
    CHECK_INT(vent_ring_before(r, UINT64_MAX), 100);
    free(r);
}

TEST(ring_is_taken_over_only_when_sound) {
    struct vent_ring *r = ring_of(100);
    fill(r, 0, 150);
    vent_ring_check(r, 100);
    CHECK_INT(r->kept, 100);
    r->sample[3].time_us = 7;
    vent_ring_check(r, 100);
    CHECK_INT(r->kept, 0);
    fill(r, 0, 10);
    r->kept = 1000;
    vent_ring_check(r, 100);
    CHECK_INT(r->kept, 0);
    vent_ring_check(r, 50);
    CHECK_INT(r->room, 50);
    free(r);
}

TEST(ring_forgets_what_is_newer_than_a_clock_set_back) {
    struct vent_ring *r = ring_of(100);
    fill(r, 0, 150);
    vent_ring_cut(r, 120000);
    CHECK_INT(r->kept, 70);
    CHECK_INT(vent_ring_at(r, 69)->time_us, 119000);
    fill(r, 120, 125);
    CHECK_INT(vent_ring_at(r, 74)->time_us, 124000);
    vent_ring_cut(r, 0);
    CHECK_INT(r->kept, 0);
    free(r);
}

TEST(columns_are_exact_when_they_can_be) {
    struct vent_ring *r = ring_of(100);
    struct vent_column c[50];
    bool exact;
    fill(r, 0, 100);
    CHECK_INT(vent_ring_columns(r, 10000, 60000, c, 50, &exact), 50);
    CHECK(exact);
    CHECK_INT(c[0].time_us, 10000);
    CHECK(c[49].low[0] == 59 && c[49].high[0] == 59 && c[49].low[1] == -1);
    CHECK(isnan(c[0].low[2]) && isnan(c[0].high[2]));
    free(r);
}

TEST(columns_hold_every_extreme) {
    struct vent_ring *r = ring_of(10000);
    struct vent_column c[100];
    bool exact;
    fill(r, 0, 10000);
    r->sample[4321].v[1] = 99; /* one sample of ten thousand is seen */
    size_t n = vent_ring_columns(r, 0, 10000000, c, 100, &exact);
    CHECK_INT(n, 100);
    CHECK(!exact);
    for (size_t i = 0; i < n; i++)
        CHECK(c[i].low[0] == (float)(100 * i) && c[i].high[0] == (float)(100 * i + 99));
    CHECK(c[43].high[1] == 99 && c[43].low[1] == -1 && c[42].high[1] == -1);
    free(r);
}

TEST(columns_of_nothing) {
    struct vent_ring *r = ring_of(10);
    struct vent_column c[4];
    bool exact;
    CHECK_INT(vent_ring_columns(r, 0, UINT64_MAX, c, 4, &exact), 0);
    fill(r, 0, 10);
    CHECK_INT(vent_ring_columns(r, 5000, 5000, c, 4, &exact), 0);
    CHECK_INT(vent_ring_columns(r, 9000, 1000, c, 4, &exact), 0);
    CHECK_INT(vent_ring_columns(r, 0, UINT64_MAX, c, 4, &exact), 1);
    CHECK(!exact && c[0].low[0] == 0 && c[0].high[0] == 9);
    free(r);
}

/* ---- clock ---- */

TEST(clock_takes_the_jitter_out) {
    struct vent_clock c = {0};
    bool back;
    uint64_t start = UINT64_C(1700000000000000), last = 0;
    for (int i = 0; i < 2000; i++) {
        uint64_t late = (uint64_t)(i * 7919 % 13) * 1000; /* up to 12 ms */
        uint64_t t = vent_clock_time(&c, 50000 + i * 5, start + (uint64_t)i * 5000 + late, &back);
        CHECK(!back && t > last);
        if (i > 100)
            CHECK(t - last >= 4900 && t - last <= 5100);
        last = t;
    }
    CHECK(last >= start + 1999 * 5000 && last < start + 1999 * 5000 + 1000);
    CHECK_INT(c.jumps, 0);
}

TEST(clock_follows_a_device_that_starts_anew) {
    struct vent_clock c = {0};
    bool back;
    vent_clock_time(&c, 900000, 1000000000, &back);
    CHECK_INT(vent_clock_time(&c, 0, 1000500000, &back), 1000500000);
    CHECK_INT(vent_clock_time(&c, 5, 1000505000, &back), 1000505000);
    CHECK_INT(c.jumps, 1);
}

TEST(clock_of_a_device_without_one_is_ours) {
    struct vent_clock c = {0};
    bool back;
    CHECK_INT(vent_clock_time(&c, -1, 5000000, &back), 5000000);
    CHECK_INT(vent_clock_time(&c, -1, 5000000, &back), 5000001);
    CHECK_INT(vent_clock_time(&c, -1, 5200000, &back), 5200000);
    CHECK(!back);
}

TEST(clock_leaves_out_what_comes_out_of_order) {
    struct vent_clock c = {0};
    bool back;
    vent_clock_time(&c, 1000, 1000000000, &back);
    vent_clock_time(&c, 1100, 1000100000, &back);
    CHECK_INT(vent_clock_time(&c, 1040, 1000101000, &back), 0);
    CHECK(vent_clock_time(&c, 1110, 1000110000, &back) > 0);
    CHECK(vent_clock_time(&c, 1110, 1000110100, &back) > 0); /* the same millisecond */
}

TEST(clock_begins_anew_when_ours_is_set_back) {
    struct vent_clock c = {0};
    bool back;
    vent_clock_time(&c, 1000, UINT64_C(2000000000000), &back);
    CHECK_INT(vent_clock_time(&c, 1005, UINT64_C(1000000000000), &back), 1000000000000);
    CHECK(back);
    CHECK(vent_clock_time(&c, 1010, UINT64_C(1000000005000), &back) > 0);
    CHECK(!back);
}

/* ---- breaths ---- */

enum { RATE = 200 };

/* A breath every 4 s: 1 s in at 30 l/min, 0.2 s pause, the rest out; 20 over 5 cmH2O. */
static unsigned breathe(struct vent_breaths *b, double seconds, bool with_volume) {
    static const double ml_in = 500;
    unsigned done = 0;
    for (int i = 0; i < (int)(seconds * RATE); i++) {
        double t = fmod((double)i / RATE, 4), pressure = 5, flow = 0, volume = 0;
        enum vent_phase phase = VENT_EXHALE;
        if (t < 1) {
            phase = VENT_INHALE, flow = 30, volume = ml_in * t, pressure = 5 + 15 * t;
        } else if (t < 1.2) {
            phase = VENT_PAUSE, volume = ml_in, pressure = 17;
        } else if (t < 2.2) {
            flow = -30, volume = ml_in * (2.2 - t);
        }
        done += vent_breaths_feed(b, UINT64_C(1000000) + (uint64_t)i * 1000000 / RATE, pressure,
                                  flow, with_volume ? volume : 0, phase);
    }
    return done;
}

static bool near(double a, double b, double by) {
    return fabs(a - b) <= by;
}

TEST(breath_is_measured) {
    struct vent_breaths b;
    vent_breaths_init(&b);
    CHECK(isnan(vent_breaths_rate(&b)));
    CHECK_INT(breathe(&b, 17, true), 4);
    CHECK(near(b.last.pip, 20, 0.2) && near(b.last.plateau, 17, 0.2) && near(b.last.peep, 5, 0.1));
    CHECK(near(b.last.vti, 500, 3) && near(b.last.vte, 500, 3));
    CHECK(near(b.last.inhale_s, 1.2, 0.01) && near(b.last.exhale_s, 2.8, 0.01));
    CHECK(near(vent_breaths_rate(&b), 15, 0.01));
}

TEST(volume_is_summed_when_the_device_measures_none) {
    struct vent_breaths b;
    vent_breaths_init(&b);
    breathe(&b, 9, false);
    CHECK(near(b.last.vti, 500, 5) && near(b.last.vte, 500, 5));
}

TEST(an_interruption_is_no_breath) {
    struct vent_breaths b;
    vent_breaths_init(&b);
    CHECK_INT(breathe(&b, 6, true), 1);
    vent_breaths_feed(&b, 8000000, 5, 0, 0, VENT_REST);
    CHECK(isnan(vent_breaths_rate(&b)));
    CHECK(!vent_breaths_feed(&b, 8005000, 5, 0, 0, VENT_INHALE));
    CHECK(!vent_breaths_feed(&b, 8010000, 5, 0, 0, VENT_EXHALE));
    CHECK(!vent_breaths_feed(&b, 60000000, 5, 0, 0, VENT_INHALE)); /* samples were missing */
    CHECK(!vent_breaths_feed(&b, 60005000, NAN, INFINITY, 0, VENT_EXHALE));
}

TEST(phases_by_name) {
    CHECK_INT(vent_phase_of("INHALE"), VENT_INHALE);
    CHECK_INT(vent_phase_of("PAUSE"), VENT_PAUSE);
    CHECK_INT(vent_phase_of("EXHALE"), VENT_EXHALE);
    CHECK_INT(vent_phase_of("EXHALE_FILL"), VENT_EXHALE);
    CHECK_INT(vent_phase_of("BUFF_PRE_INHALE"), VENT_EXHALE);
    CHECK_INT(vent_phase_of("STANDBY"), VENT_REST);
    CHECK_INT(vent_phase_of("77"), VENT_REST);
}
