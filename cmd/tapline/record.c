/* tapline record: keep messages in a file.
 *
 * In:   messages of the endpoints named, of standard input, or of the whole running pipeline.
 * Out:  a recording (lib/recording.h): a file, several numbered ones, or standard output. With
 *       --before the last while is kept in memory, and saved when SIGUSR1 or the request {op: dump}
 *       asks for it.
 * Ends: at the end of standard input, after --count messages or --for a time, or on SIGTERM, with a
 *       summary; 1 when something could not be written.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "human.h"
#include "log.h"
#include "record.h"
#include "recorder.h"
#include "sources.h"

enum { END_MS = 20000 /* for the disk to take what is in memory */, RING_MAX = 1 << 30 };

static struct record {
    struct stage st;
    struct recorder out;
    struct ring ring;
    bool triggers;         /* --before */
    bool saving;           /* from a trigger until its file is closed */
    bool all_taken;        /* ... what it wanted has been handed to the recorder */
    bool pipes;            /* every input is a pipe, so they can be held up */
    uint64_t until_ns;     /* saving goes on until then (wall clock) */
    struct rpc_call *call; /* waits for the file */
    uv_signal_t usr1;
    uv_timer_t timer;
    const char *endpoint[RECORDING_SOURCES];
    struct recording up; /* a recording that comes in by a pipe: what it says of itself */
    uint64_t received, too_long;
} rec;

static const char *path;
static bool all, append, replace, once;
static int64_t count, duration_ms, split_bytes, split_ms, before_ms, after_ms;
static int64_t ring_bytes = 64 << 20, memory_bytes = 128 << 20;

static const struct opt options[] = {
    {"write", 'w', OPT_TEXT, &path, "FILE", "the recording (- is standard output)", 0, 0},
    {"append", 0, OPT_FLAG, &append, NULL, "go on at the end of a FILE that is there", 0, 0},
    {"replace", 0, OPT_FLAG, &replace, NULL, "write over a FILE that is there", 0, 0},
    {"all", 'a', OPT_FLAG, &all, NULL, "every endpoint of the running pipeline", 0, 0},
    {"count", 'n', OPT_INT, &count, "N", "end after N messages (0: never)", 0, 0},
    {"for", 0, OPT_DURATION, &duration_ms, "TIME", "end after this time (0: never)", 0, 0},
    {"split-size", 0, OPT_SIZE, &split_bytes, "SIZE",
     "another file before one is longer (0: never)", 0, 0},
    {"split-time", 0, OPT_DURATION, &split_ms, "TIME", "another file after this time (0: never)", 0,
     0},
    {"before", 0, OPT_DURATION, &before_ms, "TIME",
     "write nothing but keep this much in memory, and save it when asked (0: record)", 0, 0},
    {"after", 0, OPT_DURATION, &after_ms, "TIME", "with --before: save this much more after that",
     0, 0},
    {"ring", 0, OPT_SIZE, &ring_bytes, "SIZE", "with --before: memory for it", 4096, RING_MAX},
    {"once", 0, OPT_FLAG, &once, NULL, "with --before: end when the first is saved", 0, 0},
    {"memory", 0, OPT_SIZE, &memory_bytes, "SIZE", "may wait for the disk; more is dropped",
     1 << 20, 4LL << 30},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static struct opt_program program = {
    .name = "tapline record",
    .summary = "keep messages in a file",
    .synopsis = "[ENDPOINT]... -w FILE",
    .details =
        "  tapline record decode -w monday.tap\n"
        "  tapline record --split-time 1h -w day.tap     day-0001.tap, day-0002.tap, ...\n"
        "  tapline record --before 30s -w odd.tap -o rec  and then, when it was odd:\n"
        "  tapline req rec dump                           odd-0001.tap\n"
        "  framedecode --format panel < capture.bin | tapline record -w panel.tap\n"
        "Without ENDPOINT and pipe: the whole running pipeline. tapline info and tapline play\n"
        "read what it writes.\n",
    .tables = {options},
};

/* ---- messages ---- */

static void stop_if_enough(void) {
    if (count && rec.received == (uint64_t)count)
        stage_stop(&rec.st, 0);
}

/* Hand what a trigger wants to the recorder, no faster than the disk takes it unless it is the end.
 */
static void save(void) {
    struct ring_item item;
    struct msg m;
    while ((!rec.out.full || rec.st.stopping) && ring_take(&rec.ring, &item, &m))
        recorder_add(&rec.out, rec.endpoint[item.source], &m, item.at_ns);
    if (!rec.saving || rec.all_taken || clock_wall_ns() < rec.until_ns ||
        (rec.ring.count && rec.ring.head < rec.ring.wanted))
        return;
    rec.all_taken = true;
    rec.ring.wanted = rec.ring.head;
    recorder_end_file(&rec.out);
}

static void keep(const struct msg *m, uint64_t now) {
    rec.too_long += !ring_push(&rec.ring, (uint32_t)rec.st.sub.from->index, m, now);
    if (rec.saving && !rec.all_taken) {
        if (now < rec.until_ns)
            rec.ring.wanted = rec.ring.tail;
        save();
    }
}

/* What comes by the one pipe may be a recording: then its sources and times are ours. */
static void copy(const struct msg *m) {
    const char *from = rec.up.source[0] ? rec.up.source : rec.st.sub.from->ep.name;
    if (rec.received == 1) {
        for (size_t i = 0; i < rec.up.source_count; i++)
            rec.endpoint[i] = rec.up.sources[i];
        if (rec.up.source_count)
            rec.out.endpoints = rec.up.source_count;
        recorder_begin(&rec.out, rec.up.start_ns);
    }
    recorder_add(&rec.out, from, m, rec.up.at_ns);
}

static void on_msg(void *ctx, const struct msg *m) {
    (void)ctx;
    if (rec.st.stopping || (rec.pipes && !recording_take(&rec.up, m)))
        return;
    uint64_t now = clock_wall_ns();
    rec.received++;
    if (rec.triggers)
        keep(m, now);
    else if (rec.pipes && rec.st.sub.inputs == 1)
        copy(m);
    else
        recorder_add(&rec.out, rec.st.sub.from->ep.name, m, now);
    stop_if_enough();
}

static void on_full(void *ctx, bool full) {
    (void)ctx;
    if (rec.pipes)
        sub_pause(&rec.st.sub, full);
    if (!full && rec.triggers)
        save();
}

/* ---- triggers ---- */

static const char *trigger(void) {
    if (!rec.triggers)
        return "nothing is kept to be saved (record with --before TIME)";
    if (rec.saving)
        return "the one before is being saved still";
    ring_age(&rec.ring, clock_wall_ns());
    if (!rec.ring.count && !after_ms)
        return "nothing has come in that time";
    rec.saving = true;
    rec.all_taken = false;
    rec.until_ns = clock_wall_ns() + (uint64_t)after_ms * 1000000u;
    rec.ring.wanted = rec.ring.tail;
    save();
    return NULL;
}

static void on_usr1(uv_signal_t *h, int number) {
    (void)h;
    (void)number;
    const char *wrong = trigger();
    if (wrong)
        log_warn("%s", wrong);
}

static void on_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                       size_t n) {
    (void)ctx;
    (void)body;
    (void)n;
    const char *wrong = strcmp(op, "dump") == 0 ? trigger() : "only \"dump\" can be asked for";
    if (wrong)
        rpc_reply_error(call, "%s", wrong);
    else
        rec.call = call;
}

