#include "proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t V2_SIGNATURE[12] = "\r\n\r\n\0\r\nQUIT\n";
enum {
    V2_LOCAL = 0x20,
    V2_PROXY = 0x21,
    V2_TCP4 = 0x11,
    V2_TCP6 = 0x21,
    V2_TCP4_BYTES = 12,
    V2_TCP6_BYTES = 36,
    V2_UNIX_BYTES = 216,
    TLV_SSL = 0x20,
    TLV_SSL_CLIENT = 1 /* bit: the client came with TLS */
};

/* ---- addresses ---- */

static void set_v4(struct proxy_client *c, const void *addr, uint16_t port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&a.sin_addr, addr, sizeof a.sin_addr);
    memcpy(&c->addr, &a, sizeof a);
    c->len = sizeof a;
}

static void set_v6(struct proxy_client *c, const void *addr, uint16_t port) {
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memcpy(&a.sin6_addr, addr, sizeof a.sin6_addr);
    memcpy(&c->addr, &a, sizeof a);
    c->len = sizeof a;
}

static void set_none(struct proxy_client *c) {
    *c = (struct proxy_client){.len = sizeof(struct sockaddr)};
    c->addr.ss_family = AF_UNSPEC;
}

/* ---- version 1: one line of text ---- */

static bool parse_port(const char *text, uint16_t *port) {
    long n = strtol(text, NULL, 10);
    if (!*text || strlen(text) > 5 || text[strspn(text, "0123456789")] || n > 65535)
        return false;
    *port = (uint16_t)n;
    return true;
}

/* "TCP4 SOURCE DESTINATION PORT PORT", or "UNKNOWN" and whatever. */
static bool v1_line(char *line, struct proxy_client *out) {
    char *save = NULL, *word[6];
    uint8_t addr[16], ours[16];
    uint16_t port, our_port;
    size_t n = 0;
    for (char *w = strtok_r(line, " ", &save); w && n < 6; w = strtok_r(NULL, " ", &save))
        word[n++] = w;
    if (n >= 1 && strcmp(word[0], "UNKNOWN") == 0)
        return true;
    bool six = n == 5 && strcmp(word[0], "TCP6") == 0;
    int family = six ? AF_INET6 : AF_INET;
    if (n != 5 || (!six && strcmp(word[0], "TCP4") != 0) || inet_pton(family, word[1], addr) != 1 ||
        inet_pton(family, word[2], ours) != 1 || !parse_port(word[3], &port) ||
        !parse_port(word[4], &our_port))
        return false;
    (six ? set_v6 : set_v4)(out, addr, port);
    return true;
}

static int v1_parse(const uint8_t *p, size_t n, struct proxy_client *out) {
    static const char name[] = "PROXY ";
    char line[PROXY_V1_MAX];
    size_t most = n < PROXY_V1_MAX ? n : PROXY_V1_MAX, head = sizeof name - 1;
    if (memcmp(p, name, n < head ? n : head) != 0)
        return -1;
    const uint8_t *end = memchr(p, '\n', most);
    if (!end)
        return n < PROXY_V1_MAX ? 0 : -1;
    size_t len = (size_t)(end - p) + 1;
    if (len < head + 2 || end[-1] != '\r' || memchr(p, 0, len))
        return -1;
    memcpy(line, p + head, len - head - 2);
    line[len - head - 2] = 0;
    return v1_line(line, out) ? (int)len : -1;
}

/* ---- version 2: binary ---- */

static uint16_t get16(const uint8_t *p) {
    return (uint16_t)(p[0] << 8 | p[1]);
}

static bool without_tls(const uint8_t *p, size_t n) {
    while (n >= 3 && n - 3 >= get16(p + 1)) {
        size_t len = get16(p + 1);
        if (p[0] == TLV_SSL && len >= 1)
            return !(p[3] & TLV_SSL_CLIENT);
        p += 3 + len;
        n -= 3 + len;
    }
    return false;
}

/* Bytes of the addresses; -1 when there is no room for them. */
static int v2_addresses(const uint8_t *p, size_t n, uint8_t family, struct proxy_client *out) {
    size_t need = family == V2_TCP4   ? V2_TCP4_BYTES
                  : family == V2_TCP6 ? V2_TCP6_BYTES
                  : family >> 4 == 3  ? V2_UNIX_BYTES
                                      : 0;
    if (n < need)
        return -1;
    if (family == V2_TCP4)
        set_v4(out, p, get16(p + 8));
    else if (family == V2_TCP6)
        set_v6(out, p, get16(p + 32));
    return (int)need;
}

static int v2_parse(const uint8_t *p, size_t n, struct proxy_client *out) {
    if (n < PROXY_V2_HEAD)
        return 0;
    size_t len = get16(p + 14);
    uint8_t command = p[12], family = p[13];
    if ((command != V2_LOCAL && command != V2_PROXY) || PROXY_V2_HEAD + len > PROXY_MAX)
        return -1;
    if (n < PROXY_V2_HEAD + len)
        return 0;
    p += PROXY_V2_HEAD;
    if (command == V2_PROXY) {
        int addresses = v2_addresses(p, len, family, out);
        if (addresses < 0)
            return -1;
        out->plain = without_tls(p + addresses, len - (size_t)addresses);
    }
    return (int)(PROXY_V2_HEAD + len);
}

int proxy_parse(const uint8_t *p, size_t n, struct proxy_client *out) {
    set_none(out);
    if (n == 0)
        return 0;
    if (p[0] == V2_SIGNATURE[0]) {
        size_t head = n < sizeof V2_SIGNATURE ? n : sizeof V2_SIGNATURE;
        return memcmp(p, V2_SIGNATURE, head) == 0 ? v2_parse(p, n, out) : -1;
    }
    return v1_parse(p, n, out);
}
