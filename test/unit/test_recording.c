/* Recordings: what is written is read again, whatever became of the end. */
#include <fcntl.h>
#include <sys/stat.h>

#include "../../cmd/tapline/play_edit.c"
#include "../../cmd/tapline/play_when.c"
#include "../../cmd/tapline/record_ring.c"
#include "../../cmd/tapline/topics.c"
#include "loop.h"
#include "recorder.h"
#include "rundir_test.h"

static const uint64_t T0 = 1700000000000000000u;

static void put_msg(struct buf *b, const char *topic, uint64_t time, uint64_t seq, size_t data) {
    uint8_t *p = mem_alloc(data);
    memset(p, 0x94, data); /* looks like the beginning of messages */
    msg_put_head(b, topic, strlen(topic), time, seq);
    mp_put_map(b, 2);
    mp_kv_uint(b, "id", seq);
    mp_kv_bin(b, "data", p, data);
    free(p);
}

static void write_file(const char *path, const void *p, size_t n) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    CHECK_INT(write(fd, p, n), n);
    close(fd);
}

/* Number of messages; r stays filled in. */
static uint64_t read_file(const char *path, struct recording *r) {
    struct msg m;
    struct err e;
    CHECK_INT(recording_open(r, path, &e), 0);
    while (recording_next(r, &m, &e) == 1)
        CHECK(m.raw_len > 0);
    recording_close(r);
    return r->messages;
}

static const char *file(const char *name) {
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", test_dir, name);
    return path;
}

TEST(start_and_sources_are_read_and_not_handed_out) {
    static const char *const names[] = {"serial", "decode"};
    struct buf b = {0};
    struct recording r;
    struct msg m;
    struct err e;
    make_test_dir();
    recording_put_start(&b, T0, 1, names, 2);
    recording_put_source(&b, T0, 1, "serial");
    put_msg(&b, "serial.rx", T0 + 5, 1, 3);
    recording_put_source(&b, T0, 2, "decode");
    put_msg(&b, "panel.press", T0 + 5, 1, 0);
    put_msg(&b, "panel.press", T0 + 9, 2, 0);
    write_file(file("a"), buf_data(&b), buf_len(&b));
    CHECK_INT(recording_open(&r, file("a"), &e), 0);
    CHECK_INT(recording_next(&r, &m, &e), 1);
    CHECK(msg_is(&m, "serial.rx"));
    CHECK_STR(r.source, "serial");
    CHECK_INT(r.start_ns, T0);
    CHECK_INT(recording_next(&r, &m, &e), 1);
    CHECK_STR(r.source, "decode");
    CHECK_INT(recording_next(&r, &m, &e), 1);
    CHECK_INT(m.seq, 2);
    CHECK_INT(recording_next(&r, &m, &e), 0);
    CHECK_INT(recording_next(&r, &m, &e), 0);
    CHECK_INT(r.source_count, 2);
    CHECK_INT(r.whole_bytes, buf_len(&b));
    recording_close(&r);
    buf_free(&b);
}

TEST(one_endpoint_is_the_source_of_all) {
    static const char *const names[] = {"decode"};
    struct buf b = {0};
    struct recording r;
    make_test_dir();
    recording_put_start(&b, T0, 1, names, 1);
    put_msg(&b, "panel.press", T0, 1, 0);
    write_file(file("a"), buf_data(&b), buf_len(&b));
    CHECK_INT(read_file(file("a"), &r), 1);
    CHECK_STR(r.source, "decode");
    CHECK(r.program[0]);
    buf_free(&b);
}

TEST(cut_at_every_byte_of_its_last_message_it_still_reads) {
    struct buf b = {0};
    struct recording r;
    make_test_dir();
    recording_put_start(&b, T0, 1, NULL, 0);
    for (uint64_t k = 1; k <= 3; k++)
        put_msg(&b, "a.b", T0 + k, k, 40);
    size_t whole = buf_len(&b);
    put_msg(&b, "a.b", T0 + 4, 4, 300);
    for (size_t n = whole; n < buf_len(&b); n++) {
        write_file(file("a"), buf_data(&b), n);
        CHECK_INT(read_file(file("a"), &r), 3);
        CHECK_INT(r.torn_bytes, n - whole);
        CHECK_INT(r.whole_bytes, whole);
        CHECK_INT(r.skipped_bytes, 0);
    }
    write_file(file("a"), buf_data(&b), buf_len(&b));
    CHECK_INT(read_file(file("a"), &r), 4);
    CHECK_INT(r.torn_bytes, 0);
    buf_free(&b);
}

