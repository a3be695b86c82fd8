#include "tries.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "allowance.h"

static const struct allowance WRONG = {TRIES_EVERY_S * UINT64_C(1000000000), TRIES_AT_ONCE};

/* ---- who ---- */

/* Never 0, which is nobody. Addresses of IPv4 are below 2^33, where none of IPv6 that is in use has
 * the number that its first half is. */
static uint64_t who_v4(struct in_addr a) {
    return UINT64_C(1) << 32 | ntohl(a.s_addr);
}

static uint64_t who_v6(const struct in6_addr *a) {
    struct in_addr v4;
    uint64_t x;
    memcpy(&v4, &a->s6_addr[12], sizeof v4);
    if (IN6_IS_ADDR_V4MAPPED(a))
        return who_v4(v4);
    memcpy(&x, a->s6_addr, sizeof x);
    x = be64toh(x);
    return x ? x : 1;
}

uint64_t tries_who(const struct sockaddr *a) {
    if (a->sa_family == AF_INET)
        return who_v4(((const struct sockaddr_in *)(const void *)a)->sin_addr);
    if (a->sa_family == AF_INET6)
        return who_v6(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
    return 1;
}

/* Bytes of the address alone: "[ADDRESS]:PORT" and "ADDRESS:PORT" have a port behind it, a bare one
 * of IPv6 has more than one colon, and %eth0 says nothing about who it is. */
static size_t host_bytes(const char *s, bool bracket) {
    size_t n = strcspn(s, ":]%");
    if (bracket || (s[n] == ':' && strchr(s + n + 1, ':')))
        n = strcspn(s, "]%");
    return n;
}

uint64_t tries_who_text(const char *peer) {
    char host[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    bool bracket = *peer == '[';
    size_t n = host_bytes(peer + bracket, bracket);
    if (n >= sizeof host)
        return 1;
    memcpy(host, peer + bracket, n);
    host[n] = 0;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return who_v4(v4);
    return inet_pton(AF_INET6, host, &v6) == 1 ? who_v6(&v6) : 1;
}

/* ::1 has nothing but zeros in its first half, which stand for nobody. */
bool tries_who_is_here(uint64_t who) {
    return who == 1 || who >> 24 == (UINT64_C(1) << 8 | 127);
}

/* ---- tries ---- */

static size_t set_of(uint64_t who) {
    return who * UINT64_C(0x9e3779b97f4a7c15) >> 58; /* the upper six bits of TRIES_SETS */
}

bool tries_left(const struct tries *t, uint64_t who, uint64_t now_ns) {
    const struct tries_peer *p = t->peer[set_of(who)];
    for (int i = 0; i < TRIES_WAYS; i++)
        if (p[i].who == who)
            return allowance_left(WRONG, p[i].until_ns, now_ns);
    return true;
}

/* Its own place, or that of whoever has been right longest. */
static struct tries_peer *place_of(struct tries *t, uint64_t who) {
    struct tries_peer *p = t->peer[set_of(who)], *oldest = p;
    for (int i = 0; i < TRIES_WAYS; i++) {
        if (p[i].who == who)
            return &p[i];
        if (p[i].until_ns < oldest->until_ns)
            oldest = &p[i];
    }
    *oldest = (struct tries_peer){.who = who};
    return oldest;
}

void tries_wrong(struct tries *t, uint64_t who, uint64_t now_ns) {
    struct tries_peer *p = place_of(t, who);
    p->until_ns = allowance_less(WRONG, p->until_ns, now_ns);
}
