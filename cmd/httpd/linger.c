#include "linger.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 256, BYTES = 1 << 20, WAIT_MS = 2000 };

struct lingering {
    struct lingering *prev, *next;
    uv_poll_t poll;
    int fd;
    size_t bytes; /* forgotten */
    uint64_t since_ms;
};

static struct lingering *first;
static size_t count;

static void closed(uv_handle_t *p) {
    free(p->data);
}

static void end(struct lingering *l) {
    *(l->prev ? &l->prev->next : &first) = l->next;
    if (l->next)
        l->next->prev = l->prev;
    count--;
    uv_poll_stop(&l->poll);
    close(l->fd);
    uv_close((uv_handle_t *)&l->poll, closed);
}

static void on_readable(uv_poll_t *p, int status, int events) {
    struct lingering *l = p->data;
    static char bytes[16 << 10];
    (void)events;
    ssize_t n = status < 0 ? 0 : recv(l->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    l->bytes += n > 0 ? (size_t)n : 0;
    if (n <= 0 || l->bytes > BYTES)
        end(l);
}

void linger(struct httpd *h, int fd) {
    int copy = count < MOST ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (copy < 0)
        return;
    struct lingering *l = mem_alloc(sizeof *l);
    l->fd = copy;
    l->since_ms = uv_now(&h->st.loop);
    l->next = first;
    if (first)
        first->prev = l;
    first = l;
    count++;
    shutdown(copy, SHUT_WR);
    uv_poll_init(&h->st.loop, &l->poll, copy);
    l->poll.data = l;
    uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

void linger_tick(struct httpd *h) {
    for (struct lingering *l = first, *next; l; l = next) {
        next = l->next;
        if (uv_now(&h->st.loop) - l->since_ms > WAIT_MS)
            end(l);
    }
}

void linger_stop(void) {
    while (first)
        end(first);
}
