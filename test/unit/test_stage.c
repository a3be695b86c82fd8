#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "log.h"
#include "loop.h"
#include "rundir_test.h"
#include "stage.h"

/* A stage that passes on what it hears. */
static struct stage st;
static struct err e;
static int closed; /* the program has taken down what it had */
static uint64_t heard, stops;

static struct opt_program program = {.name = "relay", .summary = "passes on"};

static void on_msg(void *ctx, const struct msg *m) {
    (void)ctx;
    CHECK(!closed);
    heard++;
    pub_relay(&st.pub, m, NULL);
}

static int options(const char *line) {
    static char words[256];
    static char *argv[20] = {"relay"};
    int argc = 1;
    snprintf(words, sizeof words, "%s", line);
    for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    program.tables[0] = stage_common_options;
    st.on_msg = on_msg;
    return stage_options(&st, &program, argc, argv, NULL);
}

static void open_stage(const char *line) {
    CHECK_INT(options(line), -1);
    if (stage_open(&st, &e) < 0)
        test_fail(__FILE__, __LINE__, "%s", e.text);
    stage_ready(&st);
}

static int run_stage(void) {
    int status = stage_run(&st);
    closed = 1;
    return stage_close(&st, status);
}

/* What happens ms after the start. */
static void at(unsigned ms, uv_timer_cb what) {
    uv_timer_t *t = calloc(1, sizeof *t);
    uv_timer_init(&st.loop, t);
    uv_timer_start(t, what, ms, 0);
}

static void done(uv_timer_t *t) {
    uv_close((uv_handle_t *)t, loop_ticker_freed);
}

static void send_term(uv_timer_t *t) {
    raise(SIGTERM);
    done(t);
}

/* Descriptor `fd` becomes one end of a new pipe; the other end is returned. */
static int pipe_to(int fd) {
    int p[2], end = fd == STDIN_FILENO ? 0 : 1;
    if (fd == STDOUT_FILENO)
        stdout = fdopen(dup(STDOUT_FILENO), "w");
    if (pipe2(p, O_CLOEXEC) < 0)
        abort();
    dup2(p[end], fd);
    close(p[end]);
    return p[!end];
}

static void put_messages(struct buf *b, int n) {
    for (int i = 1; i <= n; i++) {
        msg_put_head(b, "a", 1, 1, (uint64_t)i);
        mp_put_map(b, 0);
    }
}

static void write_messages(int fd, int n) {
    struct buf b = {0};
    put_messages(&b, n);
    CHECK_INT(write(fd, buf_data(&b), buf_len(&b)), buf_len(&b));
    buf_free(&b);
}

/* ---- ends ---- */

/* A reader slower than the time a stage gives its outputs when it must stop. */
static size_t slow_bytes;
static void *read_slowly(void *arg) {
    char block[65536];
    usleep(500000);
    for (ssize_t n; (n = read(*(int *)arg, block, sizeof block)) > 0;)
        slow_bytes += (size_t)n;
    return NULL;
}

TEST(end_of_input_waits_for_a_slow_reader) {
    enum { N = 300000 };
    make_test_dir();
    struct buf b = {0};
    put_messages(&b, N);
    char path[128];
    snprintf(path, sizeof path, "%s/in", test_dir);
    int file = open(path, O_RDWR | O_CREAT, 0600);
    CHECK_INT(write(file, buf_data(&b), buf_len(&b)), buf_len(&b));
    lseek(file, 0, SEEK_SET);
    dup2(file, STDIN_FILENO);
    int out = pipe_to(STDOUT_FILENO);
    pthread_t t;
    pthread_create(&t, NULL, read_slowly, &out);
    open_stage("");
    CHECK_INT(run_stage(), 0);
    close(STDOUT_FILENO);
    pthread_join(t, NULL);
    CHECK_INT(heard, N);
    CHECK(slow_bytes > (1 << 21)); /* more than any pipe holds */
    CHECK_INT(st.pub.dropped, 0);
    CHECK(slow_bytes >= buf_len(&b)); /* our numbers are as long, our times longer or equal */
    buf_free(&b);
}

