#include "../../cmd/httpd/metrics.c"

#include <stdlib.h>

#include "test.h"

static struct buf out;

static const char *text(const struct buf *status) {
    buf_clear(&out);
    metrics_put(&out, buf_data(status), buf_len(status));
    buf_putc(&out, 0);
    return (char *)buf_data(&out);
}

static bool has(const char *all, const char *line) {
    char want[400];
    snprintf(want, sizeof want, "\n%s\n", line);
    return strstr(all, want) != NULL;
}

static void put_buckets(struct buf *b, const uint64_t (*pair)[2], uint32_t n) {
    mp_put_str(b, "latency_buckets_us");
    mp_put_array(b, n);
    for (uint32_t i = 0; i < n; i++) {
        mp_put_array(b, 2);
        mp_put_uint(b, pair[i][0]);
        mp_put_uint(b, pair[i][1]);
    }
}

/* One stage with a report. */
static void put_stage(struct buf *b, const char *name, const uint64_t (*pair)[2], uint32_t n) {
    mp_put_map(b, 5);
    mp_kv_str(b, "name", name);
    mp_kv_str(b, "state", "backing off");
    mp_kv_uint(b, "restarts", 3);
    mp_kv_uint(b, "uptime_ms", 1005);
    mp_put_str(b, "report");
    mp_put_map(b, 7);
    mp_kv_uint(b, "in", 12345678901234u);
    mp_kv_uint(b, "cpu_us", 1000007);
    mp_kv_uint(b, "last_message", 1700000000123456789u);
    mp_kv_uint(b, "latency_count", n ? pair[n - 1][1] : 0);
    mp_kv_uint(b, "latency_sum_us", 2000001);
    put_buckets(b, pair, n);
    mp_put_str(b, "counters");
    mp_put_map(b, 1);
    mp_kv_uint(b, "presses", 5);
}

static struct buf one_stage(const char *name, const uint64_t (*pair)[2], uint32_t n) {
    struct buf b = {0};
    mp_put_map(&b, 1);
    mp_put_str(&b, "stages");
    mp_put_array(&b, 1);
    put_stage(&b, name, pair, n);
    return b;
}

TEST(numbers_in_base_units) {
    struct buf b = one_stage("a", NULL, 0);
    const char *t = text(&b);
    CHECK(has(t, "tapline_stage_messages_in_total{stage=\"a\"} 12345678901234"));
    CHECK(has(t, "tapline_stage_cpu_seconds_total{stage=\"a\"} 1.000007"));
    CHECK(has(t, "tapline_stage_uptime_seconds{stage=\"a\"} 1.005"));
    CHECK(has(t, "tapline_stage_last_message_timestamp_seconds{stage=\"a\"} 1700000000.123456789"));
    CHECK(has(t, "tapline_stage_state{stage=\"a\",state=\"backing off\"} 1"));
    CHECK(has(t, "tapline_stage_state{stage=\"a\",state=\"ready\"} 0"));
    CHECK(has(t, "tapline_stage_up{stage=\"a\"} 0"));
    CHECK(has(t, "tapline_stage_restarts_total{stage=\"a\"} 3"));
    CHECK(has(t, "tapline_stage_own_total{stage=\"a\",counter=\"presses\"} 5"));
    buf_free(&b);
}