TEST(damage_inside_is_skipped_and_counted) {
    struct buf b = {0};
    struct recording r;
    make_test_dir();
    put_msg(&b, "a.b", T0, 1, 10);
    buf_puts(&b, "garbage");
    put_msg(&b, "a.b", T0, 2, 10);
    write_file(file("a"), buf_data(&b), buf_len(&b));
    CHECK_INT(read_file(file("a"), &r), 2);
    CHECK_INT(r.skipped_bytes, 7);
    write_file(file("a"), "no recording at all, ever", 25);
    CHECK_INT(read_file(file("a"), &r), 0);
    CHECK_INT(r.skipped_bytes, 25);
    write_file(file("a"), "", 0);
    CHECK_INT(read_file(file("a"), &r), 0);
    CHECK(!r.begun);
    buf_free(&b);
}

TEST(messages_larger_than_a_read) {
    struct buf b = {0};
    struct recording r;
    make_test_dir();
    for (uint64_t k = 1; k <= 3; k++)
        put_msg(&b, "a.b", T0, k, 3 << 20);
    write_file(file("a"), buf_data(&b), buf_len(&b) - 1);
    CHECK_INT(read_file(file("a"), &r), 2);
    CHECK_INT(r.torn_bytes, buf_len(&b) / 3 - 1);
    buf_free(&b);
}

TEST(time_never_goes_back_nor_before_the_start) {
    struct buf b = {0};
    struct recording r;
    struct msg m;
    struct err e;
    static const uint64_t times[] = {5, 100, 90, 110}, want[] = {50, 100, 100, 110};
    make_test_dir();
    recording_put_start(&b, T0 + 50, 1, NULL, 0);
    for (uint64_t k = 0; k < 4; k++)
        put_msg(&b, "a.b", T0 + times[k], k + 1, 0);
    write_file(file("a"), buf_data(&b), buf_len(&b));
    recording_open(&r, file("a"), &e);
    for (size_t k = 0; k < 4; k++) {
        CHECK_INT(recording_next(&r, &m, &e), 1);
        CHECK_INT(r.at_ns, T0 + want[k]);
    }
    recording_close(&r);
    buf_free(&b);
}

TEST(what_cannot_be_opened) {
    struct recording r;
    struct err e;
    make_test_dir();
    CHECK_INT(recording_open(&r, file("none"), &e), -1);
    CHECK(strstr(e.text, "No such file"));
    CHECK_INT(recording_open(&r, test_dir, &e), -1);
    CHECK(strstr(e.text, "directory"));
}

/* ---- the recorder ---- */

struct seen {
    unsigned files, full;
    bool done;
    char last[RECORDER_PATH];
};

static void seen_file(void *ctx, const char *path, uint64_t messages, uint64_t bytes) {
    struct seen *s = ctx;
    (void)messages;
    (void)bytes;
    s->files++;
    snprintf(s->last, sizeof s->last, "%s", path);
}

static void seen_done(void *ctx) {
    ((struct seen *)ctx)->done = true;
}

static void seen_full(void *ctx, bool full) {
    ((struct seen *)ctx)->full += full;
}

static struct recorder recorder(uv_loop_t *loop, struct seen *s, const char *path) {
    return (struct recorder){.loop = loop,
                             .path = path,
                             .limit = 1 << 20,
                             .on_file = seen_file,
                             .on_done = seen_done,
                             .on_full = seen_full,
                             .ctx = s};
}

static bool record_one(struct recorder *r, const char *source, uint64_t seq, size_t data) {
    struct buf b = {0};
    struct msg m;
    put_msg(&b, "a.b", T0 + seq * 1000000000u, seq, data);
    CHECK(msg_parse(buf_data(&b), buf_len(&b), &m) > 0);
    bool taken = recorder_add(r, source, &m, m.time);
    buf_free(&b);
    return taken;
}

static void finish(struct recorder *r, struct seen *s) {
    recorder_finish(r);
    RUN_UNTIL(r->loop, s->done);
    recorder_close(r);
    loop_finish(r->loop);
    recorder_free(r);
}

