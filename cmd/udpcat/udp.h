/* udp: one UDP socket on the loop. */
#ifndef UDPCAT_UDP_H
#define UDPCAT_UDP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <uv.h>

#include "err.h"
#include "flood.h"
#include "netlist.h"

enum {
    UDP_BATCH = 32,        /* datagrams of one turn of the loop */
    UDP_BYTES = 65507,     /* of the largest datagram */
    UDP_RCVBUF = 1 << 20,  /* what the kernel may keep for us */
    UDP_HOST = 46 + 1 + 16 /* an IPv6 address with its interface, and NUL */
};

/* One that has come; valid during the call. */
struct datagram {
    const uint8_t *data;
    size_t len;
    const struct sockaddr *from;
    uint64_t time_ns;
};

struct udp {
    int fd; /* -1 = none */
    bool paused;
    int family; /* of the socket */
    size_t max; /* bytes of a datagram; a longer one is dropped */
    struct netlist from;
    struct flood flood;
    uint64_t received, sent, foreign, too_long, flooded, overrun, unsent; /* counts */
    void (*on_datagram)(void *ctx, const struct datagram *d);
    void *ctx;
    uint32_t kernel_drops; /* as the kernel counts them for this socket */
    uint8_t *mem;          /* UDP_BATCH pieces of max + 1 bytes */
    uv_poll_t poll;
};

/* Listen at where ("0.0.0.0:5200"). option: its name, for errors. */
int udp_open(struct udp *u, uv_loop_t *loop, const char *where, const char *option, struct err *e);
/* While paused the kernel keeps UDP_RCVBUF bytes and then drops, which is counted (overrun). */
void udp_pause(struct udp *u, bool paused);
/* Send at once; -1 with the reason when it cannot go. A datagram is never kept. */
int udp_send(struct udp *u, const char *host, unsigned port, const void *p, size_t n,
             struct err *e);
/* Memory of u must live until the loop has run once more. */
void udp_close(struct udp *u);

/* The address without port and how the port is found; IPv4 mapped into IPv6 is shown as IPv4. */
const char *udp_host(const struct sockaddr *a, char out[UDP_HOST]);
unsigned udp_port(const struct sockaddr *a);
/* "192.168.1.20", "fe80::1%eth0" and a port to an address; for a socket of AF_INET6 an IPv4 address
 * is mapped. False when it is no such text, or IPv6 for a socket of AF_INET. */
bool udp_address(int family, const char *host, unsigned port, struct sockaddr_storage *a,
                 socklen_t *len);

#endif
