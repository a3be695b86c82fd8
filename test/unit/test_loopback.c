#include "../../cmd/httpd/loopback.c"

#include "test.h"

static bool v4(const char *text) {
    struct sockaddr_in a = {.sin_family = AF_INET};
    CHECK(inet_pton(AF_INET, text, &a.sin_addr) == 1);
    return address_is_loopback((void *)&a);
}

static bool v6(const char *text) {
    struct sockaddr_in6 a = {.sin6_family = AF_INET6};
    CHECK(inet_pton(AF_INET6, text, &a.sin6_addr) == 1);
    return address_is_loopback((void *)&a);
}

TEST(addresses) {
    CHECK(v4("127.0.0.1"));
    CHECK(v4("127.255.3.4"));
    CHECK(!v4("128.0.0.1"));
    CHECK(!v4("192.168.1.5"));
    CHECK(!v4("0.0.0.0"));
    CHECK(v6("::1"));
    CHECK(v6("::ffff:127.0.0.1"));
    CHECK(!v6("::ffff:192.168.1.5"));
    CHECK(!v6("::"));
    CHECK(!v6("fe80::1"));
    CHECK(!v6("7f00::1"));
}

TEST(no_address_of_a_socket_without_network) {
    struct sockaddr a = {.sa_family = AF_UNIX};
    CHECK(!address_is_loopback(&a));
}

TEST(hosts) {
    CHECK(host_is_loopback("localhost"));
    CHECK(host_is_loopback("LocalHost:8080"));
    CHECK(host_is_loopback("127.0.0.1:8080"));
    CHECK(host_is_loopback("127.1.2.3"));
    CHECK(host_is_loopback("[::1]:8080"));
    CHECK(host_is_loopback("[::1]"));
    CHECK(!host_is_loopback(""));
    CHECK(!host_is_loopback("panel.local:8080"));
    CHECK(!host_is_loopback("localhost.example.com"));
    CHECK(!host_is_loopback("127.0.0.1.example.com"));
    CHECK(!host_is_loopback("192.168.1.5:8080"));
    CHECK(!host_is_loopback("[fe80::1]:8080"));
    CHECK(!host_is_loopback("["));
    CHECK(
        !host_is_loopback("127.0.0.1000000000000000000000000000000000000000000000000000000000000"));
}
