/* secret: a token or password that somebody must show. The text itself is not kept.
 *
 * It comes from the first line of a file or from the environment, never from the command line, and
 * is told to nobody. Needs -lnettle.
 */
#ifndef TAPLINE_SECRET_H
#define TAPLINE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum {
    SECRET_MAX = 512,   /* bytes */
    SECRET_DIGEST = 32, /* SHA-256 */
    SECRET_DERIVED = 2 * SECRET_DIGEST + 1
};

struct secret {
    uint8_t digest[SECRET_DIGEST];
    bool set;
};

/* Whether there is a file's name or a variable env that is not empty; both may be NULL. */
bool secret_given(const char *file, const char *env);

/* Read it from file or, when file is NULL, from the variable env; without either s stays unset.
 * what: "the admin token", for errors. Fewer than min bytes are an error (CAUSE_USAGE). Warns when
 * others may read the file. */
int secret_load(struct secret *s, const char *file, const char *env, const char *what, size_t min,
                struct err *e);

/* Whether the n bytes given are it. Digests are compared, so neither length nor content of what is
 * given changes the time that takes. Nothing is right when s is not set. */
bool secret_is(const struct secret *s, const void *given, size_t n);

/* A word of hexadecimal digits that only the owner of the secret can make: HMAC-SHA256 of purpose,
 * with the digest as its key. */
const char *secret_derive(const struct secret *s, const char *purpose, char out[SECRET_DERIVED]);

#endif