TEST(buckets_are_exact_at_their_edges_and_monotone) {
    static const uint64_t pair[][2] = {{3, 1}, {31, 2}, {39, 5}, {63, 6}, {1023, 7}, {20971519, 9}};
    struct buf b = one_stage("a", pair, 6);
    const char *t = text(&b);
    CHECK(has(t, "tapline_stage_latency_seconds_bucket{stage=\"a\",le=\"3.2e-05\"} 2"));
    CHECK(has(t, "tapline_stage_latency_seconds_bucket{stage=\"a\",le=\"6.4e-05\"} 6"));
    CHECK(has(t, "tapline_stage_latency_seconds_bucket{stage=\"a\",le=\"0.000512\"} 6"));
    CHECK(has(t, "tapline_stage_latency_seconds_bucket{stage=\"a\",le=\"0.001024\"} 7"));
    CHECK(has(t, "tapline_stage_latency_seconds_bucket{stage=\"a\",le=\"1.048576\"} 7"));
    CHECK(has(t, "tapline_stage_latency_seconds_bucket{stage=\"a\",le=\"16.777216\"} 7"));
    CHECK(has(t, "tapline_stage_latency_seconds_bucket{stage=\"a\",le=\"+Inf\"} 9"));
    CHECK(has(t, "tapline_stage_latency_seconds_count{stage=\"a\"} 9"));
    CHECK(has(t, "tapline_stage_latency_seconds_sum{stage=\"a\"} 2.000001"));
    buf_free(&b);
}

TEST(buckets_that_go_back_do_not_make_a_histogram_that_does) {
    static const uint64_t pair[][2] = {{31, 9}, {63, 4}, {127, 100}, {255, 5}};
    struct buf b = one_stage("a", pair, 4);
    uint64_t before = 0;
    unsigned found = 0;
    for (const char *t = text(&b); (t = strstr(t, "_bucket{")); t++, found++) {
        uint64_t n = strtoull(strstr(t, "} ") + 2, NULL, 10);
        CHECK(n >= before && n <= 5);
        before = n;
    }
    CHECK_INT(found, LE_LAST - LE_FIRST + 2);
    buf_free(&b);
}

TEST(labels_are_escaped) {
    struct buf b = one_stage("a\"b\\c\nd\xff", NULL, 0);
    CHECK(has(text(&b), "tapline_stage_up{stage=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\"} 0"));
    buf_free(&b);
}

TEST(a_wire_is_told_once) {
    struct buf b = {0};
    mp_put_map(&b, 1);
    mp_put_str(&b, "wires");
    mp_put_array(&b, 3);
    for (int i = 0; i < 3; i++) {
        mp_put_map(&b, 5);
        mp_kv_str(&b, "from", "a");
        mp_kv_str(&b, "to", "b");
        mp_kv_str(&b, "via", i == 2 ? "pipe" : "fifo:tx");
        mp_kv_uint(&b, "sent", (uint64_t)i);
        mp_kv_nil(&b, "lost");
    }
    const char *t = text(&b);
    CHECK(has(t, "tapline_wire_sent_total{from=\"a\",to=\"b\",via=\"fifo:tx\"} 0"));
    CHECK(has(t, "tapline_wire_sent_total{from=\"a\",to=\"b\",via=\"pipe\"} 2"));
    CHECK(!has(t, "tapline_wire_sent_total{from=\"a\",to=\"b\",via=\"fifo:tx\"} 1"));
    CHECK(!strstr(t, "tapline_wire_lost_total{"));
    buf_free(&b);
}

TEST(a_family_is_described_once) {
    struct buf b = one_stage("a", NULL, 0);
    const char *t = text(&b), *first = strstr(t, "# TYPE tapline_stage_up ");
    CHECK(first && !strstr(first + 1, "# TYPE tapline_stage_up "));
    buf_free(&b);
}

TEST(anything_may_be_missing_or_odd) {
    static const uint64_t pair[][2] = {{31, 9}, {63, 10}};
    struct buf b = one_stage("a", pair, 2);
    for (size_t i = 0; i <= buf_len(&b); i++) {
        buf_clear(&out);
        metrics_put(&out, buf_data(&b), i);
    }
    for (size_t i = 0; i < buf_len(&b); i++)
        for (int v = 0; v < 256; v += 5) {
            uint8_t was = buf_data(&b)[i];
            buf_data(&b)[i] = (uint8_t)v;
            buf_clear(&out);
            metrics_put(&out, buf_data(&b), buf_len(&b));
            buf_data(&b)[i] = was;
        }
    buf_free(&b);
}
