#include "tls.h"

#include <errno.h>
#include <fcntl.h>
#include <nng/supplemental/tls/tls.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"

#define SCHEME "tls+tcp://"

enum { FILE_MAX = 1 << 20 };

/* ---- files ---- */

static const char *named(const char *env) {
    const char *path = getenv(env);
    return path && *path ? path : NULL;
}

/* The whole file and a NUL behind it. */
static int read_file(struct buf *b, const char *env, const char *path, struct err *e) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return err_errno(e, errno, "cannot open %s=%.150s", env, path);
    ssize_t n = 1;
    while (n > 0 && buf_len(b) <= FILE_MAX)
        if ((n = read(fd, buf_reserve(b, 4096), 4096)) > 0)
            buf_added(b, (size_t)n);
    int no = errno;
    close(fd);
    buf_putc(b, 0);
    if (n < 0)
        return err_errno(e, no, "cannot read %s=%.150s", env, path);
    if (n > 0)
        return err_set(e, CAUSE_USAGE, "%s=%.150s: longer than 1 MB", env, path);
    return 0;
}

/* ---- certificates ---- */

static int refused(const char *env, int r, struct err *e) {
    return err_set(e, CAUSE_USAGE, "%s=%.150s: %s (a file in PEM is needed)", env, named(env),
                   nng_strerror(r));
}

static int set_ca(nng_tls_config *c, struct err *e) {
    static const char env[] = "TAPLINE_TLS_CA";
    struct buf text = {0};
    int r = read_file(&text, env, named(env), e);
    if (r == 0 && (r = nng_tls_config_ca_chain(c, (const char *)buf_data(&text), NULL)) != 0)
        r = refused(env, r, e);
    buf_free(&text);
    return r;
}

static int set_cert(nng_tls_config *c, struct err *e) {
    static const char cert_env[] = "TAPLINE_TLS_CERT", key_own[] = "TAPLINE_TLS_KEY";
    const char *key_env = named(key_own) ? key_own : cert_env;
    struct buf cert = {0}, key = {0};
    int r = read_file(&cert, cert_env, named(cert_env), e);
    if (r == 0)
        r = read_file(&key, key_env, named(key_env), e);
    if (r == 0) {
        r = nng_tls_config_own_cert(c, (const char *)buf_data(&cert), (const char *)buf_data(&key),
                                    NULL);
        if (r != 0)
            r = err_set(e, CAUSE_USAGE,
                        "%s=%.80s with the private key of %s=%.80s: %s (both in PEM, the key"
                        " without a passphrase)",
                        cert_env, named(cert_env), key_env, named(key_env), nng_strerror(r));
    }
    buf_free(&key);
    buf_free(&cert);
    return r;
}

/* For [::1]:7000 and host:7000. */
static void host_of(const char *url, char *out, size_t size) {
    const char *at = url + strlen(SCHEME);
    size_t n = *at == '[' ? strcspn(++at, "]") : strcspn(at, ":");
    n = n < size ? n : size - 1;
    memcpy(out, at, n);
    out[n] = 0;
}

static int set_all(nng_tls_config *c, bool listens, const char *url, struct err *e) {
    char host[128];
    if (named("TAPLINE_TLS_CERT") && set_cert(c, e) < 0)
        return -1;
    if (named("TAPLINE_TLS_CA") && set_ca(c, e) < 0)
        return -1;
    if (nng_tls_config_version(c, NNG_TLS_1_2, NNG_TLS_1_2) != 0)
        return err_set(e, CAUSE_FAILED, "%s: NNG's TLS does not know TLS 1.2", url);
    if (listens)
        return nng_tls_config_auth_mode(c, named("TAPLINE_TLS_CA") ? NNG_TLS_AUTH_MODE_REQUIRED
                                                                   : NNG_TLS_AUTH_MODE_NONE);
    const char *name = named("TAPLINE_TLS_NAME");
    host_of(url, host, sizeof host);
    return nng_tls_config_server_name(c, name ? name : host);
}

/* NULL with a text. */
static nng_tls_config *make_config(bool listens, const char *url, struct err *e) {
    nng_tls_config *c;
    const char *env = listens ? "TAPLINE_TLS_CERT" : "TAPLINE_TLS_CA";
    if (!named(env)) {
        err_set(e, CAUSE_USAGE, "%s: %s must name a file (PEM) of %s", url, env,
                listens ? "our certificate and its key" : "the certificates we trust");
        return NULL;
    }
    int r = nng_tls_config_alloc(&c, listens ? NNG_TLS_MODE_SERVER : NNG_TLS_MODE_CLIENT);
    if (r != 0) {
        err_set(e, CAUSE_FAILED, "%s: NNG's TLS: %s", url, nng_strerror(r));
        return NULL;
    }
    if ((r = set_all(c, listens, url, e)) == 0)
        return c;
    if (r > 0)
        err_set(e, CAUSE_FAILED, "%s: NNG's TLS: %s", url, nng_strerror(r));
    nng_tls_config_free(c);
    return NULL;
}

/* ---- sockets ---- */

static bool is_tls(const char *url) {
    return strncmp(url, SCHEME, strlen(SCHEME)) == 0;
}

const char *tls_silence(const char *url) {
    return strstr(url, SCHEME)
               ? "nobody answers there, or one of us does not trust the other's certificate"
               : "nobody answers there";
}

int tls_listen(nng_socket s, const char *url, struct err *e) {
    nng_listener l;
    if (!is_tls(url))
        return nng_listen(s, url, NULL, 0);
    nng_tls_config *c = make_config(true, url, e);
    if (!c)
        return -1;
    int r = nng_listener_create(&l, s, url);
    if (r == 0)
        r = nng_listener_set_ptr(l, NNG_OPT_TLS_CONFIG, c);
    nng_tls_config_free(c);
    return r ? r : nng_listener_start(l, 0);
}

int tls_dial(nng_socket s, const char *url, struct err *e) {
    nng_dialer d;
    if (!is_tls(url))
        return nng_dial(s, url, NULL, NNG_FLAG_NONBLOCK);
    nng_tls_config *c = make_config(false, url, e);
    if (!c)
        return -1;
    int r = nng_dialer_create(&d, s, url);
    if (r == 0)
        r = nng_dialer_set_ptr(d, NNG_OPT_TLS_CONFIG, c);
    nng_tls_config_free(c);
    return r ? r : nng_dialer_start(d, NNG_FLAG_NONBLOCK);
}