TEST(recorder_writes_what_is_read) {
    uv_loop_t loop;
    struct seen s = {0};
    struct err e;
    struct recording rec;
    make_test_dir();
    uv_loop_init(&loop);
    struct recorder r = recorder(&loop, &s, file("a"));
    CHECK_INT(recorder_open(&r, false, &e), 0);
    for (uint64_t k = 1; k <= 100; k++)
        CHECK(record_one(&r, k % 2 ? "one" : "two", k, 100));
    finish(&r, &s);
    CHECK_INT(r.messages, 100);
    CHECK_INT(r.dropped, 0);
    CHECK_INT(s.files, 1);
    CHECK_INT(read_file(file("a"), &rec), 100);
    CHECK_INT(rec.source_count, 2);
    CHECK_STR(rec.source, "two");
}

TEST(recorder_bounds_its_memory) {
    uv_loop_t loop;
    struct seen s = {0};
    struct err e;
    struct recording rec;
    make_test_dir();
    uv_loop_init(&loop);
    struct recorder r = recorder(&loop, &s, file("a"));
    CHECK_INT(recorder_open(&r, false, &e), 0);
    unsigned taken = 0;
    for (uint64_t k = 1; k <= 100; k++) /* the loop does not run meanwhile */
        taken += record_one(&r, "one", k, 64 << 10);
    CHECK(taken >= 14 && taken <= 16);
    CHECK_INT(r.dropped, 100 - taken);
    CHECK_INT(s.full, 1);
    finish(&r, &s);
    CHECK_INT(read_file(file("a"), &rec), taken);
}

TEST(recorder_splits_by_size_and_time) {
    uv_loop_t loop;
    struct seen s = {0};
    struct err e;
    struct recording rec;
    make_test_dir();
    char path[200];
    snprintf(path, sizeof path, "%s", file("s.tap"));
    write_file(file("s-0002.tap"), "mine", 4); /* somebody's file stays */
    uv_loop_init(&loop);
    struct recorder r = recorder(&loop, &s, path);
    r.split_ns = 3000000000u;
    CHECK_INT(recorder_open(&r, false, &e), 0);
    for (uint64_t k = 1; k <= 7; k++)
        CHECK(record_one(&r, "one", k, 10));
    finish(&r, &s);
    CHECK_INT(s.files, 3);
    CHECK_INT(read_file(file("s-0001.tap"), &rec), 3);
    CHECK_INT(read_file(file("s-0003.tap"), &rec), 3);
    CHECK_INT(read_file(file("s-0004.tap"), &rec), 1);
    CHECK_STR(rec.source, "one");
    CHECK_STR(s.last, file("s-0004.tap"));
    s = (struct seen){0};
    uv_loop_init(&loop);
    r = recorder(&loop, &s, path);
    r.split_bytes = 1000;
    CHECK_INT(recorder_open(&r, false, &e), 0);
    for (uint64_t k = 1; k <= 7; k++)
        CHECK(record_one(&r, "one", k, 300));
    finish(&r, &s);
    CHECK_INT(read_file(file("s-0005.tap"), &rec), 2);
    CHECK_INT(s.files, 4);
    CHECK(rec.whole_bytes < 1000);
}

TEST(recorder_refuses_appends_replaces) {
    uv_loop_t loop;
    struct seen s = {0};
    struct err e;
    struct recording rec;
    struct buf b = {0};
    make_test_dir();
    put_msg(&b, "a.b", T0, 1, 10);
    size_t one = buf_len(&b);
    put_msg(&b, "a.b", T0, 2, 1000);
    write_file(file("a"), buf_data(&b), one + 500); /* torn */
    uv_loop_init(&loop);
    struct recorder r = recorder(&loop, &s, file("a"));
    CHECK_INT(recorder_open(&r, false, &e), -1);
    CHECK_INT(e.cause, CAUSE_BUSY);
    recorder_close(&r);
    loop_finish(&loop);
    uv_loop_init(&loop);
    r = recorder(&loop, &s, file("a"));
    r.exists = RECORDER_APPEND;
    CHECK_INT(recorder_open(&r, false, &e), 0);
    for (uint64_t k = 1; k <= 3; k++)
        record_one(&r, "one", k, 10);
    finish(&r, &s);
    CHECK_INT(read_file(file("a"), &rec), 4);
    CHECK_INT(rec.skipped_bytes + rec.torn_bytes, 0);
    s = (struct seen){0};
    uv_loop_init(&loop);
    r = recorder(&loop, &s, file("a"));
    r.exists = RECORDER_REPLACE;
    CHECK_INT(recorder_open(&r, false, &e), 0);
    record_one(&r, "one", 1, 10);
    finish(&r, &s);
    CHECK_INT(read_file(file("a"), &rec), 1);
    buf_free(&b);
}

