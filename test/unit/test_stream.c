#include <fcntl.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "loop.h"
#include "rundir_test.h"
#include "stream.h"

static uv_loop_t loop;
static struct err e;

/* ---- a reader that notes what comes ---- */

struct reader {
    struct instream in;
    struct buf got;
    int calls, ends;
    enum cause cause;
    int pause_after; /* pauses itself in that call */
};

static void on_bytes(void *ctx, uint64_t time_ns) {
    struct reader *r = ctx;
    CHECK(time_ns > 1600000000000000000u);
    buf_put(&r->got, buf_data(&r->in.buf), buf_len(&r->in.buf));
    buf_consume(&r->in.buf, buf_len(&r->in.buf));
    if (++r->calls == r->pause_after)
        instream_pause(&r->in, true);
}

static void on_end(void *ctx, const struct err *err) {
    struct reader *r = ctx;
    r->ends++;
    r->cause = err->cause;
}

static void open_reader(struct reader *r, int fd, bool own_copy) {
    r->in.fd = -1;
    r->in.on_bytes = on_bytes;
    r->in.on_end = on_end;
    r->in.ctx = r;
    CHECK_INT(instream_open(&r->in, &loop, fd, own_copy, &e), 0);
}

static void close_reader(struct reader *r) {
    instream_close(&r->in);
    instream_close(&r->in); /* twice is harmless */
    loop_finish(&loop);
    buf_free(&r->got);
}

static void make_pipe(int p[2]) {
    if (pipe2(p, O_CLOEXEC) < 0)
        abort();
}

TEST(pipe_is_read_to_its_end) {
    struct reader r = {0};
    int p[2];
    uv_loop_init(&loop);
    make_pipe(p);
    open_reader(&r, p[0], false);
    CHECK_INT(write(p[1], "hello", 5), 5);
    RUN_UNTIL(&loop, buf_len(&r.got) == 5);
    CHECK_INT(r.ends, 0);
    close(p[1]);
    RUN_UNTIL(&loop, r.ends);
    CHECK_INT(r.cause, CAUSE_OK);
    close_reader(&r);
    CHECK_INT(fcntl(p[0], F_GETFD), -1); /* taken over, closed */
}

TEST(shared_descriptor_stays_blocking) {
    struct reader r = {0};
    int p[2];
    uv_loop_init(&loop);
    make_pipe(p);
    open_reader(&r, p[0], true);
    CHECK(r.in.fd != p[0]);
    CHECK_INT(fcntl(p[0], F_GETFL) & O_NONBLOCK, 0);
    struct outstream out = {.fd = -1};
    CHECK_INT(outstream_open(&out, &loop, p[1], true, &e), 0);
    CHECK_INT(fcntl(p[1], F_GETFL) & O_NONBLOCK, 0);
    outstream_close(&out, 0);
    close_reader(&r);
    CHECK(fcntl(p[0], F_GETFD) >= 0);
    close(p[0]);
    close(p[1]);
}

TEST(end_while_paused_is_seen_afterwards) {
    struct reader r = {0};
    int p[2];
    uv_loop_init(&loop);
    make_pipe(p);
    open_reader(&r, p[0], false);
    instream_pause(&r.in, true);
    CHECK_INT(write(p[1], "abc", 3), 3);
    close(p[1]);
    run_for(&loop, 20);
    CHECK_INT(r.calls + r.ends, 0);
    instream_pause(&r.in, false);
    RUN_UNTIL(&loop, r.ends);
    CHECK_MEM(buf_data(&r.got), buf_len(&r.got), "abc", 3);
    instream_pause(&r.in, true); /* after the end nothing starts again */
    instream_pause(&r.in, false);
    run_for(&loop, 10);
    CHECK_INT(r.ends, 1);
    close_reader(&r);
}

TEST(pause_from_within_and_close_while_paused) {
    struct reader r = {.pause_after = 1};
    int p[2];
    uv_loop_init(&loop);
    make_pipe(p);
    open_reader(&r, p[0], false);
    CHECK_INT(write(p[1], "abc", 3), 3);
    RUN_UNTIL(&loop, r.calls == 1);
    CHECK_INT(write(p[1], "def", 3), 3);
    run_for(&loop, 20);
    CHECK_INT(r.calls, 1);
    instream_close(&r.in);
    instream_pause(&r.in, false); /* too late, and harmless */
    close_reader(&r);
    CHECK_INT(r.calls, 1);
    close(p[1]);
}

static char path[128];

static const char *file_of(size_t n) {
    snprintf(path, sizeof path, "%s/file", make_test_dir());
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    static char block[1000];
    for (size_t i = 0; i < n; i += sizeof block)
        CHECK_INT(write(fd, block, sizeof block), sizeof block);
    close(fd);
    return path;
}

TEST(regular_file_is_read_in_pieces_and_can_pause) {
    struct reader r = {.pause_after = 1};
    uv_loop_init(&loop);
    open_reader(&r, open(file_of(1000000), O_RDONLY), true);
    RUN_UNTIL(&loop, r.calls == 1);
    run_for(&loop, 10);
    CHECK_INT(r.calls, 1);
    CHECK(buf_len(&r.got) < 1000000);
    instream_pause(&r.in, false);
    RUN_UNTIL(&loop, r.ends);
    CHECK_INT(buf_len(&r.got), 1000000);
    close_reader(&r);
}

