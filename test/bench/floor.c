/* floor: the least a gateway could do, to measure ours against in the same run.
 *
 * One process, one loop: reads "PRESS nnn" lines from a terminal and sends stop and play to every
 * connection in one send() each. It checks nothing, serves nothing and is of no other use.
 *
 *     floor TTY PORT
 */
#include <string.h>
#include <sys/resource.h>

#include "floor.h"

static void take_client(int listener) {
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                 "Connection: Upgrade\r\n\r\n";
    char request[4096];
    int fd = accept_client(listener);
    if (recv(fd, request, sizeof request, 0) <= 0 || client_count == CLIENTS ||
        send(fd, answer, sizeof answer - 1, 0) < 0)
        return;
    clients[client_count++] = fd;
}

static void press(int id) {
    char frame[80], text[40];
    int n = snprintf(text, sizeof text, "{\"type\": \"play\", \"id\": %d}", id);
    int len = snprintf(frame, sizeof frame, "\x81\x10{\"type\": \"stop\"}\x81%c%s", n, text);
    broadcast(frame, (size_t)len);
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
            press(atoi(start + 6));
    have -= (size_t)(start - buf);
    memmove(buf, start, have);
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){8192, 8192});
    int tty = open_tty(argv[1]), listener = open_listener(atoi(argv[2])), ep = watch(tty, listener);
    for (;;) {
        struct epoll_event e;
        if (epoll_wait(ep, &e, 1, -1) != 1)
            continue;
        if (e.data.fd == tty)
            read_tty(tty);
        else
            take_client(listener);
    }
}
