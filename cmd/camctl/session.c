#include "session.h"

#include <netinet/in.h>
#include <string.h>

static void address(const struct sockaddr *a, uint8_t out[16]) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    memset(out, 0, 16);
    if (a->sa_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, 16);
    } else if (a->sa_family == AF_INET) {
        memcpy(out, mapped, sizeof mapped);
        memcpy(out + 12, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
    }
}

static struct session *find(struct sessions *s, const uint8_t addr[16]) {
    for (size_t i = 0; i < s->n; i++)
        if (memcmp(s->item[i].addr, addr, 16) == 0)
            return &s->item[i];
    return NULL;
}

static bool has_ended(const struct sessions *s, const struct session *x, uint64_t now_ms) {
    return now_ms - x->seen_ms > s->life_ms;
}

static struct session *longest_unseen(struct sessions *s) {
    struct session *x = s->item;
    for (size_t i = 1; i < s->n; i++)
        if (s->item[i].seen_ms < x->seen_ms)
            x = &s->item[i];
    return x;
}

void session_begin(struct sessions *s, const struct sockaddr *a, uint64_t now_ms) {
    uint8_t addr[16];
    address(a, addr);
    struct session *x = find(s, addr);
    if (!x)
        x = s->n < SESSIONS ? &s->item[s->n++] : longest_unseen(s);
    memcpy(x->addr, addr, 16);
    x->seen_ms = now_ms;
}

bool session_see(struct sessions *s, const struct sockaddr *a, uint64_t now_ms) {
    uint8_t addr[16];
    address(a, addr);
    struct session *x = find(s, addr);
    if (!x || has_ended(s, x, now_ms))
        return false;
    x->seen_ms = now_ms;
    return true;
}

size_t session_count(struct sessions *s, uint64_t now_ms) {
    for (size_t i = s->n; i-- > 0;)
        if (has_ended(s, &s->item[i], now_ms))
            s->item[i] = s->item[--s->n];
    return s->n;
}