TEST(null_device_ends_at_once_and_swallows) {
    struct reader r = {0};
    struct outstream out = {.fd = -1};
    uv_loop_init(&loop);
    open_reader(&r, open("/dev/null", O_RDONLY), true);
    RUN_UNTIL(&loop, r.ends);
    CHECK_INT(r.cause, CAUSE_OK);
    CHECK_INT(outstream_open(&out, &loop, open("/dev/null", O_WRONLY), true, &e), 0);
    buf_puts(&out.queue, "x");
    outstream_flush(&out);
    CHECK_INT(buf_len(&out.queue), 0);
    CHECK_INT(outstream_close(&out, 0), 0);
    close_reader(&r);
}

TEST(directory_is_an_error_at_the_end) {
    struct reader r = {0};
    uv_loop_init(&loop);
    open_reader(&r, open("/", O_RDONLY), true);
    RUN_UNTIL(&loop, r.ends);
    CHECK(r.cause != CAUSE_OK);
    close_reader(&r);
}

TEST(closed_descriptor_cannot_be_opened) {
    struct instream in = {.fd = -1};
    struct outstream out = {.fd = -1};
    uv_loop_init(&loop);
    CHECK_INT(instream_open(&in, &loop, 99, true, &e), -1);
    CHECK(strstr(e.text, "descriptor 99: Bad file descriptor"));
    CHECK_INT(outstream_open(&out, &loop, 99, true, &e), -1);
    instream_close(&in); /* half-built */
    CHECK_INT(outstream_close(&out, 0), 0);
    loop_finish(&loop);
}

TEST(terminal_that_hangs_up_ends) {
    struct reader r = {0};
    uv_loop_init(&loop);
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    open_reader(&r, slave, true);
    CHECK(r.in.fd != slave);
    CHECK_INT(fcntl(slave, F_GETFL) & O_NONBLOCK, 0); /* the shell's terminal stays as it was */
    CHECK_INT(write(master, "line\n", 5), 5);
    RUN_UNTIL(&loop, buf_len(&r.got) == 5);
    close(master);
    RUN_UNTIL(&loop, r.ends);
    close_reader(&r);
    close(slave);
}

/* ---- a writer with a reader that takes its time ---- */

struct writer {
    struct outstream out;
    int blocks, unblocks, broken, error;
};

static void on_blocked(void *ctx, bool blocked) {
    struct writer *w = ctx;
    *(blocked ? &w->blocks : &w->unblocks) += 1;
}

static void on_broken(void *ctx, int error) {
    struct writer *w = ctx;
    CHECK_INT(w->unblocks, 0); /* the end is told before the relief */
    w->broken++;
    w->error = error;
}

static void open_writer(struct writer *w, int fd) {
    w->out.fd = -1;
    w->out.limit = 100000;
    w->out.on_blocked = on_blocked;
    w->out.on_broken = on_broken;
    w->out.ctx = w;
    CHECK_INT(outstream_open(&w->out, &loop, fd, false, &e), 0);
}

static void fill(struct writer *w, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++)
        buf_put(&w->out.queue, &i, sizeof i);
    outstream_flush(&w->out);
}

/* Numbers in their order, without a hole. */
static void check_numbers(const struct buf *b, uint32_t n) {
    CHECK_INT(buf_len(b), n * sizeof n);
    for (uint32_t i = 0; i < n; i++)
        CHECK(memcmp(buf_data(b) + i * sizeof i, &i, sizeof i) == 0);
}

TEST(full_pipe_blocks_and_loses_nothing) {
    struct writer w = {0};
    struct reader r = {0};
    enum { N = 1000000 };
    int p[2];
    uv_loop_init(&loop);
    make_pipe(p);
    open_writer(&w, p[1]);
    open_reader(&r, p[0], false);
    instream_pause(&r.in, true);
    fill(&w, 0, N / 2);
    CHECK_INT(w.blocks, 1);
    fill(&w, N / 2, N);
    run_for(&loop, 10);
    CHECK_INT(w.blocks, 1);
    CHECK_INT(w.unblocks, 0);
    instream_pause(&r.in, false);
    RUN_UNTIL(&loop, buf_len(&r.got) == N * sizeof(uint32_t));
    check_numbers(&r.got, N);
    CHECK_INT(w.unblocks, 1);
    CHECK(!w.out.polling);
    CHECK_INT(outstream_close(&w.out, 0), 0);
    close_reader(&r);
}

TEST(reader_that_goes_while_blocked_breaks_the_stream) {
    struct writer w = {0};
    int p[2];
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop);
    make_pipe(p);
    open_writer(&w, p[1]);
    fill(&w, 0, 1000000);
    CHECK_INT(w.blocks, 1);
    close(p[0]);
    RUN_UNTIL(&loop, w.broken);
    CHECK_INT(w.error, EPIPE);
    CHECK_INT(w.unblocks, 1); /* symmetric: nobody waits for it for ever */
    CHECK_INT(buf_len(&w.out.queue), 0);
    outstream_write(&w.out, "x", 1);
    CHECK_INT(buf_len(&w.out.queue), 0);
    CHECK_INT(outstream_close(&w.out, 10), 0);
    CHECK_INT(w.broken, 1);
    loop_finish(&loop);
}

