#include "netlist.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES = 64, MAPPED_BITS = 96 };

static const char SEPARATORS[] = ", ";
static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static const struct {
    const char *word, *nets;
} words[] = {{"loopback", "127.0.0.0/8,::1"},
             {"private", "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,fc00::/7,"
                         "fe80::/10,loopback"},
             {"any", "0.0.0.0/0,::/0"}};

static bool parse_bits(const char *text, unsigned most, unsigned *bits) {
    if (!*text || text[strspn(text, "0123456789")] || strlen(text) > 3)
        return false;
    *bits = (unsigned)atoi(text);
    return *bits <= most;
}

/* word is cut at its slash. */
static bool parse(struct net *net, char *word) {
    char *slash = strchr(word, '/');
    unsigned bits;
    if (slash)
        *slash++ = 0;
    if (inet_pton(AF_INET, word, net->addr + sizeof MAPPED) == 1) {
        memcpy(net->addr, MAPPED, sizeof MAPPED);
        net->bits = 128;
        if (slash && !parse_bits(slash, 32, &bits))
            return false;
        if (slash)
            net->bits = MAPPED_BITS + bits;
        return true;
    }
    net->bits = 128;
    return inet_pton(AF_INET6, word, net->addr) == 1 &&
           (!slash || parse_bits(slash, 128, &net->bits));
}

static int add_word(struct netlist *l, const char *word, size_t n, const char *option,
                    struct err *e) {
    char copy[WORD_BYTES];
    struct net net = {.bits = 0};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].word) == n && memcmp(words[i].word, word, n) == 0)
            return netlist_add(l, words[i].nets, option, e);
    if (n < sizeof copy) {
        memcpy(copy, word, n);
        copy[n] = 0;
    }
    if (n >= sizeof copy || !parse(&net, copy))
        return err_set(e, CAUSE_USAGE,
                       "%s: \"%.*s\" is no network (write 192.168.1.0/24, fd00::/8, loopback, "
                       "private or any)",
                       option, (int)(n < WORD_BYTES ? n : WORD_BYTES), word);
    if (l->n == NETLIST_MAX)
        return err_set(e, CAUSE_USAGE, "%s: more than %d networks", option, NETLIST_MAX);
    l->item[l->n++] = net;
    return 0;
}

int netlist_add(struct netlist *l, const char *text, const char *option, struct err *e) {
    for (const char *s = text + strspn(text, SEPARATORS); *s; s += strspn(s, SEPARATORS)) {
        size_t n = strcspn(s, SEPARATORS);
        if (add_word(l, s, n, option, e) < 0)
            return -1;
        s += n;
    }
    return 0;
}

static bool is_in(const struct net *net, const uint8_t addr[16]) {
    unsigned bytes = net->bits / 8, rest = net->bits % 8;
    if (memcmp(net->addr, addr, bytes) != 0)
        return false;
    return !rest || ((net->addr[bytes] ^ addr[bytes]) >> (8 - rest)) == 0;
}

bool netlist_has(const struct netlist *l, const struct sockaddr *a) {
    uint8_t addr[16];
    if (a->sa_family == AF_INET) {
        memcpy(addr, MAPPED, sizeof MAPPED);
        memcpy(addr + sizeof MAPPED, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
    } else if (a->sa_family == AF_INET6) {
        memcpy(addr, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, 16);
    } else {
        return false;
    }
    for (size_t i = 0; i < l->n; i++)
        if (is_in(&l->item[i], addr))
            return true;
    return false;
}
