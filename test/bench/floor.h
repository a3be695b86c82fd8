/* floor: what the floors share: a terminal, a port of this machine, and whoever connects there.
 * Nothing is checked that a floor can do without.
 */
#ifndef TAPLINE_BENCH_FLOOR_H
#define TAPLINE_BENCH_FLOOR_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

enum { CLIENTS = 4096 };
static int clients[CLIENTS];
static int client_count;

static inline int open_tty(const char *path) {
    struct termios t;
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
    tcgetattr(fd, &t);
    cfmakeraw(&t);
    tcsetattr(fd, TCSANOW, &t);
    return fd;
}

static inline int open_listener(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 1024) < 0)
        exit(1);
    return fd;
}

static inline int accept_client(int listener) {
    int fd = accept(listener, NULL, NULL);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

static inline void broadcast(const void *p, size_t n) {
    for (int i = 0; i < client_count; i++)
        if (send(clients[i], p, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            continue;
}

/* Waits for both, and says that it is there. */
static inline int watch(int tty, int listener) {
    int ep = epoll_create1(0);
    epoll_ctl(ep, EPOLL_CTL_ADD, tty, &(struct epoll_event){EPOLLIN, {.fd = tty}});
    epoll_ctl(ep, EPOLL_CTL_ADD, listener, &(struct epoll_event){EPOLLIN, {.fd = listener}});
    puts("ready");
    fflush(stdout);
    return ep;
}

#endif
