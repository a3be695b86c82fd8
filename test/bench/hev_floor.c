/* hev_floor: the least a gateway could do with a ventilator, to measure ours against in one run.
 *
 * One process, one loop: reads A0 DATA frames from a terminal and sends their values as JSON to
 * every connection in one send() each. It checks and acknowledges nothing, waits for nobody, and is
 * of no other use.
 *
 *     hev_floor TTY PORT
 */
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

enum { CLIENTS = 4096, FLAG = 0x7e, ESCAPE = 0x7d, FRAME = 64, DATA_BYTES = 3 + 26 + 2 };
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
    int fd = accept(listener, NULL, NULL);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (fd >= 0 && client_count < CLIENTS)
        clients[client_count++] = fd;
}

static void broadcast(const uint8_t *p) {
    static const char *const key[] = {
        "pressure_air_supply",   "pressure_air_regulated", "pressure_o2_supply",
        "pressure_o2_regulated", "pressure_buffer",        "pressure_inhale",
        "pressure_patient",      "temperature_buffer",     "pressure_diff_patient",
        "readback_valve_air_in", "readback_valve_o2_in",   "readback_valve_inhale",
        "readback_valve_exhale", "readback_valve_purge",   "readback_mode"};
    char text[700];
    int n = sprintf(text, "{\"sensors\": {\"version\": %d, \"fsm_state\": %d", p[0], p[1]);
    for (int i = 0; i < 15; i++)
        n += sprintf(text + n, ", \"%s\": %d", key[i],
                     i < 9 ? p[2 + 2 * i] | p[3 + 2 * i] << 8 : p[11 + i]);
    n += sprintf(text + n, "}, \"alarms\": null}");
    for (int i = 0; i < client_count; i++)
        if (send(clients[i], text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            continue;
}

static void take(uint8_t c) {
    static uint8_t frame[FRAME];
    static int len, escaped;
    if (c == FLAG) {
        if (len == DATA_BYTES)
            broadcast(frame + 3);
        len = escaped = 0;
    } else if (c == ESCAPE) {
        escaped = 0x20;
    } else if (len < FRAME) {
        frame[len++] = (uint8_t)(c ^ escaped);
        escaped = 0;
    }
}

int main(int argc, char **argv) {
    struct epoll_event e[8];
    if (argc < 3)
        return 2;
    int tty = open_tty(argv[1]), listener = open_listener(atoi(argv[2])), ep = epoll_create1(0);
    epoll_ctl(ep, EPOLL_CTL_ADD, tty, &(struct epoll_event){.events = EPOLLIN, .data.fd = tty});
    epoll_ctl(ep, EPOLL_CTL_ADD, listener,
              &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    puts("ready");
    fflush(stdout);
    for (;;) {
        int n = epoll_wait(ep, e, 8, -1);
        for (int i = 0; i < n; i++) {
            uint8_t b[4096];
            ssize_t got = 0;
            if (e[i].data.fd == listener)
                accept_client(listener);
            else if ((got = read(tty, b, sizeof b)) <= 0)
                return 0;
            for (ssize_t k = 0; k < got; k++)
                take(b[k]);
        }
    }
}
