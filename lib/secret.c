#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

static void digest(const void *p, size_t n, uint8_t out[SECRET_DIGEST]) {
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, n, p);
    sha256_digest(&ctx, SECRET_DIGEST, out);
}

static bool is_there(const char *env) {
    const char *value = env ? getenv(env) : NULL;
    return value && *value;
}

bool secret_given(const char *file, const char *env) {
    return file || is_there(env);
}

static int set(struct secret *s, const char *from, const char *text, const char *what, size_t min,
               struct err *e) {
    static const char blanks[] = " \t\r";
    text += strspn(text, blanks);
    size_t n = strcspn(text, "\n");
    while (n > 0 && strchr(blanks, text[n - 1]))
        n--;
    if (n < min || n > SECRET_MAX)
        return err_set(e, CAUSE_USAGE, "%s: %s has %zu bytes, at %s %zu are %s", from, what, n,
                       n < min ? "least" : "most", n < min ? min : (size_t)SECRET_MAX,
                       n < min ? "needed" : "allowed");
    digest(text, n, s->digest);
    s->set = true;
    return 0;
}

static ssize_t read_file(const char *file, const char *what, char *out, size_t size) {
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, out, size);
    int no = errno;
    if (fstat(fd, &st) == 0 && st.st_mode & 077)
        log_warn("%s: others may read %s (chmod 600)", file, what);
    close(fd);
    errno = no;
    return n;
}

int secret_load(struct secret *s, const char *file, const char *env, const char *what, size_t min,
                struct err *e) {
    char text[SECRET_MAX + 16];
    *s = (struct secret){.set = false};
    if (!file)
        return is_there(env) ? set(s, env, getenv(env), what, min, e) : 0;
    ssize_t n = read_file(file, what, text, sizeof text - 1);
    if (n < 0)
        return err_errno(e, errno, "cannot read %s in %s", what, file);
    text[n] = 0;
    int r = set(s, file, text, what, min, e);
    explicit_bzero(text, sizeof text);
    return r;
}

bool secret_is(const struct secret *s, const void *given, size_t n) {
    uint8_t d[SECRET_DIGEST];
    digest(given, n, d);
    return memeql_sec(d, s->digest, sizeof d) && s->set;
}

const char *secret_derive(const struct secret *s, const char *purpose, char out[SECRET_DERIVED]) {
    struct hmac_sha256_ctx ctx;
    uint8_t d[SECRET_DIGEST];
    hmac_sha256_set_key(&ctx, sizeof s->digest, s->digest);
    hmac_sha256_update(&ctx, strlen(purpose), (const uint8_t *)purpose);
    hmac_sha256_digest(&ctx, sizeof d, d);
    for (size_t i = 0; i < sizeof d; i++)
        snprintf(out + 2 * i, 3, "%02x", d[i]);
    return out;
}