TEST(recorder_on_a_full_disk_counts_what_it_drops) {
    uv_loop_t loop;
    struct seen s = {0};
    struct err e;
    make_test_dir();
    uv_loop_init(&loop);
    struct recorder r = recorder(&loop, &s, "/dev/full");
    CHECK_INT(recorder_open(&r, false, &e), 0);
    for (uint64_t k = 1; k <= 3; k++)
        CHECK(record_one(&r, "one", k, 10));
    RUN_UNTIL(&loop, r.failing);
    CHECK_INT(r.dropped, 0); /* it may come back */
    finish(&r, &s);
    CHECK_INT(r.dropped, 3);
    CHECK_INT(r.messages, 0);
}

/* ---- the ring ---- */

static void push(struct ring *r, uint64_t seq, uint64_t at_s, size_t data) {
    struct buf b = {0};
    struct msg m;
    put_msg(&b, "a.b", T0, seq, data);
    msg_parse(buf_data(&b), buf_len(&b), &m);
    CHECK(ring_push(r, 3, &m, at_s * 1000000000u));
    buf_free(&b);
}

TEST(ring_keeps_the_newest_within_time_and_size) {
    struct ring r;
    struct ring_item item;
    struct msg m;
    ring_init(&r, 4096, 30000000000u);
    for (uint64_t k = 1; k <= 100; k++)
        push(&r, k, 100 + k, 5);
    r.wanted = r.tail;
    for (uint64_t k = 70; k <= 100; k++) {
        CHECK(ring_take(&r, &item, &m));
        CHECK_INT(m.seq, k);
        CHECK_INT(item.source, 3);
        CHECK_INT(item.at_ns, (100 + k) * 1000000000u);
    }
    CHECK(!ring_take(&r, &item, &m));
    for (uint64_t k = 1; k <= 1000; k++)
        push(&r, k, 300, 500);
    CHECK(r.tail - r.head <= r.size);
    CHECK_INT(r.count, 7);
    CHECK_INT(r.pushed_out, 0);
    r.wanted = r.tail;
    push(&r, 1001, 300, 500); /* what is being saved must go */
    CHECK_INT(r.pushed_out, 1);
    ring_free(&r);
}

/* ---- topics ---- */

static struct topic *count(struct topics *t, const char *topic, uint64_t seq, uint64_t at_ms) {
    struct buf b = {0};
    struct msg m;
    put_msg(&b, topic, T0 + seq, seq, 4);
    msg_parse(buf_data(&b), buf_len(&b), &m);
    struct topic *row = topics_count(t, "s", &m, T0 + at_ms * 1000000u);
    buf_free(&b);
    return row;
}

TEST(topics_count_gaps_restarts_repetitions) {
    struct topics t = {0};
    count(&t, "b", 7, 0);
    count(&t, "a", 1, 0);
    count(&t, "a", 2, 0);
    count(&t, "a", 5, 0);
    count(&t, "a", 5, 0);
    struct topic *a = count(&t, "a", 2, 0); /* began anew, and 1 did not come */
    CHECK_INT(a->count, 4);
    CHECK_INT(a->lost, 3);
    CHECK_INT(a->gaps, 2);
    CHECK_INT(a->restarts, 1);
    CHECK_INT(a->repeated, 1);
    topics_sort(&t);
    CHECK_STR(t.row[0]->name, "a");
    CHECK(topics_find(&t, "s", "a", 1) == a);
    CHECK(topics_find(&t, "other", "a", 1) != a);
    topics_free(&t);
}

