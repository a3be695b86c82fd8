/* Addresses as text and back; nobody is asked for a name. */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "udp.h"

const char *udp_host(const struct sockaddr *a, char out[UDP_HOST]) {
    const struct sockaddr_in *v4 = (const void *)a;
    const struct sockaddr_in6 *v6 = (const void *)a;
    char scope[IF_NAMESIZE];
    if (a->sa_family == AF_INET)
        return inet_ntop(AF_INET, &v4->sin_addr, out, UDP_HOST);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        return inet_ntop(AF_INET, (const uint8_t *)&v6->sin6_addr + 12, out, UDP_HOST);
    inet_ntop(AF_INET6, &v6->sin6_addr, out, UDP_HOST);
    if (v6->sin6_scope_id && if_indextoname(v6->sin6_scope_id, scope))
        snprintf(out + strlen(out), UDP_HOST - strlen(out), "%%%s", scope);
    return out;
}

unsigned udp_port(const struct sockaddr *a) {
    const struct sockaddr_in6 *v6 = (const void *)a; /* the port is at the same place in both */
    return ntohs(v6->sin6_port);
}

static bool address4(int family, const char *host, unsigned port, struct sockaddr_storage *a,
                     socklen_t *len) {
    struct sockaddr_in *v4 = (void *)a;
    struct sockaddr_in6 *v6 = (void *)a;
    struct in_addr ip;
    if (inet_pton(AF_INET, host, &ip) != 1)
        return false;
    if (family == AF_INET) {
        *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        v4->sin_addr = ip;
        *len = sizeof *v4;
        return true;
    }
    *v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    memset(v6->sin6_addr.s6_addr + 10, 0xff, 2);
    memcpy(v6->sin6_addr.s6_addr + 12, &ip, sizeof ip);
    *len = sizeof *v6;
    return true;
}

static bool address6(const char *host, unsigned port, struct sockaddr_storage *a, socklen_t *len) {
    struct sockaddr_in6 *v6 = (void *)a;
    char plain[UDP_HOST];
    const char *scope = strchr(host, '%');
    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(host, "%"), host);
    *v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    v6->sin6_scope_id = scope ? if_nametoindex(scope + 1) : 0;
    *len = sizeof *v6;
    return inet_pton(AF_INET6, plain, &v6->sin6_addr) == 1 && (!scope || v6->sin6_scope_id);
}

bool udp_address(int family, const char *host, unsigned port, struct sockaddr_storage *a,
                 socklen_t *len) {
    if (port == 0 || port > 65535)
        return false;
    return address4(family, host, port, a, len) ||
           (family == AF_INET6 && address6(host, port, a, len));
}
