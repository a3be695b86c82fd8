#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop.h"
#include "pub.h"
#include "rundir_test.h"
#include "sock.h"
#include "sub.h"
#include "tally.h"

static uv_loop_t loop;
static struct err e;
static struct tally *page;
static int page_fd;

static void begin(void) {
    make_test_dir();
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop);
    page = tally_make(&page_fd);
    CHECK(page != NULL);
}

static void turn(void) {
    for (int i = 0; i < 5; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
}

static void end(void) {
    tally_unmap(page);
    close(page_fd);
    loop_finish(&loop);
    sock_fini();
}

/* ---- one that listens, with a page, through several lives ---- */

static struct sub sub;
static uint64_t heard, last_seq;

static void on_msg(void *ctx, const struct msg *m) {
    (void)ctx;
    heard++;
    last_seq = m->seq;
}

static void born(const char *endpoint, const char *prefix) {
    sub = (struct sub){.on_msg = on_msg, .page = page};
    heard = 0;
    memset(page->in, 0, sizeof page->in); /* as the supervisor does */
    sub_init(&sub, &loop);
    CHECK(!prefix || sub_prefix(&sub, prefix, &e) == 0);
    if (sub_add(&sub, endpoint, &e) < 0)
        test_fail(__FILE__, __LINE__, "%s", e.text);
}

static void dies(void) {
    sub_close(&sub);
    turn();
    sub_free(&sub);
}

static int fifo_fd;

static void put_msg(const char *topic, uint64_t time, uint64_t seq) {
    struct buf b = {0};
    msg_put_head(&b, topic, strlen(topic), time, seq);
    mp_put_map(&b, 0);
    CHECK_INT(write(fifo_fd, buf_data(&b), buf_len(&b)), buf_len(&b));
    buf_free(&b);
}

static void begin_fifo(const char *prefix) {
    char path[128];
    begin();
    born("fifo:x", prefix);
    snprintf(path, sizeof path, "%s/x.fifo", test_dir);
    fifo_fd = open(path, O_RDWR);
    CHECK(fifo_fd >= 0);
}

static void end_fifo(void) {
    dies();
    close(fifo_fd);
    end();
}

/* ---- the memory ---- */

TEST(only_the_first_of_a_stage_takes_the_page) {
    char number[16];
    begin();
    snprintf(number, sizeof number, "%d", dup(page_fd));
    setenv(TALLY_ENV, number, 1);
    struct tally *t = tally_open();
    CHECK(t != NULL);
    CHECK_INT(page->pid, getpid());
    CHECK(fcntl(atoi(number), F_GETFD) < 0); /* nobody inherits it */
    t->in[3].received = 7;
    CHECK_INT(page->in[3].received, 7);
    int again = dup(page_fd);
    snprintf(number, sizeof number, "%d", again);
    setenv(TALLY_ENV, number, 1);
    CHECK(tally_open() == NULL);
    tally_unmap(t);
    end();
}

TEST(a_descriptor_that_is_something_else_is_left_alone) {
    begin();
    char number[16];
    int other[] = {open("/dev/null", O_RDWR), memfd_create("x", MFD_ALLOW_SEALING)};
    CHECK_INT(ftruncate(other[1], sizeof *page), 0);
    for (int i = 0; i < 2; i++) {
        snprintf(number, sizeof number, "%d", other[i]);
        setenv(TALLY_ENV, number, 1);
        CHECK(tally_open() == NULL);
        CHECK(fcntl(other[i], F_GETFD) >= 0);
        close(other[i]);
    }
    setenv(TALLY_ENV, "nonsense", 1);
    CHECK(tally_open() == NULL);
    setenv(TALLY_ENV, "999", 1);
    CHECK(tally_open() == NULL);
    CHECK_INT(ftruncate(page_fd, 0), -1); /* sealed */
    end();
}

TEST(as_many_marks_as_there_is_room_for) {
    begin();
    for (uint64_t k = 0; k < TALLY_MARKS; k++) {
        struct tally_mark *m = tally_find(page, k * 1024 + k / 2);
        CHECK(m != NULL);
        m->seq++;
    }
    CHECK(tally_find(page, 1024) != NULL);
    CHECK(tally_find(page, 12345678901) == NULL);
    CHECK(tally_find(NULL, 1) == NULL);
    end();
}

/* ---- inputs ---- */

TEST(what_comes_is_counted_by_kind) {
    begin_fifo("a.");
    const struct tally_in *c = &page->in[0];
    put_msg("a.x", 1, 1);
    put_msg("a.x", 2, 2);
    put_msg("a.x", 2, 2); /* state, again */
    put_msg("b", 3, 1);   /* not asked for */
    put_msg("b", 3, 1);
    put_msg("b", 4, 4); /* two are missing, which is the wire's affair */
    put_msg("a.x", 5, 6);
    CHECK_INT(write(fifo_fd, "\xc1\xc1", 2), 2);
    put_msg("a.x", 6, 7);
    RUN_UNTIL(&loop, heard == 4);
    CHECK_INT(c->received, 4);
    CHECK_INT(c->skipped, 2);
    CHECK_INT(c->repeats, 2);
    CHECK_INT(c->lost, 5);
    CHECK_INT(sub.lost, 3);
    CHECK_INT(c->crashed, 0);
    CHECK_INT(c->before, 0);
    CHECK_INT(c->bad_bytes, 2);
    CHECK_INT(c->waiting, 0);
    CHECK_INT(c->bytes, sub.bytes);
    CHECK_INT(page->inputs, 1);
    end_fifo();
}

TEST(a_late_joiner_has_lost_nothing) {
    begin_fifo(NULL);
    put_msg("a", 1, 5);
    put_msg("b", 1, 3);
    RUN_UNTIL(&loop, heard == 2);
    CHECK_INT(page->in[0].before, 6);
    CHECK_INT(page->in[0].lost, 0);
    end_fifo();
}

TEST(who_takes_the_place_knows_what_died_with_the_one_before) {
    begin_fifo(NULL);
    for (uint64_t i = 1; i <= 5; i++)
        put_msg("a", i, i);
    put_msg("state", 9, 1);
    RUN_UNTIL(&loop, heard == 6);
    dies();
    born("fifo:x", NULL);
    put_msg("state", 9, 1); /* seen by the one before, and still news to this one */
    put_msg("state", 9, 1);
    put_msg("a", 9, 9); /* 6 to 8 are gone */
    put_msg("a", 10, 10);
    put_msg("c", 10, 3); /* a topic that is new to both */
    RUN_UNTIL(&loop, heard == 4);
    const struct tally_in *c = &page->in[0];
    CHECK_INT(c->received, 3);
    CHECK_INT(c->repeats, 2);
    CHECK_INT(c->lost, 3);
    CHECK_INT(c->crashed, 3);
    CHECK_INT(c->before, 2);
    end_fifo();
}

TEST(a_restarted_publisher_is_why_its_first_messages_are_missed) {
    begin_fifo(NULL);
    put_msg("a", 1, 40);
    put_msg("a", 2, 3); /* 1 and 2 of its new life */
    RUN_UNTIL(&loop, heard == 2);
    CHECK_INT(page->in[0].lost, 2);
    CHECK_INT(page->in[0].crashed, 2);
    dies();
    born("fifo:x", NULL);
    put_msg("a", 3, 2); /* both have died */
    RUN_UNTIL(&loop, heard == 1);
    CHECK_INT(page->in[0].lost, 1);
    CHECK_INT(page->in[0].crashed, 1);
    end_fifo();
}

TEST(what_waits_during_a_pause_is_told) {
    begin_fifo(NULL);
    put_msg("a", 1, 1);
    RUN_UNTIL(&loop, heard == 1);
    sub_pause(&sub, true);
    CHECK_INT(page->in[0].paused, 1);
    sub_pause(&sub, false);
    CHECK_INT(page->in[0].paused, 0);
    end_fifo();
}

/* ---- outputs ---- */

static struct pub pub;

static void tell(const char *topic, size_t bytes) {
    uint8_t *data = mem_alloc(bytes + 1);
    mp_kv_bin(pub_begin(&pub, topic, 0, 1), "data", data, bytes);
    pub_end(&pub);
    free(data);
}

static void pub_open(const char *a, const char *b) {
    pub_init(&pub, &loop);
    pub.page = page;
    pub.supervised = true;
    if (pub_add(&pub, a, &e) < 0 || pub_add(&pub, b, &e) < 0)
        test_fail(__FILE__, __LINE__, "%s", e.text);
}

static void pub_end_all(void) {
    pub_close(&pub, 0);
    turn();
    pub_free(&pub);
    end();
}

TEST(each_output_counts_what_it_was_meant_for) {
    begin();
    pub_open("fifo:x?serial.", "y");
    pub_retain(&pub, "serial.state");
    tell("panel.press", 1);
    tell("serial.tx", 1);
    tell("serial.state", 1);
    pub_repeat(&pub);
    pub_repeat(&pub);
    pub_flush(&pub);
    CHECK_INT(page->outputs, 2);
    CHECK_INT(page->out[0].sent, 2);
    CHECK_INT(page->out[0].repeats, 2);
    CHECK_INT(page->out[1].sent, 3);
    CHECK_INT(page->out[1].repeats, 2);
    CHECK(page->out[0].bytes > 0 && page->out[0].bytes < page->out[1].bytes);
    CHECK_INT(page->out[0].dropped, 0);
    CHECK_INT(page->out[0].queue, 0);
    pub_end_all();
}

TEST(what_does_not_fit_is_sent_and_dropped) {
    begin();
    pub_open("fifo:x", "y");
    for (int i = 0; i < 10; i++)
        tell("big", 8 << 20);
    pub_flush(&pub);
    const struct tally_out *o = &page->out[0];
    CHECK_INT(o->sent, 10);
    CHECK(o->dropped > 0 && o->dropped < 10);
    CHECK_INT(o->dropped, pub.dropped);
    CHECK(o->queue > 0);
    CHECK_INT(page->out[1].dropped, 0);
    pub_end_all();
}
