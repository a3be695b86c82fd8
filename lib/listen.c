#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log.h"

enum { BACKLOG = 1024, HOST_BYTES = 256 };

struct place {
    char host[HOST_BYTES]; /* "" = every interface */
    const char *port;
};

static int split(const char *where, const char *option, struct place *p, struct err *e) {
    const char *colon = strrchr(where, ':'), *host = where;
    size_t n = colon ? (size_t)(colon - where) : 0;
    if (colon && where[0] == '[' && n > 1 && colon[-1] == ']') {
        host++;
        n -= 2;
    } else if (memchr(where, ':', n)) {
        return err_set(e, CAUSE_USAGE, "%s %s: write an IPv6 address as [::1]:8080", option, where);
    }
    p->port = colon ? colon + 1 : where;
    if (!*p->port || p->port[strspn(p->port, "0123456789")] || strlen(p->port) > 5 ||
        atoi(p->port) > 65535 || n >= HOST_BYTES)
        return err_set(e, CAUSE_USAGE, "%s %s: is not HOST:PORT, as in 127.0.0.1:8080", option,
                       where);
    snprintf(p->host, sizeof p->host, "%.*s", (int)n, host);
    if (!colon)
        strcpy(p->host, "127.0.0.1");
    return 0;
}

#define BUSY " (another program has this port: find it with \"ss -ltnp\", or choose another"

static const char *cure(int no) {
    switch (no) {
    case EADDRINUSE:
        return log_supervised() ? BUSY " with %s, by a variable of the pipeline)"
                                : BUSY " with %s)";
    case EACCES:
        return " (ports below 1024 need root or CAP_NET_BIND_SERVICE; choose another with "
               "%s)";
    case EADDRNOTAVAIL:
        return " (no interface of this machine has the address; \"ip addr\" shows them)";
    default:
        return "";
    }
}

static int open_one(const struct addrinfo *a) {
    int on = 1, off = 0;
    bool stream = a->ai_socktype == SOCK_STREAM;
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    /* Connections of the last run may linger in TIME_WAIT; a live listener still excludes us. For
     * datagrams it would let two programs have the port. */
    if (stream)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (a->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && (!stream || listen(fd, BACKLOG) == 0))
        return fd;
    int no = errno;
    close(fd);
    errno = no;
    return -1;
}

/* IPv4 first: "localhost" typed into old programs means 127.0.0.1. */
static int open_any(const struct addrinfo *list) {
    static const int family[2] = {AF_INET, AF_INET6};
    int fd = -1;
    for (int i = 0; i < 2 && fd < 0; i++)
        for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
            if (a->ai_family == family[i])
                fd = open_one(a);
    return fd;
}

int listen_check(const char *where, const char *option, struct err *e) {
    struct place p;
    return split(where, option, &p, e);
}

static int open_type(const char *where, int type, const char *option, struct err *e) {
    struct place p;
    struct addrinfo *list, hints = {.ai_socktype = type, .ai_flags = AI_PASSIVE};
    if (split(where, option, &p, e) < 0)
        return -1;
    int r = getaddrinfo(p.host[0] ? p.host : "0.0.0.0", p.port, &hints, &list);
    /* A system without /etc/hosts; RFC 6761 section 6.3 says what the name means all the same. */
    if (r != 0 && strcmp(p.host, "localhost") == 0)
        r = getaddrinfo("127.0.0.1", p.port, &hints, &list);
    if (r != 0)
        return err_set(e, CAUSE_ABSENT, "cannot listen on %s: %s", where, gai_strerror(r));
    int fd = open_any(list), no = errno;
    freeaddrinfo(list);
    if (fd >= 0)
        return fd;
    char how[160];
    snprintf(how, sizeof how, cure(no), option);
    return err_set(e, no == EADDRINUSE ? CAUSE_BUSY : cause_of_errno(no),
                   "cannot listen on %s: %s%s", where, strerror(no), how);
}

int listen_open(const char *where, const char *option, struct err *e) {
    return open_type(where, SOCK_STREAM, option, e);
}

int listen_open_udp(const char *where, const char *option, struct err *e) {
    return open_type(where, SOCK_DGRAM, option, e);
}

uint64_t listen_files(void) {
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) < 0)
        return 1024;
    r.rlim_cur = r.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &r) < 0)
        getrlimit(RLIMIT_NOFILE, &r);
    return r.rlim_cur;
}

const char *address_text(const struct sockaddr *a, char *out, size_t size) {
    char host[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr_in *v4 = (const void *)a;
    const struct sockaddr_in6 *v6 = (const void *)a;
    if (a->sa_family == AF_INET) {
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(out, size, "%s:%u", host, ntohs(v4->sin_port));
    } else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        inet_ntop(AF_INET, (const uint8_t *)&v6->sin6_addr + 12, host, sizeof host);
        snprintf(out, size, "%s:%u", host, ntohs(v6->sin6_port));
    } else {
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        snprintf(out, size, "[%s]:%u", host, ntohs(v6->sin6_port));
    }
    return out;
}

const char *listen_url(int fd, char *out, size_t size) {
    struct sockaddr_storage a = {0};
    socklen_t n = sizeof a;
    char text[80];
    getsockname(fd, (struct sockaddr *)&a, &n);
    snprintf(out, size, "http://%s/", address_text((struct sockaddr *)&a, text, sizeof text));
    return out;
}
