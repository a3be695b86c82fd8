/* pages: what every set of rules does for the pages in browsers, which it reaches through wsfanout:
 * hears their JSON texts, puts those that said hello into a group, sends state as JSON.
 */
#ifndef DISPATCH_PAGES_H
#define DISPATCH_PAGES_H

#include "stage.h"

/* What a browser has said in a ws.text message, as a msgpack map that is valid until the next call;
 * NULL when it is no JSON or too long, which is told and counted in *bad. */
const struct buf *pages_heard(const struct msg *m, uint64_t *client, uint64_t *bad);

/* Put a client into a group (wsfanout forgets it with the client). */
void pages_join(struct stage *st, uint64_t client, const char *group);

/* Send text to one client, or, with client 0, to the group. mark: see wsfanout; 0 = none. */
void pages_send(struct stage *st, const char *topic, uint64_t client, const char *group,
                const struct buf *text, uint64_t mark);

#endif
