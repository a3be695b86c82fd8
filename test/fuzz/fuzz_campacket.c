/* Fuzz: the reader of camera packets.
 *
 * Data: the stream, after one byte that says in what pieces it comes (0: all at once).
 * Checked: the packets found do not depend on the pieces; each is whole and its checksum right; the
 * reader always moves on and never wants more than it says; settings survive.
 */
#include "codec/campacket.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

const char *const fuzz_words[] = {"\xff", "\x02\x01",     "\x01",
                                  "\x06", "1111",         "\xfc",
                                  "\xfa", "\xff\x02\x01", "\xff\x01\x01\x01\x01\x01",
                                  NULL};

enum { MAX = 64 };

struct trace {
    uint64_t hash; /* FNV-1a over all packets */
    size_t packets, broken, garbage;
};

static void require(bool ok) {
    if (!ok)
        abort();
}

static void packet_check(struct trace *t, const struct campacket *c) {
    uint8_t again[MAX + CAMPACKET_OVERHEAD];
    require(c->len <= MAX);
    size_t n = campacket_put(again, c->id, c->type, c->payload, c->len);
    require(memcmp(again, c->payload - CAMPACKET_HEAD, n) == 0);
    for (size_t i = 0; i < n; i++)
        t->hash = (t->hash ^ again[i]) * 1099511628211ull;
    t->packets++;
    if (c->len >= CAMPACKET_SETTINGS_SET) {
        struct camsettings s;
        uint8_t p[CAMPACKET_SETTINGS];
        camsettings_get(c->payload, &s);
        camsettings_put(p, &s);
        require(memcmp(p, c->payload, CAMPACKET_SETTINGS_SET) == 0);
    }
}

/* A block of its own for each look, so that AddressSanitizer sees a read past its end. */
static enum campacket_found look(const uint8_t *p, size_t n, struct trace *t, size_t *used) {
    uint8_t *block = malloc(n ? n : 1);
    struct campacket c;
    memcpy(block, p, n);
    enum campacket_found f = campacket_next(block, n, MAX, &c, used);
    require(*used <= n && (f == CAMPACKET_MORE) == (*used == 0));
    if (f == CAMPACKET_OK)
        packet_check(t, &c);
    t->broken += f == CAMPACKET_LONG || f == CAMPACKET_CHECKSUM;
    t->garbage += f == CAMPACKET_GARBAGE ? *used : 0;
    free(block);
    return f;
}

static void run(const uint8_t *p, size_t n, size_t piece, struct trace *t) {
    size_t from = 0, to = 0, used;
    while (to < n) {
        to = n - to < piece ? n : to + piece;
        while (look(p + from, to - from, t, &used) != CAMPACKET_MORE)
            from += used;
        require(to - from < MAX + CAMPACKET_OVERHEAD);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct trace whole = {0}, pieces = {0};
    if (n < 2)
        return 0;
    run(data + 1, n - 1, n, &whole);
    run(data + 1, n - 1, data[0] ? data[0] : n, &pieces);
    require(whole.hash == pieces.hash && whole.packets == pieces.packets);
    require(whole.broken == pieces.broken && whole.garbage == pieces.garbage);
    return 0;
}
