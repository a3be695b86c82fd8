#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "rundir.h"

enum { RECENT_SECONDS = 10, FIXED_KEYS = 26 };

void stage_counter(struct stage *st, const char *name, const uint64_t *value) {
    if (st->counter_count < STAGE_COUNTERS)
        st->counters[st->counter_count++] = (struct stage_counter){name, value};
}

void stage_counters(struct stage *st, const struct stage_counter *all, size_t n) {
    for (size_t i = 0; i < n; i++)
        stage_counter(st, all[i].name, all[i].value);
}

/* Two histograms take turns, so that the figures shown cover the last 10 to 20 seconds. */
static void turn_recent(struct stage_stats *s, uint64_t now) {
    if (now - s->recent_since_ns < RECENT_SECONDS * 1000000000ull)
        return;
    s->recent[1] = s->recent[0];
    s->recent[0] = (struct hist){0};
    s->recent_since_ns = now;
}

void stage_latency(struct stage *st, uint64_t time_ns) {
    uint64_t now = clock_wall_ns();
    st->stats.last_message_ns = now;
    uint64_t took = now > time_ns ? now - time_ns : 0;
    hist_add(&st->stats.latency, took);
    hist_add(&st->stats.recent[0], took);
}

void stage_cause(struct stage *st, enum cause c, const char *text) {
    char now[sizeof st->cause_text];
    snprintf(now, sizeof now, "%s", text ? text : "");
    if (st->cause == c && strcmp(st->cause_text, now) == 0)
        return;
    st->cause = c;
    memcpy(st->cause_text, now, sizeof now);
    if (st->ready)
        report_send(st);
}

static uint64_t memory_bytes(void) {
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f)
        return 0;
    if (fscanf(f, "%*u %lu", &pages) != 1)
        pages = 0;
    fclose(f);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t cpu_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* Cumulative counts by upper edge in us, only where they change: [[edge, count], ...]. */
static void put_buckets(struct buf *b, const struct hist *h) {
    uint32_t used = 0;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        used += h->bucket[i] != 0;
    mp_put_str(b, "latency_buckets_us");
    mp_put_array(b, used);
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        if (!h->bucket[i])
            continue;
        seen += h->bucket[i];
        mp_put_array(b, 2);
        mp_put_uint(b, hist_edge(i));
        mp_put_uint(b, seen);
    }
}

static void put_latency(struct stage *st, struct buf *b) {
    struct stage_stats *s = &st->stats;
    struct hist recent = s->recent[0];
    hist_merge(&recent, &s->recent[1]);
    mp_kv_uint(b, "latency_p50_us", hist_quantile(&recent, 0.5));
    mp_kv_uint(b, "latency_p99_us", hist_quantile(&recent, 0.99));
    mp_kv_uint(b, "latency_max_us", recent.max_us);
    mp_kv_uint(b, "latency_count", s->latency.count);
    mp_kv_uint(b, "latency_sum_us", s->latency.sum_us);
    put_buckets(b, &s->latency);
}

static void put_counters(struct stage *st, struct buf *b) {
    mp_put_str(b, "counters");
    mp_put_map(b, (uint32_t)st->counter_count);
    for (size_t i = 0; i < st->counter_count; i++)
        mp_kv_uint(b, st->counters[i].name, *st->counters[i].value);
}

/* As given on the command line. */
static void put_name(struct buf *b, const struct endpoint *ep) {
    char text[sizeof ep->name + sizeof ep->prefix + 2];
    snprintf(text, sizeof text, "%s%s%s", ep->name, ep->prefix[0] ? "?" : "", ep->prefix);
    mp_kv_str(b, "name", text);
}

static void put_input(struct buf *b, const struct sub_input *in) {
    const struct tally_in *c = in->count;
    mp_put_map(b, 8);
    put_name(b, &in->ep);
    mp_kv_uint(b, "received", c->received);
    mp_kv_uint(b, "bytes", c->bytes);
    mp_kv_uint(b, "lost", c->lost);
    mp_kv_uint(b, "crashed", c->crashed);
    mp_kv_uint(b, "skipped", c->skipped);
    mp_kv_uint(b, "repeats", c->repeats);
    mp_kv_uint(b, "bad_bytes", c->bad_bytes);
}

/* Who reads a pipe does not subscribe: of that nothing is known. */
static void put_subscribers(struct buf *b, const struct pub_output *o) {
    if (o->ep.kind == ENDPOINT_NNG)
        mp_kv_uint(b, "subscribers", (unsigned)atomic_load(&((struct pub_output *)o)->pipes));
    else
        mp_kv_nil(b, "subscribers");
}

