/* hev_clients: many D1 clients in one process, for test/bench/hev.py.
 *
 *     hev_clients PORT COUNT
 *
 * Each reads at most 600 bytes at a time and takes them for one whole JSON text. "ready" is printed
 * when all are connected. When standard input ends, what was read is written to standard output:
 * three uint64 (texts read, reads that were several texts, reads that were part of one), then for
 * each text three uint64: its pressure_buffer, when the kernel had it in the client's socket, and
 * when the client had read it (ns since the epoch).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_BYTES = 600, EVENTS = 256 };

static uint64_t *record, texts, room, merged, parts;

static uint64_t ns(const struct timespec *t) {
    return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

static void keep(uint64_t id, uint64_t arrived) {
    struct timespec now;
    if (texts == room) {
        room = room ? 2 * room : 1 << 16;
        record = realloc(record, room * 3 * sizeof *record);
        if (!record)
            exit(1);
    }
    clock_gettime(CLOCK_REALTIME, &now);
    record[3 * texts] = id;
    record[3 * texts + 1] = arrived;
    record[3 * texts + 2] = ns(&now);
    texts++;
}

static void take(const char *text, size_t n, uint64_t arrived) {
    const char *id = strstr(text, "\"pressure_buffer\": ");
    if (strncmp(text, "{\"sensors\": ", 12) != 0 || !id || text[n - 1] != '}')
        parts++;
    else if (strstr(text + 1, "{\"sensors\": "))
        merged++;
    else
        keep(strtoull(id + strlen("\"pressure_buffer\": "), NULL, 10), arrived);
}

static int read_one(int fd) {
    char text[READ_BYTES + 1], control[128];
    struct iovec iov = {text, READ_BYTES};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);
    if (n <= 0)
        return (int)n;
    struct timespec stamp = {0};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_type == SO_TIMESTAMPNS)
        memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
    text[n] = 0;
    take(text, (size_t)n, ns(&stamp));
    return 1;
}

static void connect_one(int ep, int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &(int){1}, sizeof(int));
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
        perror("hev_clients: connect");
        exit(1);
    }
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

static void write_all(const void *data, size_t n) {
    const char *p = data;
    while (n) {
        ssize_t w = write(STDOUT_FILENO, p, n);
        if (w <= 0)
            exit(1);
        p += w;
        n -= (size_t)w;
    }
}

int main(int argc, char **argv) {
    struct rlimit files;
    struct epoll_event e[EVENTS];
    if (argc < 3)
        return 2;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int ep = epoll_create1(0);
    for (int i = 0; i < atoi(argv[2]); i++)
        connect_one(ep, atoi(argv[1]));
    epoll_ctl(ep, EPOLL_CTL_ADD, STDIN_FILENO,
              &(struct epoll_event){.events = EPOLLIN, .data.fd = STDIN_FILENO});
    write_all("ready\n", 6);
    for (;;) {
        int n = epoll_wait(ep, e, EVENTS, -1);
        for (int i = 0; i < n; i++)
            if (e[i].data.fd != STDIN_FILENO)
                read_one(e[i].data.fd);
            else {
                uint64_t head[3] = {texts, merged, parts};
                write_all(head, sizeof head);
                write_all(record, texts * 3 * sizeof *record);
                return 0;
            }
    }
}
