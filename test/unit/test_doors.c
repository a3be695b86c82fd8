#include "doors.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

#include "listen.h"
#include "loop.h"

enum { PORTS = 3, TRIES = 20 };

static const char *const option[PORTS] = {"--a-port", "--b-port", "--c-port"};
static int64_t port[PORTS];
static uv_loop_t loop;
static struct err e;

/* Who came, and to which door. */
static struct {
    int count[PORTS], most_in_a_turn, in_turn;
    char peer[64];
} seen;

static void welcome(void *ctx, size_t door, int fd, const struct sockaddr_storage *peer) {
    CHECK(ctx == &seen);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    address_text((const struct sockaddr *)peer, seen.peer, sizeof seen.peer);
    seen.count[door]++;
    if (++seen.in_turn > seen.most_in_a_turn)
        seen.most_in_a_turn = seen.in_turn;
    close(fd);
}

static void on_turn(uv_prepare_t *p) {
    (void)p;
    seen.in_turn = 0;
}

static struct doors doors = {
    .at = {"127.0.0.1", port, option, PORTS}, .turn = 4, .welcome = welcome, .ctx = &seen};

static int64_t free_port(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(bind(fd, (struct sockaddr *)&a, n), 0);
    CHECK_INT(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    close(fd);
    return ntohs(a.sin_port);
}

/* A and C; somebody else may take such a port first. */
static void open_two(void) {
    uv_loop_init(&loop);
    for (int i = 0; i < TRIES; i++) {
        port[0] = free_port();
        port[2] = free_port();
        if (doors_open(&doors, &loop, &e) == 0)
            return;
        CHECK_INT(e.cause, CAUSE_BUSY);
        doors_close(&doors);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    CHECK(!"no free port");
}

static void close_all(void) {
    doors_close(&doors);
    doors_close(&doors);
    loop_finish(&loop);
}

static int knock(int64_t at) {
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)at),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    CHECK_INT(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

TEST(a_connection_comes_with_its_door_and_its_peer) {
    open_two();
    int first = knock(port[2]), second = knock(port[0]);
    RUN_UNTIL(&loop, seen.count[0] == 1 && seen.count[2] == 1);
    CHECK(strncmp(seen.peer, "127.0.0.1:", 10) == 0);
    CHECK_INT(seen.count[1], 0);
    close(first);
    close(second);
    close_all();
}

TEST(a_crowd_is_taken_some_in_each_turn) {
    uv_prepare_t turn;
    int fd[11];
    open_two();
    uv_prepare_init(&loop, &turn);
    uv_prepare_start(&turn, on_turn);
    for (int i = 0; i < 11; i++)
        fd[i] = knock(port[0]);
    RUN_UNTIL(&loop, seen.count[0] == 11);
    CHECK_INT(seen.most_in_a_turn, 4);
    for (int i = 0; i < 11; i++)
        close(fd[i]);
    uv_close((uv_handle_t *)&turn, NULL);
    close_all();
}

/* So many that not one more descriptor can be had. */
static void use_up_descriptors(struct rlimit *before) {
    CHECK_INT(getrlimit(RLIMIT_NOFILE, before), 0);
    int next = dup(STDIN_FILENO);
    CHECK(next >= 0);
    close(next);
    struct rlimit none = {(rlim_t)next, before->rlim_max};
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
}

TEST(a_door_out_of_descriptors_rests_until_it_is_woken) {
    struct rlimit before;
    open_two();
    run_for(&loop, 1); /* the loop has opened what it needs */
    int fd = knock(port[0]);
    use_up_descriptors(&before);
    RUN_UNTIL(&loop, doors.door[0].resting);
    CHECK(!uv_is_active((uv_handle_t *)&doors.door[0].poll));
    CHECK(!doors.door[2].resting);
    doors_wake(&doors);
    CHECK(uv_is_active((uv_handle_t *)&doors.door[0].poll));
    RUN_UNTIL(&loop, doors.door[0].resting); /* still none */
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
    doors_wake(&doors);
    RUN_UNTIL(&loop, seen.count[0] == 1);
    close(fd);
    close_all();
}

TEST(a_closed_door_is_not_woken) {
    open_two();
    doors.door[0].resting = true;
    doors_close(&doors);
    doors_wake(&doors);
    close_all();
}

TEST(nothing_opened_can_be_woken_and_closed) {
    struct doors none = {0};
    doors_wake(&none);
    doors_close(&none);
}

TEST(a_port_in_use_is_said_with_its_option) {
    struct doors second = doors;
    open_two();
    int64_t again[] = {port[2]};
    second.at = (struct doors_place){"127.0.0.1", again, option + 1, 1};
    CHECK_INT(doors_open(&second, &loop, &e), -1);
    CHECK_INT(e.cause, CAUSE_BUSY);
    CHECK(strstr(e.text, "choose another with --b-port"));
    doors_close(&second);
    close_all();
}

static int check(const char *host, int64_t a, int64_t b, int64_t c) {
    const int64_t ports[PORTS] = {a, b, c};
    const struct doors_place at = {host, ports, option, PORTS};
    return doors_check(&at, &e);
}

TEST(what_can_be_no_place_is_found_before_it_is_opened) {
    CHECK_INT(check("127.0.0.1", 1, 2, 3), 0);
    CHECK_INT(check("::1", 1, 2, 3), 0);
    CHECK_INT(check("localhost", 0, 0, 7), 0);
    CHECK_INT(check("127.0.0.1", 5, 7, 5), -1);
    CHECK_STR(e.text, "--a-port and --c-port are both 5");
    CHECK_INT(e.cause, CAUSE_USAGE);
    CHECK_INT(check("127.0.0.1", 1, 65536, 3), -1);
    CHECK(strncmp(e.text, "--host 127.0.0.1:65536", 22) == 0);
}