TEST(signal_does_not_wait_for_a_reader_that_sleeps) {
    make_test_dir();
    int in = pipe_to(STDIN_FILENO), out = pipe_to(STDOUT_FILENO);
    open_stage("");
    fcntl(in, F_SETFL, O_NONBLOCK);
    struct buf b = {0};
    put_messages(&b, 1000);
    /* Until nobody takes anything any more: the output is full and the input is paused. */
    while (!st.pub.blocked) {
        (void)!write(in, buf_data(&b), buf_len(&b));
        uv_run(&st.loop, UV_RUN_NOWAIT);
    }
    CHECK(st.sub.paused);
    at(0, send_term);
    uint64_t start = clock_mono_ns();
    CHECK_INT(run_stage(), 0); /* and nothing is delivered by the close, see on_msg */
    CHECK(clock_mono_ns() - start < 2500000000u);
    buf_free(&b);
    close(in);
    close(out);
}

TEST(closed_input_is_an_empty_one) {
    make_test_dir();
    close(STDIN_FILENO);
    open_stage("-o fifo:x");
    CHECK_INT(run_stage(), 0);
}

TEST(closed_output_is_an_error) {
    make_test_dir();
    int in = pipe_to(STDIN_FILENO);
    stdout = fdopen(dup(STDOUT_FILENO), "w");
    close(STDOUT_FILENO);
    open_stage("-q");
    write_messages(in, 1);
    CHECK_INT(run_stage(), 1);
    close(in);
}

TEST(full_disk_is_an_error_and_a_reader_that_goes_is_none) {
    make_test_dir();
    int in = pipe_to(STDIN_FILENO), out = pipe_to(STDOUT_FILENO);
    close(out);
    open_stage("");
    write_messages(in, 1);
    CHECK_INT(run_stage(), 0);
    dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
    st = (struct stage){0};
    closed = 0;
    open_stage("");
    write_messages(in, 1);
    CHECK_INT(run_stage(), 1);
    close(in);
}

TEST(input_that_cannot_be_read_is_an_error) {
    make_test_dir();
    dup2(open("/", O_RDONLY), STDIN_FILENO);
    open_stage("-o fifo:x");
    CHECK_INT(run_stage(), 1);
}

/* ---- signals ---- */

static void on_stop(void *ctx) {
    (void)ctx;
    stops++;
}

static void finish(uv_timer_t *t) {
    CHECK_INT(stops, 1);
    stage_stopped(&st);
    done(t);
}

TEST(a_program_may_take_its_time_to_stop) {
    make_test_dir();
    st.on_stop = on_stop;
    open_stage("-i fifo:in -o fifo:out");
    at(0, send_term);
    at(60, finish);
    uint64_t start = clock_mono_ns();
    CHECK_INT(run_stage(), 0);
    CHECK(clock_mono_ns() - start < STAGE_STOP_MS * 1000000u);
}

TEST(but_not_for_ever) {
    make_test_dir();
    st.on_stop = on_stop;
    open_stage("-i fifo:in -o fifo:out");
    at(0, send_term);
    CHECK_INT(run_stage(), 0);
    CHECK_INT(stops, 1);
}

TEST(a_second_signal_ends_at_once) {
    make_test_dir();
    st.on_stop = on_stop;
    open_stage("-i fifo:in -o fifo:out");
    at(0, send_term);
    at(20, send_term);
    uint64_t start = clock_mono_ns();
    CHECK_INT(run_stage(), 0);
    CHECK(clock_mono_ns() - start < STAGE_STOP_MS * 1000000u);
}

static int hangups;
static void on_hangup(void *ctx) {
    (void)ctx;
    if (++hangups == 2)
        raise(SIGINT);
    else
        raise(SIGHUP);
}

static void send_hup(uv_timer_t *t) {
    raise(SIGHUP);
    done(t);
}

