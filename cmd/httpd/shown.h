/* shown: what a request shows to be let in, and how often an address may show something wrong. */
#ifndef HTTPD_SHOWN_H
#define HTTPD_SHOWN_H

#include "request.h"

/* The text behind "Bearer" in the header Authorization, or NULL. */
const char *shown_bearer(const struct request *q);

/* USER:PASSWORD of "Authorization: Basic" (RFC 7617), decoded into out; bytes, -1 when it has none
 * or it is too long. */
ssize_t shown_basic(const struct request *q, char *out, size_t size);

/* Whether the address q comes from may show something now (lib/tries.h): one count for all tokens
 * and passwords of this httpd. */
bool shown_may_try(const struct request *q);
/* It was wrong. */
void shown_was_wrong(const struct request *q);

#endif
