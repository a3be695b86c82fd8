#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handover.h"
#include "mp.h"

static uint8_t mem[HANDOVER_MAX];

static void own_directory(void) {
    static char dir[] = "/tmp/tl.XXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    setenv("TAPLINE_RUN", dir, 1);
}

static void remove_directory(void) {
    char path[128];
    snprintf(path, sizeof path, "%s/ws.sock", getenv("TAPLINE_RUN"));
    unlink(path);
    rmdir(getenv("TAPLINE_RUN"));
}

static size_t open_files(void) {
    size_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

/* What a sender puts in is what the receiver has, and the connection works. */
TEST(there_and_back) {
    int pair[2], door, sock, got;
    struct err e;
    struct handover out = {.peer = "[::1]:9",
                           .path = "/ws",
                           .query = "a=b",
                           .group = "g",
                           .user = "u",
                           .origin = "http://h",
                           .extra = (const uint8_t *)"\x81\0",
                           .extra_len = 2};
    struct handover in;
    char c;
    own_directory();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    door = handover_listen("ws", &e);
    CHECK(door >= 0);
    CHECK_INT(handover_send("ws", pair[1], &out, &e), 0);
    close(pair[1]);
    sock = accept(door, NULL, NULL);
    got = handover_take(sock, &in, mem, &e);
    CHECK(got >= 0);
    CHECK_STR(in.peer, out.peer);
    CHECK_STR(in.path, out.path);
    CHECK_STR(in.query, out.query);
    CHECK_STR(in.group, out.group);
    CHECK_STR(in.user, out.user);
    CHECK_STR(in.origin, out.origin);
    CHECK_MEM(in.extra, in.extra_len, "\x81\0", 2);
    CHECK(fcntl(got, F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(got, F_GETFD) & FD_CLOEXEC);
    CHECK(write(got, "x", 1) == 1 && read(pair[0], &c, 1) == 1 && c == 'x');
    CHECK_INT(handover_take(sock, &in, mem, &e), -1);
    CHECK_INT(e.cause, CAUSE_ABSENT);
    remove_directory();
}

TEST(nothing_there_is_no_error) {
    int pair[2];
    struct handover h;
    struct err e;
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    CHECK_INT(handover_take(pair[0], &h, mem, &e), -1);
    CHECK_INT(e.cause, CAUSE_OK);
    close(pair[1]);
    CHECK_INT(handover_take(pair[0], &h, mem, &e), -1);
    CHECK_INT(e.cause, CAUSE_ABSENT);
}

TEST(nobody_listens) {
    struct handover h = {.path = "/"};
    struct err e;
    own_directory();
    CHECK_INT(handover_send("ws", 0, &h, &e), -1);
    CHECK_INT(e.cause, CAUSE_ABSENT);
    remove_directory();
}

TEST(stale_file_is_replaced_a_listener_is_not) {
    struct err e;
    struct stat st;
    char path[128];
    own_directory();
    int first = handover_listen("ws", &e);
    CHECK(first >= 0);
    CHECK_INT(handover_listen("ws", &e), -1);
    CHECK_INT(e.cause, CAUSE_BUSY);
    close(first);
    int second = handover_listen("ws", &e);
    CHECK(second >= 0);
    snprintf(path, sizeof path, "%s/ws.sock", getenv("TAPLINE_RUN"));
    CHECK(stat(path, &st) == 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    close(second);
    unlink(path);
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    CHECK_INT(handover_listen("ws", &e), -1);
    CHECK(stat(path, &st) == 0); /* what is no socket is left alone */
    close(file);
    remove_directory();
}

/* The sender never waits: a listener that takes nothing fills up. */
TEST(full_queue_is_an_error) {
    int pair[2];
    struct handover h = {.path = "/"};
    struct err e = {0};
    own_directory();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    int door = handover_listen("ws", &e);
    CHECK(listen(door, 3) == 0);
    int sent = 0;
    while (sent < 100 && handover_send("ws", pair[1], &h, &e) == 0)
        sent++;
    CHECK(sent >= 3 && sent < 10);
    CHECK_INT(e.cause, CAUSE_BUSY);
    remove_directory();
}

static void send_raw(int sock, const void *p, size_t n, const int *fds, size_t count) {
    char control[CMSG_SPACE(16 * sizeof(int))] = {0};
    struct iovec iov = {(void *)p, n};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (count) {
        m.msg_control = control;
        m.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(c), fds, count * sizeof(int));
    }
    CHECK(sendmsg(sock, &m, 0) == (ssize_t)n);
}

/* Whatever comes, with or without descriptors: none stays open. */
TEST(garbage_leaks_nothing) {
    int pair[2], conn[2], fds[16];
    uint8_t data[512];
    struct handover h;
    struct err e;
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, conn) == 0);
    for (int i = 0; i < 16; i++)
        fds[i] = conn[0];
    size_t before = open_files();
    srand(1);
    for (int i = 0; i < 20000; i++) {
        size_t n = 1 + (size_t)rand() % sizeof data;
        for (size_t k = 0; k < n; k++)
            data[k] = (uint8_t)(rand() % 3 ? rand() : 0x80 | (rand() & 3));
        send_raw(pair[0], data, n, fds, (size_t)rand() % 16);
        int fd = handover_take(pair[1], &h, mem, &e);
        if (fd >= 0) /* a lone empty map with one descriptor is a hand-over of few words */
            close(fd);
    }
    CHECK_INT(open_files(), before);
}

/* What is too little is told as that, not as the fault of the sender. */
TEST(no_descriptor_is_left) {
    struct rlimit had, none;
    struct handover in, out = {.peer = "p"};
    struct err e;
    int pair[2], door, sock;
    own_directory();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    door = handover_listen("ws", &e);
    CHECK_INT(handover_send("ws", pair[1], &out, &e), 0);
    sock = accept(door, NULL, NULL);
    getrlimit(RLIMIT_NOFILE, &had);
    none = (struct rlimit){(rlim_t)sock + 1, had.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK_INT(handover_take(sock, &in, mem, &e), -1);
    CHECK_INT(e.cause, CAUSE_LIMIT);
    CHECK(strstr(e.text, "descriptor is left") != NULL);
    setrlimit(RLIMIT_NOFILE, &had);
    close(sock);
    close(door);
    close(pair[0]);
    close(pair[1]);
    remove_directory();
}

/* Every cut of a good datagram is refused. */
TEST(truncated_datagrams) {
    int pair[2], conn[2];
    struct handover h;
    struct err e;
    struct buf b = {0};
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, conn) == 0);
    mp_put_map(&b, 2);
    mp_kv_str(&b, "path", "/ws");
    mp_kv_bin(&b, "extra", "abc", 3);
    for (size_t n = 1; n <= buf_len(&b); n++) {
        send_raw(pair[0], buf_data(&b), n, conn, 1);
        int fd = handover_take(pair[1], &h, mem, &e);
        CHECK((fd >= 0) == (n == buf_len(&b)));
    }
    CHECK_MEM(h.extra, h.extra_len, "abc", 3);
    buf_free(&b);
}
