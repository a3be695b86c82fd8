#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "err.h"
#include "log.h"
#include "test.h"

static int pipe_out = -1;
static char said[256 << 10];

/* Standard error into a pipe, as under a supervisor. */
static void capture(bool supervised) {
    int p[2];
    if (pipe(p) < 0)
        abort();
    dup2(p[1], STDERR_FILENO);
    close(p[1]);
    pipe_out = p[0];
    fcntl(pipe_out, F_SETFL, O_NONBLOCK);
    if (supervised)
        setenv("TAPLINE_STAGE", "stage", 1);
    else
        unsetenv("TAPLINE_STAGE");
}

/* What has been written since the last call. */
static const char *lines(void) {
    ssize_t n = read(pipe_out, said, sizeof said - 1);
    said[n < 0 ? 0 : n] = 0;
    return said;
}

static int armed;
static void arm(void) {
    armed++;
}

TEST(by_hand_a_line_has_time_and_program) {
    capture(false);
    log_init("prog", LOG_INFO);
    log_info("hello %d", 1);
    lines();
    CHECK_INT(strlen(said), strlen("09:41:07.123 prog: hello 1\n"));
    CHECK_STR(said + 12, " prog: hello 1\n");
    CHECK(said[2] == ':' && said[8] == '.');
}

TEST(supervised_a_line_has_the_level) {
    capture(true);
    log_init("prog", LOG_DEBUG);
    log_error("a");
    log_warn("b");
    log_info("c");
    log_debug("d");
    log_trace("e");
    CHECK_STR(lines(), "<3>a\n<4>b\n<6>c\n<7>d\n");
}

TEST(an_empty_stage_name_is_none) {
    capture(true);
    setenv("TAPLINE_STAGE", "", 1);
    CHECK(!log_supervised());
    log_init("prog", LOG_INFO);
    log_info("x");
    CHECK(strstr(lines(), " prog: x\n"));
}

TEST(a_message_is_one_line_whatever_it_holds) {
    capture(true);
    log_init("prog", LOG_INFO);
    log_info("a\nb\r\033[31mc\x7f%s", "");
    CHECK_STR(lines(), "<6>a b  [31mc \n");
    static char big[10000];
    memset(big, 'x', sizeof big - 1);
    log_info("%s", big);
    size_t n = strlen(lines());
    CHECK(n > 1500 && n <= 2048 && said[n - 1] == '\n' && !strchr(said, 0)[0]);
    char name[400];
    memset(name, 'n', sizeof name);
    name[399] = 0;
    unsetenv("TAPLINE_STAGE");
    log_init(name, LOG_INFO);
    log_info("%s", big);
    CHECK(strlen(lines()) <= 2048);
}

TEST(repeated_faults_are_counted) {
    static struct log_limit l;
    capture(true);
    log_init("prog", LOG_WARN);
    for (int i = 0; i < 1000; i++)
        log_limited(&l, LOG_WARN, "fault %d", i);
    CHECK_STR(lines(), "<4>fault 0\n");
    l.last_ns -= 2000000000u; /* two seconds later */
    log_limited(&l, LOG_WARN, "fault");
    CHECK_STR(lines(), "<4>fault (and 999 more like it)\n");
    static struct log_limit quiet;
    log_limited(&quiet, LOG_INFO, "not shown");
    CHECK_STR(lines(), "");
}

TEST(deferred_lines_wait_for_the_flush) {
    capture(true);
    log_init("prog", LOG_DEBUG);
    log_defer(arm);
    log_info("1");
    log_debug("2");
    CHECK_STR(lines(), "");
    CHECK_INT(armed, 1); /* once for all of them */
    log_flush();
    CHECK_STR(lines(), "<6>1\n<7>2\n");
    log_flush();
    CHECK_STR(lines(), "");
    log_info("3");
    CHECK_INT(armed, 2);
}

TEST(a_warning_takes_the_lines_before_it_along) {
    capture(true);
    log_init("prog", LOG_INFO);
    log_defer(arm);
    log_info("first");
    log_warn("second");
    CHECK_STR(lines(), "<6>first\n<4>second\n");
    log_warn("third");
    CHECK_STR(lines(), "<4>third\n");
    log_info("fourth");
    log_error("fifth");
    CHECK_STR(lines(), "<6>fourth\n<3>fifth\n");
}

