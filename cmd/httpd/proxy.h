/* proxy: the PROXY protocol's header, versions 1 and 2, by which a TLS terminator or load balancer
 * says whose connection it passes on (haproxy's doc/proxy-protocol.txt). Pure.
 */
#ifndef HTTPD_PROXY_H
#define HTTPD_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    PROXY_V1_MAX = 107,   /* bytes of a line of version 1, with its end */
    PROXY_V2_HEAD = 16,   /* version 2: signature, command, family, length */
    PROXY_MAX = 16 + 1024 /* that we take; addresses of version 2 have at most 216 */
};

struct proxy_client {
    struct sockaddr_storage addr; /* AF_UNSPEC: it does not say */
    socklen_t len;
    bool plain; /* it says that the client does not speak TLS (version 2 only) */
};

/* The header that p (n bytes) begins with: its length, with out filled; 0 when more is needed; -1
 * when it is none. */
int proxy_parse(const uint8_t *p, size_t n, struct proxy_client *out);

#endif
