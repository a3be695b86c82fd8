#include "../../cmd/httpd/proxy.c"

#include "listen.h"
#include "test.h"

static char shown[80];

/* Length of the header, with the client's address in shown. */
static int parse(const char *p, size_t n, struct proxy_client *c) {
    int len = proxy_parse((const uint8_t *)p, n, c);
    bool known = len > 0 && c->addr.ss_family != AF_UNSPEC;
    strcpy(shown, "none");
    if (known)
        address_text((struct sockaddr *)&c->addr, shown, sizeof shown);
    return len;
}

static int line(const char *text) {
    struct proxy_client c;
    return parse(text, strlen(text), &c);
}

TEST(version_1) {
    CHECK_INT(line("PROXY TCP4 203.0.113.9 10.0.0.1 5555 443\r\nGET"), 42);
    CHECK_STR(shown, "203.0.113.9:5555");
    CHECK_INT(line("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"), 32);
    CHECK_STR(shown, "[2001:db8::1]:1");
    CHECK_INT(line("PROXY UNKNOWN\r\n"), 15);
    CHECK_STR(shown, "none");
    CHECK_INT(line("PROXY UNKNOWN ::1 ::1 4 5\r\n"), 27);
    CHECK_STR(shown, "none");
}

TEST(version_1_that_is_none) {
    static const char *const bad[] = {"GET / HTTP/1.1\r\n",
                                      "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
                                      "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
                                      "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
                                      "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n",
                                      "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
                                      "PROXY TCP4 ::1 ::1 1 2\r\n",
                                      "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
                                      "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
                                      "PROXY \r\n",
                                      "PROXX",
                                      "\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_INT(line(bad[i]), -1);
}

TEST(version_1_has_at_most_107_bytes) {
    char text[200];
    memset(text, 'x', sizeof text);
    memcpy(text, "PROXY UNKNOWN ", 14);
    memcpy(text + 105, "\r\n", 2);
    struct proxy_client c;
    CHECK_INT(parse(text, sizeof text, &c), 107);
    CHECK_INT(parse(text, 106, &c), 0);
    text[105] = text[106] = 'x';
    memcpy(text + 106, "\r\n", 2);
    CHECK_INT(parse(text, sizeof text, &c), -1);
}

/* A version 2 header with `len` bytes of addresses and more behind it. */
static size_t v2(char *out, int command, int family, const void *body, size_t len) {
    memcpy(out, V2_SIGNATURE, sizeof V2_SIGNATURE);
    out[12] = (char)command;
    out[13] = (char)family;
    out[14] = (char)(len >> 8);
    out[15] = (char)len;
    memcpy(out + 16, body, len);
    return 16 + len;
}

TEST(version_2) {
    char h[400], body[300] = "\xcb\x00\x71\x09\x0a\x00\x00\x01\x15\xb3\x01\xbb";
    struct proxy_client c;
    CHECK_INT(parse(h, v2(h, 0x21, 0x11, body, 12), &c), 28);
    CHECK_STR(shown, "203.0.113.9:5555");
    CHECK(!c.plain);
    CHECK_INT(parse(h, v2(h, 0x20, 0, body, 0), &c), 16);
    CHECK_STR(shown, "none");
    CHECK_INT(parse(h, v2(h, 0x21, 0x31, body, 216), &c), 232);
    CHECK_STR(shown, "none");
    CHECK_INT(parse(h, v2(h, 0x21, 0x11, body, 11), &c), -1);
    CHECK_INT(parse(h, v2(h, 0x22, 0x11, body, 12), &c), -1);
    CHECK_INT(parse(h, v2(h, 0x31, 0x11, body, 12), &c), -1);
    memset(body, 0, sizeof body);
    body[15] = 1;
    body[33] = 80;
    CHECK_INT(parse(h, v2(h, 0x21, 0x21, body, 36), &c), 52);
    CHECK_STR(shown, "[::1]:80");
}

TEST(version_2_says_whether_the_client_came_with_tls) {
    char h[200], body[64] = "\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02"
                            "\x05\x00\x02xy\x20\x00\x05\x01\x00\x00\x00\x00";
    struct proxy_client c;
    CHECK_INT(parse(h, v2(h, 0x21, 0x11, body, 25), &c), 41);
    CHECK(!c.plain);
    body[20] = 0;
    CHECK_INT(parse(h, v2(h, 0x21, 0x11, body, 25), &c), 41);
    CHECK(c.plain);
    CHECK_INT(parse(h, v2(h, 0x21, 0x11, body, 22), &c), 38); /* the field is cut */
}

TEST(any_prefix_asks_for_more_and_any_rest_is_left) {
    static const char one[] = "PROXY TCP4 203.0.113.9 10.0.0.1 5555 443\r\n";
    char two[64];
    struct proxy_client c;
    size_t n = v2(two, 0x21, 0x11, "\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02", 12);
    for (size_t i = 0; i < sizeof one - 1; i++)
        CHECK_INT(parse(one, i, &c), 0);
    for (size_t i = 0; i < n; i++)
        CHECK_INT(parse(two, i, &c), 0);
    CHECK_INT(parse(two, sizeof two, &c), (int)n);
}