TEST(topics_rates_of_whole_seconds) {
    struct topics t = {0};
    struct topic *a = NULL;
    static const uint64_t ms[] = {0, 1, 2, 999, 1500, 4000, 4100, 5200};
    for (size_t k = 0; k < sizeof ms / sizeof *ms; k++)
        a = count(&t, "a", k + 1, ms[k]);
    CHECK_INT(a->rate.seconds, 5); /* 4, 1, 0, 0, 2, and one that is not over */
    CHECK_INT(a->rate.min, 0);
    CHECK_INT(a->rate.max, 4);
    topics_free(&t);
}

/* ---- playing ---- */

static uint64_t edited(struct play_edit *d, const char *source, const char *topic, uint64_t seq,
                       const char *want) {
    struct buf b = {0};
    struct msg m, out;
    put_msg(&b, topic, T0, seq, 4);
    msg_parse(buf_data(&b), buf_len(&b), &m);
    CHECK(play_edit(d, source, &m, T0 + 99, &out));
    CHECK(msg_is(&out, want));
    CHECK_INT(out.time, T0 + 99);
    CHECK_MEM(out.body, out.body_len, m.body, m.body_len);
    seq = out.seq;
    buf_free(&b);
    return seq;
}

TEST(played_sequence_keeps_holes_and_goes_on) {
    struct play_edit d = {0};
    CHECK_INT(edited(&d, "x", "a", 5, "a"), 5);
    CHECK_INT(edited(&d, "x", "a", 6, "a"), 6);
    CHECK_INT(edited(&d, "x", "a", 9, "a"), 9);   /* 7 and 8 were lost */
    CHECK_INT(edited(&d, "x", "a", 9, "a"), 9);   /* a state again */
    CHECK_INT(edited(&d, "x", "a", 1, "a"), 10);  /* its publisher began anew */
    CHECK_INT(edited(&d, "y", "a", 70, "a"), 11); /* another source of the same topic */
    CHECK_INT(edited(&d, "y", "a", 72, "a"), 13);
    play_edit_restart(&d);
    CHECK_INT(edited(&d, "x", "a", 5, "a"), 14);
    play_edit_free(&d);
}

TEST(renamed_topics) {
    struct play_edit d = {0};
    struct buf b = {0};
    struct msg m, out;
    struct err e;
    CHECK_INT(play_edit_rename(&d, "panel.=old.panel.", &e), 0);
    CHECK_INT(play_edit_rename(&d, "panel", &e), -1);
    CHECK_INT(play_edit_rename(&d, "a=B", &e), -1);
    CHECK_INT(play_edit_rename(&d, "gone.=", &e), 0);
    edited(&d, "x", "panel.press", 1, "old.panel.press");
    edited(&d, "x", "line", 1, "line");
    edited(&d, "x", "gone.x", 1, "x");
    put_msg(&b, "gone.", T0, 1, 0);
    m = (struct msg){.topic = "gone.", .topic_len = 5};
    CHECK(!play_edit(&d, "x", &m, T0, &out));
    buf_free(&b);
    play_edit_free(&d);
}

TEST(when_to_begin) {
    uint64_t at, start = 0;
    struct err e;
    setenv("TZ", "UTC", 1);
    tzset();
    start = 1783849267ull * 1000000000u; /* 2026-07-12 09:41:07 */
    CHECK_INT(play_when("10s", start, &at, &e), 0);
    CHECK_INT(at, 10000000000u);
    CHECK_INT(play_when("09:41:08.5", start, &at, &e), 0);
    CHECK_INT(at, 1500000000u);
    CHECK_INT(play_when("09:42", start, &at, &e), 0);
    CHECK_INT(at, 53000000000u);
    CHECK_INT(play_when("00:00:07", start, &at, &e), 0); /* the next day */
    CHECK_INT(at, (14 * 3600 + 19 * 60) * 1000000000ull);
    CHECK_INT(play_when("2026-07-12T09:41:17", start, &at, &e), 0);
    CHECK_INT(at, 10000000000u);
    CHECK_INT(play_when("2020-01-01T00:00:00", start, &at, &e), 0);
    CHECK_INT(at, 0);
    CHECK_INT(play_when("soon", start, &at, &e), -1);
    CHECK_INT(play_when("09:41:07x", start, &at, &e), -1);
    CHECK_INT(play_when("-5s", start, &at, &e), -1);
}
