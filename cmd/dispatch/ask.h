/* ask: requests that come from people (tapline req) or, through httpd's action `ask`, from pages.
 */
#ifndef DISPATCH_ASK_H
#define DISPATCH_ASK_H

#include "rpc.h"

/* Whether httpd passes it on. */
bool ask_is_http(const uint8_t *body, size_t n);

/* A page of another site can post a form, but JSON only if we allowed it: what acts is done only
 * for JSON. False for people. */
bool ask_from_stranger(const uint8_t *body, size_t n);
extern const char ask_stranger_text[];

/* For people an error, for pages {ok: false, error} with a status. */
void ask_refuse(struct rpc_call *call, bool http, unsigned status, const char *why);

/* The decoded value of a key of a query string; false when it is missing or too long. */
bool ask_query(const char *query, const char *key, char *out, size_t size);
/* The same as a whole number of at most 18 digits. */
bool ask_query_number(const char *query, const char *key, uint64_t *v);

#endif
