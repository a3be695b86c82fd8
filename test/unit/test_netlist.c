#include "netlist.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "test.h"

static bool in(const char *nets, const char *address) {
    struct netlist l = {.n = 0};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct err e;
    if (netlist_add(&l, nets, "--from", &e) < 0)
        test_fail(__FILE__, __LINE__, "%s", e.text);
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
        return netlist_has(&l, (void *)&v4);
    CHECK(inet_pton(AF_INET6, address, &v6.sin6_addr) == 1);
    return netlist_has(&l, (void *)&v6);
}

static bool wrong(const char *nets) {
    struct netlist l = {.n = 0};
    struct err e = {.cause = CAUSE_OK};
    return netlist_add(&l, nets, "--from", &e) < 0 && e.cause == CAUSE_USAGE &&
           strncmp(e.text, "--from: ", 8) == 0;
}

TEST(networks_and_addresses) {
    CHECK(in("10.0.0.0/8", "10.255.1.2"));
    CHECK(!in("10.0.0.0/8", "11.0.0.1"));
    CHECK(in("192.168.1.128/25", "192.168.1.200"));
    CHECK(!in("192.168.1.128/25", "192.168.1.100"));
    CHECK(in("192.168.1.5", "192.168.1.5"));
    CHECK(!in("192.168.1.5", "192.168.1.4"));
    CHECK(in("1.2.3.4, 5.6.7.8 , 9.9.9.9", "5.6.7.8"));
    CHECK(in("fd00::/8", "fd12::1"));
    CHECK(!in("fd00::/8", "fe80::1"));
    CHECK(in("::1", "::1"));
    CHECK(!in("", "127.0.0.1"));
}

TEST(an_ipv4_address_inside_ipv6_is_that_address) {
    CHECK(in("10.0.0.0/8", "::ffff:10.1.1.1"));
    CHECK(!in("10.0.0.0/8", "::ffff:11.1.1.1"));
    CHECK(!in("10.0.0.0/8", "::10.1.1.1"));
}

TEST(words) {
    CHECK(in("loopback", "127.3.4.5"));
    CHECK(in("loopback", "::1"));
    CHECK(!in("loopback", "10.0.0.1"));
    CHECK(in("private", "172.31.0.1"));
    CHECK(!in("private", "172.32.0.1"));
    CHECK(in("private", "127.0.0.1"));
    CHECK(in("private", "fe80::1"));
    CHECK(!in("private", "8.8.8.8"));
    CHECK(!in("private", "2001:db8::1"));
    CHECK(in("any", "8.8.8.8"));
    CHECK(in("any", "2001:db8::1"));
}

TEST(what_is_no_network) {
    CHECK(wrong("10.0.0.0/33"));
    CHECK(wrong("10.0.0.0/"));
    CHECK(wrong("10.0.0.0/x"));
    CHECK(wrong("10.0.0"));
    CHECK(wrong("::/129"));
    CHECK(wrong("host.example"));
    CHECK(wrong("1.2.3.4,nobody"));
    CHECK(wrong("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                "aaaaaaa"));
}

TEST(a_peer_without_an_address_is_in_no_network) {
    struct netlist l = {.n = 0};
    struct sockaddr a = {.sa_family = AF_UNIX};
    CHECK_INT(netlist_add(&l, "any", "--from", NULL), 0);
    CHECK(!netlist_has(&l, &a));
}