TEST(full_disk_breaks_the_stream) {
    struct writer w = {0};
    uv_loop_init(&loop);
    open_writer(&w, open("/dev/full", O_WRONLY));
    fill(&w, 0, 10);
    CHECK_INT(w.broken, 1);
    CHECK_INT(w.error, ENOSPC);
    outstream_close(&w.out, 0);
    loop_finish(&loop);
}

TEST(close_waits_a_bounded_time_and_tells_what_is_lost) {
    struct writer w = {0};
    int p[2];
    uv_loop_init(&loop);
    make_pipe(p);
    open_writer(&w, p[1]);
    fill(&w, 0, 1000000);
    uint64_t start = clock_mono_ns();
    size_t left = outstream_close(&w.out, 50);
    CHECK(left > 1000000);
    uint64_t took = clock_mono_ns() - start;
    CHECK(took >= 50000000u && took < 3000000000u);
    CHECK_INT(w.unblocks + w.broken, 0); /* no callbacks from a close */
    CHECK_INT(outstream_close(&w.out, 50), 0);
    loop_finish(&loop);
    close(p[0]);
}

TEST(write_copies_only_what_does_not_fit) {
    struct writer w = {0};
    struct reader r = {0};
    static uint8_t block[3 << 20];
    int p[2];
    uv_loop_init(&loop);
    make_pipe(p);
    open_writer(&w, p[1]);
    outstream_write(&w.out, "abc", 3);
    CHECK_INT(buf_len(&w.out.queue), 0);
    outstream_write(&w.out, block, sizeof block);
    CHECK(buf_len(&w.out.queue) > 0);
    outstream_write(&w.out, "xyz", 3);
    open_reader(&r, p[0], false);
    RUN_UNTIL(&loop, buf_len(&r.got) == sizeof block + 6);
    CHECK_MEM(buf_data(&r.got) + sizeof block + 3, 3, "xyz", 3);
    outstream_close(&w.out, 0);
    close_reader(&r);
}

TEST(sockets_work_both_ways) {
    struct writer w = {0};
    struct reader r = {0};
    int s[2];
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
    open_writer(&w, s[1]);
    open_reader(&r, s[0], true);
    fill(&w, 0, 500000);
    RUN_UNTIL(&loop, buf_len(&r.got) == 500000 * sizeof(uint32_t));
    check_numbers(&r.got, 500000);
    outstream_close(&w.out, 0);
    RUN_UNTIL(&loop, r.ends);
    close_reader(&r);
}

/* ---- named pipes ---- */

TEST(named_pipe_outlives_either_side) {
    struct writer w = {0};
    struct reader r = {0}, again = {0};
    uv_loop_init(&loop);
    snprintf(path, sizeof path, "%s/x.fifo", make_test_dir());
    open_writer(&w, fifo_open(path, &e));
    fill(&w, 0, 10); /* nobody reads yet */
    open_reader(&r, fifo_open(path, &e), false);
    RUN_UNTIL(&loop, buf_len(&r.got) == 40);
    instream_close(&r.in);
    fill(&w, 10, 20); /* the reader is away */
    open_reader(&again, fifo_open(path, &e), false);
    RUN_UNTIL(&loop, buf_len(&again.got) == 40);
    outstream_close(&w.out, 0);
    run_for(&loop, 20);
    CHECK_INT(again.ends, 0); /* the writer is away: no end */
    struct writer next = {0};
    open_writer(&next, fifo_open(path, &e));
    fill(&next, 0, 1);
    RUN_UNTIL(&loop, buf_len(&again.got) == 44);
    outstream_close(&next.out, 0);
    buf_free(&r.got);
    close_reader(&again);
}

TEST(named_pipe_on_standard_input_ends_with_its_writer) {
    struct reader r = {0};
    uv_loop_init(&loop);
    snprintf(path, sizeof path, "%s/x", make_test_dir());
    CHECK_INT(mkfifo(path, 0600), 0);
    int in = open(path, O_RDONLY | O_NONBLOCK), out = open(path, O_WRONLY);
    fcntl(in, F_SETFL, 0);
    CHECK_INT(write(out, "abc", 3), 3);
    close(out); /* before the stage has even begun */
    open_reader(&r, in, true);
    RUN_UNTIL(&loop, r.ends);
    CHECK_INT(buf_len(&r.got), 3);
    close_reader(&r);
}

TEST(named_pipe_that_is_none) {
    CHECK_INT(fifo_open(file_of(1000), &e), -1);
    CHECK(strstr(e.text, "is no named pipe (remove it)"));
    CHECK_INT(fifo_open("/nonexistent/x.fifo", &e), -1);
    CHECK_INT(e.cause, CAUSE_ABSENT);
}
