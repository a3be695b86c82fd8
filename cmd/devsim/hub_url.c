#include "hub_url.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "secret_env.h"

static const struct {
    const char *text, *port;
    enum hub_scheme scheme;
} schemes[] = {{"ws://", "80", HUB_WS},
               {"http://", "80", HUB_HTTP},
               {"udp://", "5200", HUB_UDP},
               {"udp:", "5200", HUB_UDP}};

/* The part behind the scheme; NULL = none that we know. */
static const char *take_scheme(struct hub_url *u, const char *text) {
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t n = strlen(schemes[i].text);
        if (strncmp(text, schemes[i].text, n) == 0) {
            u->scheme = schemes[i].scheme;
            snprintf(u->port, sizeof u->port, "%s", schemes[i].port);
            return text + n;
        }
    }
    return NULL;
}

static bool is_port(const char *s) {
    size_t n = strspn(s, "0123456789");
    return n >= 1 && n <= 5 && s[n] == 0 && atoi(s) >= 1 && atoi(s) <= 65535;
}

/* HOST, HOST:PORT, [IPv6], [IPv6]:PORT, which are in u->authority. */
static bool take_authority(struct hub_url *u) {
    const char *a = u->authority, *end = *a == '[' ? strchr(a, ']') : NULL;
    const char *colon = *a == '[' ? (end ? end + 1 : "?") : strrchr(a, ':');
    if (*a == '[')
        snprintf(u->host, sizeof u->host, "%.*s", end ? (int)(end - a - 1) : 0, a + 1);
    else
        snprintf(u->host, sizeof u->host, "%.*s", colon ? (int)(colon - a) : HUB_URL_PART, a);
    if (!*u->host || (*a != '[' && strchr(u->host, ':')))
        return false;
    if (!colon || !*colon)
        return true;
    if (*colon != ':' || !is_port(colon + 1))
        return false;
    snprintf(u->port, sizeof u->port, "%s", colon + 1);
    return true;
}

/* No byte of it may end a line of a request. */
static bool is_plain(const char *s) {
    while (*s > ' ' && *s < 0x7f)
        s++;
    return *s == 0;
}

int hub_url_parse(struct hub_url *u, const char *text, const char *option, struct err *e) {
    memset(u, 0, sizeof *u);
    const char *rest = take_scheme(u, text);
    if (strncmp(text, "wss:", 4) == 0 || strncmp(text, "https:", 6) == 0)
        return err_set(e, CAUSE_USAGE,
                       "%s %s: simulated devices speak no TLS (run stunnel in client mode, or give "
                       "the port behind it)",
                       option, text);
    size_t n = rest ? strcspn(rest, "/?#") : 0;
    if (!rest || n >= sizeof u->authority || strlen(rest + n) >= sizeof u->path || !is_plain(text))
        return err_set(e, CAUSE_USAGE,
                       "%s %.80s: ws://HOST:PORT/PATH, http://HOST:PORT or udp:HOST:PORT is wanted",
                       option, text);
    memcpy(u->authority, rest, n);
    if (u->scheme != HUB_UDP)
        snprintf(u->path, sizeof u->path, "%s", rest[n] == '/' ? rest + n : "/");
    return take_authority(u) ? 0
                             : err_set(e, CAUSE_USAGE, "%s %s: \"%s\" is no HOST:PORT", option,
                                       text, u->authority);
}

int hub_url_find(struct hub_url *u, struct err *e) {
    const struct addrinfo want = {.ai_socktype = u->scheme == HUB_UDP ? SOCK_DGRAM : SOCK_STREAM};
    struct addrinfo *found = NULL;
    int r = getaddrinfo(u->host, u->port, &want, &found);
    if (r != 0)
        return err_set(e, CAUSE_ABSENT, "cannot find the host %s: %s", u->host, gai_strerror(r));
    memcpy(&u->addr, found->ai_addr, found->ai_addrlen);
    u->addr_len = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

/* A datagram socket that is "connected" sends nothing, but knows which way it would. */
void hub_url_self(const struct hub_url *u, char out[64]) {
    struct sockaddr_storage self;
    socklen_t n = sizeof self;
    int fd = socket(u->addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    *out = 0;
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)&u->addr, u->addr_len) < 0 ||
        getsockname(fd, (struct sockaddr *)&self, &n) < 0 ||
        getnameinfo((struct sockaddr *)&self, n, out, 64, NULL, 0, NI_NUMERICHOST) != 0)
        *out = 0;
    close(fd);
}

/* ---- token ---- */

static int read_line(char out[HUB_TOKEN_MAX], const char *path, struct err *e) {
    FILE *f = fopen(path, "re");
    if (!f)
        return err_errno(e, errno, "cannot read the token in %s", path);
    size_t n = fread(out, 1, HUB_TOKEN_MAX - 1, f);
    int error = ferror(f) ? errno : 0;
    fclose(f);
    if (error)
        return err_errno(e, error, "cannot read the token in %s", path);
    out[n] = 0;
    out[strcspn(out, "\r\n")] = 0;
    return 0;
}

int hub_token_read(char out[HUB_TOKEN_MAX], const char *file, const char *env, struct err *e) {
    const char *value = getenv(env);
    if (file && read_line(out, file, e) < 0)
        return -1;
    if (!file)
        snprintf(out, HUB_TOKEN_MAX, "%s", value ? value : "");
    secret_env_forget(env);
    secret_env_forget_all();
    for (const char *s = out; *s; s++)
        if ((unsigned char)*s < ' ' || *s == '"' || *s == '\\' || *s == 0x7f)
            return err_set(e, CAUSE_USAGE,
                           "the token in %s has a control character, quote or backslash",
                           file ? file : env);
    return 0;
}