TEST(a_full_store_flushes_and_keeps_the_order) {
    capture(true);
    log_init("prog", LOG_INFO);
    log_defer(arm);
    for (int i = 0; i < 500; i++)
        log_info("line %03d %0100d", i, 0);
    CHECK(strlen(lines()) > 40000);
    char *copy = strdup(said);
    log_defer(NULL); /* the rest; then at once again */
    lines();
    char *all = malloc(strlen(copy) + strlen(said) + 1);
    strcat(strcpy(all, copy), said);
    int i = 0;
    for (char *line = strtok(all, "\n"); line; line = strtok(NULL, "\n"), i++) {
        char want[32];
        snprintf(want, sizeof want, "<6>line %03d ", i);
        CHECK(strncmp(line, want, strlen(want)) == 0);
    }
    CHECK_INT(i, 500);
    log_info("now");
    CHECK_STR(lines(), "<6>now\n");
    free(copy);
    free(all);
}

TEST(a_log_that_nobody_reads_does_not_block) {
    capture(true);
    log_init("prog", LOG_INFO);
    for (int i = 0; i < 5000; i++)
        log_info("line %d %0100d", i, 0);
    size_t shown = 0;
    lines();
    for (char *c = said; *c; c++)
        shown += *c == '\n';
    CHECK(shown > 100 && shown < 5000);
    log_info("again");
    char want[100];
    snprintf(want, sizeof want, "<4>%zu log lines were lost: the log was not read\n<6>again\n",
             5000 - shown);
    CHECK_STR(lines(), want);
}

static const char *quote(const char *s, size_t n, size_t size) {
    static char out[64];
    memset(out, '#', sizeof out);
    CHECK(log_quote(out, size, s, n) == out);
    CHECK(strlen(out) < size);
    for (size_t i = size; i < sizeof out; i++)
        CHECK(out[i] == '#');
    return out;
}

TEST(outside_text_is_quoted) {
    CHECK_STR(quote("abc", 3, 32), "abc");
    CHECK_STR(quote("", 0, 32), "");
    CHECK_STR(quote("a\nb\0c\x1b", 6, 32), "a\\x0ab\\x00c\\x1b");
    CHECK_STR(quote("\xc3\xa4\xe2\x82\xac", 5, 32), "\xc3\xa4\xe2\x82\xac");
    CHECK_STR(quote("\xc3", 1, 32), "\\xc3");
    CHECK_STR(quote("\xc2\x9b"
                    "1m",
                    4, 32),
              "\\xc2\\x9b1m"); /* CSI in one byte */
    CHECK_STR(quote("\xff\xfe", 2, 32), "\\xff\\xfe");
}

TEST(quoting_is_cut_within_the_size) {
    char long_text[100];
    memset(long_text, 0xff, sizeof long_text);
    for (size_t size = 16; size < 64; size++) {
        const char *q = quote(long_text, sizeof long_text, size);
        CHECK(strcmp(q + strlen(q) - 3, "...") == 0);
    }
    memset(long_text, 'a', sizeof long_text);
    CHECK_STR(quote(long_text, sizeof long_text, 16), "aaaaaaaaa...");
}

TEST(an_error_may_be_wrapped_in_itself) {
    struct err e;
    err_set(&e, CAUSE_FAILED, "inner");
    CHECK_INT(err_set(&e, CAUSE_USAGE, "outer: %s", e.text), -1);
    CHECK_STR(e.text, "outer: inner");
    CHECK_INT(err_set(NULL, CAUSE_USAGE, "x"), -1);
    static char big[1000];
    memset(big, 'x', sizeof big - 1);
    err_errno(&e, 2, "cannot open %s", big);
    CHECK(strstr(e.text, ": No such file or directory")); /* the reason survives */
    CHECK_INT(e.cause, CAUSE_ABSENT);
    CHECK_STR(cause_name(CAUSE_UNPLUGGED), "unplugged");
    CHECK_STR(cause_name((enum cause)99), "failed");
}
