#include "tries.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "test.h"

static const uint64_t S = 1000000000;

TEST(some_at_once_then_one_every_two_seconds) {
    struct tries t = {0};
    uint64_t now = 100 * S, who = tries_who_text("192.168.1.5:1");
    for (int i = 0; i < TRIES_AT_ONCE; i++) {
        CHECK(tries_left(&t, who, now));
        tries_wrong(&t, who, now);
    }
    CHECK(!tries_left(&t, who, now));
    CHECK(!tries_left(&t, who, now + 2 * S - 1));
    CHECK(tries_left(&t, who, now + 2 * S));
    tries_wrong(&t, who, now + 2 * S);
    CHECK(!tries_left(&t, who, now + 3 * S));
    CHECK(tries_left(&t, tries_who_text("192.168.1.6:1"), now));
    CHECK(tries_left(&t, who, now + 60 * S));
}

TEST(the_port_does_not_count_and_text_is_the_same_as_an_address) {
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    inet_pton(AF_INET, "10.1.2.3", &v4.sin_addr);
    CHECK(tries_who((void *)&v4) == tries_who_text("10.1.2.3:5000"));
    CHECK(tries_who((void *)&v4) == tries_who_text("10.1.2.3:5001"));
    inet_pton(AF_INET6, "::ffff:10.1.2.3", &v6.sin6_addr);
    CHECK(tries_who((void *)&v6) == tries_who((void *)&v4));
    inet_pton(AF_INET6, "2001:db8:1:2::9", &v6.sin6_addr);
    CHECK(tries_who((void *)&v6) == tries_who_text("[2001:db8:1:2:ffff::1]:80"));
    CHECK(tries_who((void *)&v6) != tries_who_text("[2001:db8:1:3::9]:80"));
    CHECK(tries_who((void *)&v6) == tries_who_text("2001:db8:1:2:ffff::1"));
    CHECK(tries_who_text("2001:db8:1:3::9") == tries_who_text("[2001:db8:1:3::9]:80"));
    CHECK(tries_who_text("fe80:0:0:1::9%eth0") == tries_who_text("[fe80:0:0:1::9%eth1]:80"));
    CHECK(tries_who_text("fe80:0:0:1::9") != tries_who_text("::1"));
    CHECK(tries_who_text("10.1.2.4") == tries_who_text("10.1.2.4:80"));
    CHECK(tries_who_text("10.1.2.4:1") != tries_who_text("10.1.2.3:1"));
    CHECK(tries_who_text("") != 0);
    CHECK(tries_who_text("unknown") != 0);
}

/* A place is taken from whoever has been right longest, so the newest wrong ones stay limited. */
TEST(this_machine_is_nobody_else) {
    static const char *const here[] = {"127.0.0.1:1", "127.255.0.9", "[::1]:1", "::ffff:127.0.0.1",
                                       "unknown"};
    static const char *const there[] = {"126.0.0.1",       "128.0.0.1:1",     "192.168.1.20",
                                        "[fe80::1]:80",    "2001:67f:100::1", "2001:db7f:100::1",
                                        "fd7f:17f:100::1", "7f00:1::1"};
    for (size_t i = 0; i < sizeof here / sizeof *here; i++)
        CHECK(tries_who_is_here(tries_who_text(here[i])));
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        CHECK(!tries_who_is_here(tries_who_text(there[i])));
}

TEST(ten_thousand_strangers_do_not_free_the_newest) {
    struct tries t = {0};
    uint64_t now = 100 * S, who = tries_who_text("192.168.1.5:1");
    for (int i = 0; i < 50; i++)
        tries_wrong(&t, who, now);
    for (uint32_t i = 0; i < 10000; i++)
        tries_wrong(&t, UINT64_C(1) << 32 | i, now);
    CHECK(!tries_left(&t, who, now));
}