TEST(hangup_is_the_programs_affair) {
    make_test_dir();
    st.on_hangup = on_hangup;
    open_stage("-i fifo:in -o fifo:out");
    at(0, send_hup);
    CHECK_INT(run_stage(), 0);
    CHECK_INT(hangups, 2);
}

/* ---- failing before the loop ---- */

TEST(failures_before_the_loop_leave_no_sockets) {
    struct stat file;
    char path[128];
    make_test_dir();
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    CHECK_INT(options("-i a/b -o x"), -1);
    CHECK_INT(stage_open(&st, &e), -1);
    CHECK(strstr(e.text, "a name has letters"));
    snprintf(path, sizeof path, "%s/x.rep", test_dir);
    CHECK_INT(stat(path, &file), 0);
    CHECK_INT(stage_fail(&st, &e), 2);
    CHECK(stat(path, &file) < 0);
    snprintf(path, sizeof path, "%s/x.pub", test_dir);
    CHECK(stat(path, &file) < 0);
    struct stage fresh = {0};
    CHECK_INT(stage_fail(&fresh, &(struct err){CAUSE_FAILED, "before anything was open"}), 1);
}

TEST(options_that_all_have) {
    make_test_dir();
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    CHECK_INT(options("operand"), 2);
    CHECK_INT(options("-vv -q -i a -i b --topic p -o c"), -1);
    CHECK_INT(log_level(), LOG_TRACE);
    CHECK_INT(st.inputs.n, 2);
    CHECK_INT(st.outputs.n, 1);
    CHECK_INT(st.topics.n, 1);
    CHECK_INT(st.verbose, 2);
    CHECK_STR(st.name, "relay");
    setenv("TAPLINE_STAGE", "decode", 1);
    CHECK_INT(options(""), -1);
    CHECK_STR(st.name, "decode");
}

/* ---- requests ---- */

static struct rpc_client asker;
static int answers;
static char last_error[300], last_program[64];

static void on_answer(void *ctx, const struct rpc_result *r) {
    struct mp_value v;
    struct mp_cursor c;
    (void)ctx;
    snprintf(last_error, sizeof last_error, "%s", r->error);
    if (r->ok && mp_find(r->body, r->len, "stats", &v, &c))
        mp_get_cstr(c.at, (size_t)(c.end - c.at), "program", last_program, sizeof last_program);
    answers++;
}

static void ask(const char *op) {
    struct buf b = {0};
    int before = answers;
    rpc_request_begin(&b, op, 0);
    rpc_request(&asker, &b, 8000, on_answer, NULL);
    buf_free(&b);
    RUN_UNTIL(&st.loop, answers > before);
}

TEST(every_stage_answers_ping_and_stats) {
    make_test_dir();
    open_stage("-i fifo:in -o x");
    CHECK_INT(rpc_client_open(&asker, &st.loop, "x", &e), 0);
    ask("ping");
    CHECK_STR(last_error, "");
    ask("stats");
    CHECK_STR(last_program, "relay");
    ask("dance");
    CHECK_STR(last_error, "relay does not know the request \"dance\"");
    rpc_client_close(&asker);
    at(0, send_term);
    CHECK_INT(run_stage(), 0);
}

/* ---- reports ---- */

