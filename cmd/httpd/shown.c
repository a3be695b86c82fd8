#include "shown.h"

#include <nettle/base64.h>
#include <string.h>
#include <strings.h>

#include "conn.h"
#include "secret.h"
#include "tries.h"

enum { ENCODED_MAX = BASE64_ENCODE_RAW_LENGTH(SECRET_MAX) };

static struct tries tries;

/* What follows the scheme's name, or NULL when another scheme is used. */
static const char *behind(const struct request *q, const char *scheme) {
    const char *s = request_header(q, "Authorization");
    size_t n = strlen(scheme);
    if (!s || strncasecmp(s, scheme, n) != 0 || s[n] != ' ')
        return NULL;
    return s + n + strspn(s + n, " ");
}

const char *shown_bearer(const struct request *q) {
    return behind(q, "Bearer");
}

ssize_t shown_basic(const struct request *q, char *out, size_t size) {
    const char *text = behind(q, "Basic");
    size_t n = text ? strlen(text) : 0, decoded = size;
    struct base64_decode_ctx ctx;
    if (!text || n > ENCODED_MAX || BASE64_DECODE_LENGTH(n) > size)
        return -1;
    base64_decode_init(&ctx);
    if (!base64_decode_update(&ctx, &decoded, (uint8_t *)out, n, text) ||
        !base64_decode_final(&ctx))
        return -1;
    return (ssize_t)decoded;
}

bool shown_may_try(const struct request *q) {
    return tries_left(&tries, tries_who(conn_address(q->conn)), clock_mono_ns());
}

void shown_was_wrong(const struct request *q) {
    tries_wrong(&tries, tries_who(conn_address(q->conn)), clock_mono_ns());
}
