/* site: which pages may act here (--origin), and by which names we may be called (--host).
 *
 * Both keep pages of strangers away that a browser near us shows, not programs, which need not say
 * where they come from.
 */
#ifndef HTTPD_SITE_H
#define HTTPD_SITE_H

#include "request.h"

bool site_origin_ok(const struct request *q);
void site_refuse_origin(struct request *q);

bool site_host_ok(const struct request *q);
void site_refuse_host(struct request *q);

/* Whether text is one of the patterns in an item of the list; an empty list allows everything. */
bool site_listed(const struct opt_list *list, const char *text);
/* The name in a Host header, without port and brackets; false when it is too long. */
bool site_host_name(const char *host, char *name, size_t size);

#endif