static void answer(const char *file, uint64_t messages, uint64_t bytes) {
    struct buf *b = rpc_reply_begin(rec.call, 3);
    mp_kv_str(b, "file", file);
    mp_kv_uint(b, "messages", messages);
    mp_kv_uint(b, "bytes", bytes);
    rpc_reply_end(rec.call);
    rec.call = NULL;
}

static void on_file(void *ctx, const char *file, uint64_t messages, uint64_t bytes) {
    char size[32];
    (void)ctx;
    if (rec.out.numbered)
        log_info("%s: %llu messages, %sB", file, (unsigned long long)messages,
                 human_bytes(size, sizeof size, bytes));
    if (!rec.saving || !rec.all_taken)
        return;
    rec.saving = false;
    if (rec.call)
        answer(file, messages, bytes);
    if (once)
        stage_stop(&rec.st, 0);
}

static void on_tick(void *ctx) {
    (void)ctx;
    if (rec.saving)
        save();
    else if (rec.triggers)
        ring_age(&rec.ring, clock_wall_ns());
    rec.st.stats.queue = rec.out.waiting + (rec.triggers ? rec.ring.tail - rec.ring.head : 0);
    rec.st.stats.dropped = rec.out.dropped + rec.too_long + rec.ring.pushed_out;
    stage_cause(&rec.st, rec.out.failing ? cause_of_errno(rec.out.error) : CAUSE_OK,
                rec.out.failing ? "the recording cannot be written" : "");
}

/* ---- the end ---- */

static void on_done(void *ctx) {
    (void)ctx;
    if (rec.st.stopping)
        stage_stopped(&rec.st);
}

/* What was asked for is saved; without a question what is in memory is not. */
static void on_stop(void *ctx) {
    (void)ctx;
    rec.until_ns = 0;
    save();
    recorder_finish(&rec.out);
}

static void on_broken(void *ctx) {
    (void)ctx;
    stage_stop(&rec.st, 0);
}

static void on_timer(uv_timer_t *t) {
    (void)t;
    stage_stop(&rec.st, 0);
}

/* A stage has little time to end in, but the disk may need more for what is in memory. */
static void wait_for_disk(void) {
    uint64_t end = clock_mono_ns() + END_MS * 1000000ull;
    alarm(END_MS / 1000 + 5);
    while (!rec.out.finished && !recorder_is_stuck(&rec.out) && clock_mono_ns() < end)
        uv_run(&rec.st.loop, UV_RUN_ONCE);
}

