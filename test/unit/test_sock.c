#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
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

/* ---- a close that does not come back ---- */

static atomic_bool entered, let_go;

static void hold_up(nng_pipe pipe, nng_pipe_ev ev, void *arg) {
    (void)pipe;
    (void)ev;
    (void)arg;
    entered = true;
    while (!let_go)
        usleep(1000);
}

TEST(a_close_that_hangs_leaves_no_file) {
    nng_socket s, client;
    char path[128], url[140];
    make_test_dir();
    snprintf(path, sizeof path, "%s/held.rep", test_dir);
    snprintf(url, sizeof url, "ipc://%s", path);
    CHECK_INT(nng_rep0_open(&s), 0);
    CHECK_INT(nng_pipe_notify(s, NNG_PIPE_EV_ADD_POST, hold_up, NULL), 0);
    CHECK_INT(nng_listen(s, url, NULL, 0), 0);
    CHECK_INT(nng_req0_open(&client), 0);
    CHECK_INT(nng_dial(client, url, NULL, NNG_FLAG_NONBLOCK), 0);
    uv_loop_init(&loop);
    RUN_UNTIL(&loop, entered);
    CHECK(!sock_close_at(s, url));
    CHECK(access(path, F_OK) < 0);
    let_go = true;
    sock_close(client, SOCK_CLOSE_MS);
    loop_finish(&loop);
    sock_fini();
}
