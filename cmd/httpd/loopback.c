#include "loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

enum { HOST_BYTES = 64 };

bool address_is_loopback(const struct sockaddr *a) {
    const struct sockaddr_in *v4 = (const void *)a;
    const struct sockaddr_in6 *v6 = (const void *)a;
    if (a->sa_family == AF_INET)
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    if (a->sa_family != AF_INET6)
        return false;
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127);
}

bool host_is_loopback(const char *host) {
    char name[HOST_BYTES];
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool bracket = *host == '[';
    size_t n = strcspn(host + bracket, bracket ? "]" : ":");
    if (n >= sizeof name)
        return false;
    memcpy(name, host + bracket, n);
    name[n] = 0;
    if (bracket)
        return inet_pton(AF_INET6, name, &v6.sin6_addr) == 1 && address_is_loopback((void *)&v6);
    if (inet_pton(AF_INET, name, &v4.sin_addr) == 1)
        return address_is_loopback((void *)&v4);
    return strcasecmp(name, "localhost") == 0;
}
