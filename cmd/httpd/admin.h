/* admin: who may change something in the pipeline over HTTP.
 *
 * Programs and pages of this machine (peer and Host both loopback, no proxy in between), and
 * whoever has the admin token. Never a page of another site: the body must be declared as JSON,
 * which a browser sends elsewhere only after asking, and an Origin must be this server. The Host is
 * looked at because a stranger's page may point its own name at 127.0.0.1 (DNS rebinding).
 */
#ifndef HTTPD_ADMIN_H
#define HTTPD_ADMIN_H

#include "request.h"

/* Read the token: from the file of --admin-token-file, else from TAPLINE_ADMIN_TOKEN. */
int admin_open(const struct httpd *h, struct err *e);

/* Whether text is the admin token. */
bool admin_token_is(const char *text);

/* Whether q may; else it has been answered, with 403 or (too many wrong tokens) 429. */
bool admin_allows(struct request *q);

#endif
