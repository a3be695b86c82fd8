/* floor: the least a gateway could do, to measure ours against in the same run.
 *
 * One process, one loop: reads "PRESS nnn" lines from a terminal and sends stop and play to every
 * connection in one send() each. It checks nothing, serves nothing and is of no other use.
 *
 *     floor TTY PORT
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

enum { CLIENTS = 4096 };
static int clients[CLIENTS];
static int client_count;

static int open_tty(const char *path) {
    struct termios t;
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
    tcgetattr(fd, &t);
    cfmakeraw(&t);
    tcsetattr(fd, TCSANOW, &t);
    return fd;
}

static int open_listener(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 1024) < 0)
        exit(1);
    return fd;
}

static void accept_client(int listener) {
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                 "Connection: Upgrade\r\n\r\n";
    char request[4096];
    int fd = accept(listener, NULL, NULL);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (recv(fd, request, sizeof request, 0) <= 0 || client_count == CLIENTS ||
        send(fd, answer, sizeof answer - 1, 0) < 0)
        return;
    clients[client_count++] = fd;
}

static void broadcast(int id) {
    char frame[80], text[40];
    int n = snprintf(text, sizeof text, "{\"type\": \"play\", \"id\": %d}", id);
    int len = snprintf(frame, sizeof frame, "\x81\x10{\"type\": \"stop\"}\x81%c%s", n, text);
    for (int i = 0; i < client_count; i++)
        if (send(clients[i], frame, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            continue;
}

static void read_tty(int tty) {
    static char buf[65536];
    static size_t have;
    ssize_t n = read(tty, buf + have, sizeof buf - have);
    if (n <= 0)
        exit(0);
    have += (size_t)n;
    char *start = buf, *lf;
    for (; (lf = memchr(start, '\n', have - (size_t)(start - buf))); start = lf + 1)
        if (strncmp(start, "PRESS ", 6) == 0)
            broadcast(atoi(start + 6));
    have -= (size_t)(start - buf);
    memmove(buf, start, have);
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){8192, 8192});
    int tty = open_tty(argv[1]), listener = open_listener(atoi(argv[2])), ep = epoll_create1(0);
    epoll_ctl(ep, EPOLL_CTL_ADD, tty, &(struct epoll_event){EPOLLIN, {.fd = tty}});
    epoll_ctl(ep, EPOLL_CTL_ADD, listener, &(struct epoll_event){EPOLLIN, {.fd = listener}});
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event e;
        if (epoll_wait(ep, &e, 1, -1) != 1)
            continue;
        if (e.data.fd == tty)
            read_tty(tty);
        else
            accept_client(listener);
    }
}
