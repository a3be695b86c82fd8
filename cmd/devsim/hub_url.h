/* hub_url: where a simulated camera or game finds its hub, and the token it shows there.
 */
#ifndef DEVSIM_HUB_URL_H
#define DEVSIM_HUB_URL_H

#include <stdbool.h>
#include <sys/socket.h>

#include "err.h"

enum hub_scheme { HUB_WS, HUB_HTTP, HUB_UDP };

enum { HUB_URL_PART = 256, HUB_TOKEN_MAX = 512 };

struct hub_url {
    enum hub_scheme scheme;
    char host[HUB_URL_PART], port[8];
    char path[HUB_URL_PART];      /* with the slash it begins with; "" for udp */
    char authority[HUB_URL_PART]; /* as the Host header has it */
    struct sockaddr_storage addr; /* after hub_url_find */
    socklen_t addr_len;
};

/* ws://HOST[:PORT][/PATH], http://HOST[:PORT][/PATH], udp:HOST:PORT or udp://HOST:PORT; [::1] for
 * an IPv6 address. option: for errors (CAUSE_USAGE). */
int hub_url_parse(struct hub_url *u, const char *text, const char *option, struct err *e);

/* Look the host up; blocks as long as the resolver does. */
int hub_url_find(struct hub_url *u, struct err *e);

/* Our own address on the way there, without port; "" = unknown. */
void hub_url_self(const struct hub_url *u, char out[64]);

/* The first line of the file, or when it is NULL the environment's variable; "" when neither is
 * there. -1 when the file cannot be read, or the token cannot stand in a header. Once: the
 * environment is forgotten (secret_env.h). */
int hub_token_read(char out[HUB_TOKEN_MAX], const char *file, const char *env, struct err *e);

#endif