static int summary(int status) {
    char size[32];
    const struct recorder *r = &rec.out;
    uint64_t dropped = r->dropped + rec.too_long + rec.ring.pushed_out, lost = rec.st.sub.lost;
    log_info("recorded %llu messages, %sB, in %s%s", (unsigned long long)r->messages,
             human_bytes(size, sizeof size, r->bytes), r->file[0] ? r->file : "no file",
             r->files > 1 ? " and those before it" : "");
    log_debug("the longest write or sync took %s", human_us(size, sizeof size, r->slowest_us));
    if (lost)
        log_warn("%llu messages were lost before they came here", (unsigned long long)lost);
    if (rec.st.sub.skipped_bytes)
        log_warn("%llu bytes that came in were no messages",
                 (unsigned long long)rec.st.sub.skipped_bytes);
    if (r->broken) /* whoever read it had enough, as of any filter */
        return status;
    if (dropped)
        log_error("%llu messages, %sB, were dropped", (unsigned long long)dropped,
                  human_bytes(size, sizeof size, r->dropped_bytes));
    return dropped ? 1 : status;
}

/* ---- opening ---- */

static void name_endpoints(void) {
    struct sub *s = &rec.st.sub;
    rec.pipes = true;
    for (size_t i = 0; i < s->inputs; i++) {
        rec.endpoint[i] = s->in[i]->ep.name;
        rec.pipes = rec.pipes && s->in[i]->ep.kind != ENDPOINT_NNG;
    }
    rec.out.endpoint = rec.endpoint;
    rec.out.endpoints = s->inputs;
}

static int open_recorder(struct err *e) {
    struct recorder *r = &rec.out;
    name_endpoints();
    r->loop = &rec.st.loop;
    r->path = path;
    r->exists = append ? RECORDER_APPEND : replace ? RECORDER_REPLACE : RECORDER_REFUSE;
    r->split_bytes = (uint64_t)split_bytes;
    r->split_ns = (uint64_t)split_ms * 1000000u;
    r->limit = (size_t)memory_bytes;
    r->on_full = on_full;
    r->on_file = on_file;
    r->on_done = on_done;
    r->on_broken = on_broken;
    if (recorder_open(r, rec.triggers, e) < 0)
        return -1;
    if (!rec.triggers && !(rec.pipes && rec.st.sub.inputs == 1))
        recorder_begin(r, clock_wall_ns());
    return 0;
}

static void open_handles(void) {
    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is a full disk */
    uv_signal_init(&rec.st.loop, &rec.usr1);
    uv_signal_start(&rec.usr1, on_usr1, SIGUSR1);
    uv_timer_init(&rec.st.loop, &rec.timer);
    if (duration_ms)
        uv_timer_start(&rec.timer, on_timer, (uint64_t)duration_ms, 0);
    stage_counter(&rec.st, "recorded", &rec.out.messages);
    stage_counter(&rec.st, "recorded_bytes", &rec.out.bytes);
    stage_counter(&rec.st, "files", &rec.out.files);
    stage_counter(&rec.st, "slowest_write_us", &rec.out.slowest_us);
    if (rec.triggers)
        ring_init(&rec.ring, (size_t)ring_bytes, (uint64_t)before_ms * 1000000u);
}

static int check_options(char **argv, int n, struct err *e) {
    if (!path)
        return err_set(e, CAUSE_USAGE, "where to? (-w FILE, as in tapline record decode -w x.tap)");
    if (append && replace)
        return err_set(e, CAUSE_USAGE, "--append and --replace: one of them");
    rec.triggers = before_ms > 0;
    if (!rec.triggers && (once || after_ms))
        return err_set(e, CAUSE_USAGE, "--once and --after go with --before TIME");
    if (strcmp(path, "-") == 0 && isatty(STDOUT_FILENO))
        return err_set(e, CAUSE_USAGE, "-w -: a recording is not for a terminal (tapline tap is)");
    return sources_choose(&rec.st, argv, n, all, e);
}

static int close_all(int status) {
    wait_for_disk();
    recorder_close(&rec.out);
    if (rec.call)
        rpc_reply_error(rec.call, "the recorder has ended before it was saved");
    status = summary(status);
    uv_close((uv_handle_t *)&rec.usr1, NULL);
    uv_close((uv_handle_t *)&rec.timer, NULL);
    status = stage_close(&rec.st, status);
    recorder_free(&rec.out);
    ring_free(&rec.ring);
    return status;
}

int record_main(int argc, char **argv) {
    struct err e = {0};
    int operands;
    rec.st.on_msg = on_msg;
    rec.st.on_request = on_request;
    rec.st.on_tick = on_tick;
    rec.st.on_stop = on_stop;
    rec.st.no_stdout = true;
    program.tables[1] = stage_common_options;
    int status = stage_options(&rec.st, &program, argc, argv, &operands);
    if (status >= 0)
        return status;
    if (check_options(argv, operands, &e) < 0 || stage_open(&rec.st, &e) < 0 ||
        open_recorder(&e) < 0)
        return stage_fail(&rec.st, &e);
    open_handles();
    stage_ready(&rec.st);
    status = stage_run(&rec.st);
    return close_all(status);
}
