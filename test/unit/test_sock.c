#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/pubsub0/sub.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop.h"
#include "pub.h"
#include "rpc.h"
#include "rundir_test.h"
#include "sock.h"

static uv_loop_t loop;
static struct err e;

/* Connects and is gone after that time, which is when NNG greets it or just before. */
static void vanish(const char *name, unsigned after_us) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s/%s", test_dir, name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
        test_fail(__FILE__, __LINE__, "connect to %s: %s", at.sun_path, strerror(errno));
    usleep(after_us);
    close(fd);
}

static void on_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                       size_t n) {
    (void)ctx;
    (void)op;
    (void)body;
    (void)n;
    rpc_reply_ok(call);
}

static void on_answer(void *ctx, const struct rpc_result *r) {
    *(bool *)ctx = r->ok;
}

static void check_answers(void) {
    static struct rpc_client c; /* closed by later turns of the loop */
    struct buf ask = {0};
    bool ok = false;
    CHECK_INT(rpc_client_open(&c, &loop, "x", &e), 0);
    rpc_request_begin(&ask, "hello", 0);
    rpc_request(&c, &ask, LOOP_LIMIT_MS, on_answer, &ok);
    RUN_UNTIL(&loop, ok);
    rpc_client_close(&c);
    buf_free(&ask);
}

static void check_publishes(struct pub *p) {
    nng_socket s;
    char url[128];
    snprintf(url, sizeof url, "ipc://%s/x.pub", test_dir);
    CHECK_INT(nng_sub0_open(&s), 0);
    CHECK_INT(nng_dial(s, url, NULL, 0), 0);
    RUN_UNTIL(&loop, atomic_load(&p->out[0]->pipes) > 0);
    sock_close(s, SOCK_CLOSE_MS);
}

TEST(clients_that_vanish_end_no_listener) {
    struct pub p = {0};
    struct rpc_server s = {.on_request = on_request};
    make_test_dir();
    uv_loop_init(&loop);
    CHECK_INT(pub_init(&p, &loop), 0);
    CHECK_INT(pub_add(&p, "x", &e), 0);
    CHECK_INT(rpc_server_init(&s, &loop), 0);
    CHECK_INT(rpc_server_add(&s, &p.out[0]->ep, &e), 0);
    for (unsigned us = 0; us < 100; us++) {
        vanish("x.pub", us * 3);
        vanish("x.rep", us * 3);
    }
    check_answers();
    check_publishes(&p);
    rpc_server_close(&s);
    pub_close(&p, 0);
    run_for(&loop, 20);
    rpc_server_free(&s);
    pub_free(&p);
    loop_finish(&loop);
    sock_fini();
}

static int send_to_nobody(int type) {
    int fd[2];
    struct iovec v = {"x", 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    CHECK_INT(socketpair(AF_UNIX, type, 0, fd), 0);
    CHECK_INT(sendmsg(fd[0], &m, MSG_NOSIGNAL), 1);
    close(fd[1]);
    char c;
    while (read(fd[0], &c, 1) > 0) /* a reset, if any, is told once */
        ;
    CHECK_INT(sendmsg(fd[0], &m, MSG_NOSIGNAL), -1);
    int error = errno;
    close(fd[0]);
    return error;
}

TEST(only_byte_streams_between_processes_are_told_of_a_reset) {
    CHECK_INT(send_to_nobody(SOCK_STREAM), ECONNRESET);
    CHECK_INT(send_to_nobody(SOCK_SEQPACKET), EPIPE);
}