static int supervisor_socket(void) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s/report.sock", test_dir);
    unlink(a.sun_path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK_INT(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* The word under `key` in the next report; NULL when there is none. */
static const char *report(int fd, const char *key) {
    static uint8_t mem[65536];
    static char text[200];
    struct msg m;
    ssize_t n = recv(fd, mem, sizeof mem, 0);
    if (n < 0)
        return NULL;
    CHECK_INT(msg_parse(mem, (size_t)n, &m), n);
    CHECK(msg_is(&m, "sys.decode"));
    struct mp_cursor all = {m.body, m.body + m.body_len};
    CHECK(mp_skip(&all) == 1 && all.at == all.end); /* as many keys as announced */
    return mp_get_cstr(m.body, m.body_len, key, text, sizeof text) ? text : "";
}

TEST(reports_follow_a_supervisor_that_is_replaced) {
    uint64_t number = 5;
    make_test_dir();
    setenv("TAPLINE_STAGE", "decode", 1);
    int old = supervisor_socket();
    CHECK_INT(options("-i fifo:in -o fifo:out"), -1);
    CHECK_INT(stage_open(&st, &e), 0);
    stage_counter(&st, "number", &number);
    CHECK(report(old, "state") == NULL); /* nothing before it is ready */
    stage_ready(&st);
    CHECK_STR(report(old, "state"), "ready");
    stage_cause(&st, CAUSE_UNPLUGGED, "pulled out");
    CHECK_STR(report(old, "cause"), "unplugged");
    stage_cause(&st, CAUSE_UNPLUGGED, "pulled out"); /* no news */
    CHECK(report(old, "cause") == NULL);
    close(old);
    stage_cause(&st, CAUSE_OK, NULL); /* nobody there: harmless */
    int fresh = supervisor_socket();
    stage_cause(&st, CAUSE_FAILED, "x");
    CHECK_STR(report(fresh, "cause_text"), "x");
    const char *state = NULL;
    RUN_UNTIL(&st.loop, (state = state ? state : report(fresh, "state")) != NULL); /* each second */
    CHECK_STR(state, "ready");
    at(0, send_term);
    CHECK_INT(stage_run(&st), 0);
    CHECK_STR(report(fresh, "state"), "stopping");
    CHECK_INT(stage_close(&st, 0), 0);
    CHECK(report(fresh, "state") == NULL); /* the program's counters may be gone by now */
    close(fresh);
}

TEST(a_name_by_hand_becomes_a_topic) {
    static struct sub sub;
    make_test_dir();
    program.name = "dispatch Panel";
    CHECK_INT(options("-i fifo:in -o x"), -1);
    CHECK_INT(stage_open(&st, &e), 0);
    sub_init(&sub, &st.loop);
    sub.on_msg = on_msg;
    CHECK_INT(sub_prefix(&sub, "sys.dispatch--anel", &e), 0);
    CHECK_INT(sub_add(&sub, "x", &e), 0);
    RUN_UNTIL(&st.loop, atomic_load(&st.pub.out[0]->pipes) > 0);
    stage_ready(&st);
    RUN_UNTIL(&st.loop, heard > 0);
    sub_close(&sub);
    at(0, send_term);
    CHECK_INT(run_stage(), 0);
    sub_free(&sub);
}

/* ---- the log ---- */

TEST(lines_of_a_supervised_stage_wait_a_little) {
    char text[200] = "";
    make_test_dir();
    setenv("TAPLINE_STAGE", "decode", 1);
    int log = pipe_to(STDERR_FILENO);
    fcntl(log, F_SETFL, O_NONBLOCK);
    open_stage("-i fifo:in -o fifo:out");
    uint64_t start = clock_mono_ns();
    uv_update_time(&st.loop); /* on a busy machine it is older than start, and timers go by it */
    log_info("one");
    log_info("two");
    CHECK(read(log, text, sizeof text) < 0);
    RUN_UNTIL(&st.loop, text[0] || read(log, text, sizeof text - 1) > 0);
    CHECK(clock_mono_ns() - start >= (STAGE_LOG_MS - 1) * 1000000u); /* in whole ms */
    CHECK_STR(text, "<6>one\n<6>two\n");
    log_info("three");
    at(0, send_term);
    CHECK_INT(run_stage(), 0);
    memset(text, 0, sizeof text);
    CHECK(read(log, text, sizeof text - 1) > 0); /* the end flushes */
    CHECK_STR(text, "<6>three\n");
    close(log);
}

TEST(lines_by_hand_do_not_wait) {
    char text[200] = "";
    make_test_dir();
    int log = pipe_to(STDERR_FILENO);
    open_stage("-i fifo:in -o fifo:out");
    log_info("one");
    CHECK(read(log, text, sizeof text - 1) > 0);
    at(0, send_term);
    CHECK_INT(run_stage(), 0);
    close(log);
}