static void put_output(struct buf *b, const struct pub_output *o) {
    const struct tally_out *c = o->count;
    mp_put_map(b, 7);
    put_name(b, &o->ep);
    mp_kv_uint(b, "sent", c->sent);
    mp_kv_uint(b, "bytes", c->bytes);
    mp_kv_uint(b, "dropped", c->dropped);
    mp_kv_uint(b, "repeats", c->repeats);
    mp_kv_uint(b, "queue_bytes", buf_len(&o->stream.queue));
    put_subscribers(b, o);
}

static void put_wires(struct stage *st, struct buf *b) {
    mp_put_str(b, "inputs");
    mp_put_array(b, (uint32_t)st->sub.inputs);
    for (size_t i = 0; i < st->sub.inputs; i++)
        put_input(b, st->sub.in[i]);
    mp_put_str(b, "outputs");
    mp_put_array(b, (uint32_t)st->pub.outputs);
    for (size_t i = 0; i < st->pub.outputs; i++)
        put_output(b, st->pub.out[i]);
}

void stage_stats_body(struct stage *st, struct buf *b) {
    const struct stage_stats *s = &st->stats;
    mp_put_map(b, FIXED_KEYS);
    mp_kv_str(b, "program", st->program->name);
    mp_kv_uint(b, "pid", (uint64_t)getpid());
    mp_kv_str(b, "state", st->stopping ? "stopping" : st->ready ? "ready" : "starting");
    mp_kv_str(b, "cause", cause_name(st->cause));
    mp_kv_str(b, "cause_text", st->cause_text);
    mp_kv_uint(b, "uptime_ms", (clock_mono_ns() - s->started_ns) / 1000000u);
    mp_kv_uint(b, "in", st->sub.received);
    mp_kv_uint(b, "in_bytes", st->sub.bytes);
    mp_kv_uint(b, "out", st->pub.sent);
    mp_kv_uint(b, "out_bytes", st->pub.bytes);
    mp_kv_uint(b, "lost", st->sub.lost);
    mp_kv_uint(b, "dropped", s->dropped + st->pub.dropped);
    mp_kv_uint(b, "bad", s->bad + st->sub.skipped_bytes);
    mp_kv_uint(b, "queue", s->queue + pub_queued(&st->pub));
    mp_kv_uint(b, "last_message", s->last_message_ns);
    put_latency(st, b);
    put_wires(st, b);
    mp_kv_uint(b, "cpu_us", cpu_us());
    mp_kv_uint(b, "memory_bytes", memory_bytes());
    put_counters(st, b);
}

void report_open(struct stage *st) {
    static struct log_limit absent;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct err e;
    st->report_fd = -1;
    if (!log_supervised() || rundir_file(to.sun_path, sizeof to.sun_path, "report", "sock", &e) < 0)
        return;
    st->report_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (st->report_fd >= 0 && connect(st->report_fd, (struct sockaddr *)&to, sizeof to) < 0)
        log_limited(&absent, LOG_DEBUG, "no supervisor at %s: %s", to.sun_path, strerror(errno));
}

/* The supervisor may have been replaced: its socket is then another one under the same name. */
static void send_datagram(struct stage *st) {
    for (int i = 0; i < 2; i++) {
        ssize_t r = send(st->report_fd, buf_data(&st->report), buf_len(&st->report),
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        bool gone = errno == ECONNREFUSED || errno == ENOTCONN || errno == ECONNRESET ||
                    errno == EPIPE || errno == EBADF;
        if (r >= 0 || !gone || i == 1)
            return;
        if (st->report_fd >= 0)
            close(st->report_fd);
        report_open(st);
    }
}

/* "sys." and our name with what a topic may not hold replaced ("dispatch panel" run by hand). */
static size_t report_topic(const struct stage *st, char *topic, size_t size) {
    snprintf(topic, size, "sys.%s", st->name);
    for (char *c = topic; *c; c++)
        if ((*c < 'a' || *c > 'z') && (*c < '0' || *c > '9') && !strchr("._-", *c))
            *c = '-';
    return strlen(topic);
}

void report_send(struct stage *st) {
    char topic[MSG_TOPIC_MAX];
    size_t n = report_topic(st, topic, sizeof topic);
    turn_recent(&st->stats, clock_mono_ns());
    if (!log_supervised() && st->rpc.listeners == 0)
        return;
    buf_clear(&st->report);
    msg_put_head(&st->report, topic, n, clock_wall_ns(), ++st->report_seq);
    stage_stats_body(st, &st->report);
    struct msg m;
    if (log_supervised())
        send_datagram(st);
    else if (msg_parse(buf_data(&st->report), buf_len(&st->report), &m) > 0)
        pub_raw_nng(&st->pub, &m);
}

void report_close(struct stage *st) {
    if (st->report_fd >= 0)
        close(st->report_fd);
    st->report_fd = -1;
    buf_free(&st->report);
}
