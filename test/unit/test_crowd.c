#include "crowd.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "tries.h"

static uint64_t address(unsigned i) {
    char text[32];
    snprintf(text, sizeof text, "10.0.%u.%u:1", i / 256, i % 256);
    return tries_who_text(text);
}

TEST(each_address_has_its_share) {
    struct crowd c = {0};
    crowd_open(&c, NULL, 16, 0);
    CHECK_INT(crowd_each(&c), 4);
    for (int i = 0; i < 4; i++)
        CHECK_INT(crowd_enter(&c, address(1)), CROWD_ROOM);
    CHECK_INT(crowd_enter(&c, address(1)), CROWD_TOO_MANY);
    CHECK_INT(crowd_enter(&c, tries_who_text("[::ffff:10.0.0.1]:9")), CROWD_TOO_MANY);
    CHECK_INT(crowd_enter(&c, address(2)), CROWD_ROOM);
    crowd_leave(&c, address(1));
    CHECK_INT(crowd_enter(&c, address(1)), CROWD_ROOM);
    CHECK_INT(crowd_of(&c, address(1)), 4);
    crowd_close(&c);
}

TEST(this_machine_has_all_of_it_unless_a_number_is_given) {
    static const char *const here[] = {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "unknown",
                                       "[::ffff:127.0.0.1]:1"};
    struct crowd c = {0};
    crowd_open(&c, NULL, 10, 0);
    for (int i = 0; i < 10; i++)
        CHECK_INT(crowd_enter(&c, tries_who_text(here[i % 5])), CROWD_ROOM);
    CHECK_INT(crowd_enter(&c, tries_who_text(here[0])), CROWD_FULL);
    CHECK_INT(crowd_enter(&c, address(1)), CROWD_FULL);
    crowd_leave(&c, tries_who_text(here[0]));
    CHECK_INT(crowd_enter(&c, address(1)), CROWD_ROOM);
    crowd_close(&c);
    crowd_open(&c, NULL, 10, 2);
    for (int i = 0; i < 2; i++)
        CHECK_INT(crowd_enter(&c, tries_who_text("127.0.0.1:5")), CROWD_ROOM);
    CHECK_INT(crowd_enter(&c, tries_who_text("127.0.0.1:5")), CROWD_TOO_MANY);
    CHECK_INT(crowd_enter(&c, tries_who_text("127.0.0.2:5")), CROWD_ROOM);
    crowd_close(&c);
}

/* 65536 connections of one household are one address. */
TEST(of_ipv6_the_first_half_counts) {
    struct crowd c = {0};
    crowd_open(&c, NULL, 100, 1);
    CHECK_INT(crowd_enter(&c, tries_who_text("[2001:db8:1:2::1]:5")), CROWD_ROOM);
    CHECK_INT(crowd_enter(&c, tries_who_text("[2001:db8:1:2:ffff::9]:5")), CROWD_TOO_MANY);
    CHECK_INT(crowd_enter(&c, tries_who_text("[2001:db8:1:3::1]:5")), CROWD_ROOM);
    crowd_close(&c);
}

/* Whatever the order, a full table holds what a plain array of counts does. */
TEST(a_full_table_keeps_its_counts) {
    enum { ALL = 300, WHO = 90 };
    struct crowd c = {0};
    unsigned has[WHO] = {0}, n = 0;
    srand(1);
    crowd_open(&c, NULL, ALL, 7);
    for (int i = 0; i < 200000; i++) {
        unsigned w = (unsigned)rand() % WHO;
        if (has[w] && rand() % 2) {
            crowd_leave(&c, address(w));
            has[w]--;
            n--;
            continue;
        }
        int want = n == ALL ? CROWD_FULL : has[w] == 7 ? CROWD_TOO_MANY : CROWD_ROOM;
        CHECK_INT(crowd_enter(&c, address(w)), want);
        has[w] += want == CROWD_ROOM;
        n += want == CROWD_ROOM;
    }
    for (unsigned w = 0; w < WHO; w++)
        CHECK_INT(crowd_of(&c, address(w)), has[w]);
    crowd_close(&c);
}

/* The file is ours alone, but a wrong byte in it must not end or hang us. */
TEST(nonsense_in_the_file_does_no_harm) {
    char dir[] = "/tmp/tl-crowd.XXXXXX", path[64];
    struct crowd c = {0};
    CHECK(mkdtemp(dir) && setenv("TAPLINE_RUN", dir, 1) == 0);
    crowd_open(&c, "x", 64, 8);
    for (unsigned i = 0; i < 40; i++)
        crowd_enter(&c, address(i));
    memset(c.head, 0, sizeof *c.head);
    CHECK_INT(crowd_enter(&c, address(99)), CROWD_ROOM);
    memset(c.head, 0xff, c.size);
    CHECK_INT(crowd_look("x", address(1)), CROWD_ROOM);
    for (unsigned i = 0; i < 23; i++)
        CHECK_INT(crowd_enter(&c, address(200 + i)), CROWD_ROOM);
    CHECK_INT(crowd_enter(&c, address(300)), CROWD_FULL);
    for (unsigned i = 0; i < 64; i++)
        crowd_leave(&c, address(i));
    CHECK_INT(crowd_enter(&c, address(300)), CROWD_ROOM);
    snprintf(path, sizeof path, "%s/x.state", dir);
    crowd_close(&c);
    CHECK(unlink(path) == 0 && rmdir(dir) == 0);
}

TEST(another_process_sees_whether_there_is_room) {
    char dir[] = "/tmp/tl-crowd.XXXXXX", path[64];
    struct crowd c = {0};
    CHECK(mkdtemp(dir) && setenv("TAPLINE_RUN", dir, 1) == 0);
    CHECK_INT(crowd_look("ws.crowd", address(1)), CROWD_ROOM);
    crowd_open(&c, "ws.crowd", 40, 0);
    for (unsigned i = 0; i < 30; i++)
        CHECK_INT(crowd_enter(&c, address(i % 3)), CROWD_ROOM);
    pid_t pid = fork();
    if (pid == 0)
        _exit(crowd_look("ws.crowd", address(1)) == CROWD_TOO_MANY &&
                      crowd_look("ws.crowd", address(7)) == CROWD_ROOM &&
                      crowd_look("ws.crowd", tries_who_text("127.0.0.1")) == CROWD_ROOM
                  ? 0
                  : 1);
    int status = -1;
    waitpid(pid, &status, 0);
    CHECK_INT(status, 0);
    for (unsigned i = 0; i < 10; i++)
        CHECK_INT(crowd_enter(&c, address(100 + i)), CROWD_ROOM);
    CHECK_INT(crowd_look("ws.crowd", tries_who_text("127.0.0.1")), CROWD_FULL);
    snprintf(path, sizeof path, "%s/ws.crowd.state", dir);
    CHECK(truncate(path, 60) == 0);
    CHECK_INT(crowd_look("ws.crowd", address(7)), CROWD_FULL); /* its head says so */
    CHECK(truncate(path, 10) == 0);
    CHECK_INT(crowd_look("ws.crowd", address(7)), CROWD_ROOM);
    CHECK(unlink(path) == 0 && rmdir(dir) == 0);
}
