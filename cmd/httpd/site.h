/* site: which pages may act here (--origin), what they may read (--cors), and by which names we may
 * be called (--host).
 *
 * They keep pages of strangers away that a browser near us shows, not programs, which need not say
 * where they come from. Without --origin, or with *, any page may; but a browser shows the login of
 * a protected site (--protect) by itself, so what that guards is then for the site's own pages.
 */
#ifndef HTTPD_SITE_H
#define HTTPD_SITE_H

#include "request.h"

bool site_origin_ok(const struct request *q);
void site_refuse_origin(struct request *q);

/* Whether an Origin is that of this server, as q calls it. */
bool site_is_ours(const struct request *q, const char *origin);

/* Whether another page's script may read the answer, or ask to (OPTIONS): what is read, and what
 * carries its own token. NULL, or the Origin to name in the answer. */
const char *site_may_read(const struct request *q);
/* The headers that tell the browser so. */
void site_let_read(const struct request *q, struct MHD_Response *r);
/* Answer OPTIONS. */
void site_preflight(struct request *q);

bool site_host_ok(const struct request *q);
void site_refuse_host(struct request *q);
/* Whether q may change something (POST and the like), as far as our name tells. A page that points
 * a name of its own at us (DNS rebinding) is no stranger to the browser; so without --host a
 * browser must have found us by an address or by a name that nobody can have on the internet. */
bool site_may_act(const struct request *q);
void site_refuse_act(struct request *q);

/* Whether text is one of the patterns in an item of the list; an empty list allows everything. */
bool site_listed(const struct opt_list *list, const char *text);
/* The name in a Host header, without port and brackets; false when it is too long. */
bool site_host_name(const char *host, char *name, size_t size);

#endif
