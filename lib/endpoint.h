/* endpoint: what -i and -o name.
 *
 *   NAME          $TAPLINE_RUN/NAME.pub and NAME.rep, NNG over Unix sockets
 *   URL           an NNG URL: tcp://HOST:PORT, tls+tcp://HOST:PORT (tls.h), ipc://PATH; replies are
 *                 at the next port (tcp) or at PATH.rep (ipc)
 *   fifo:NAME     the named pipe $TAPLINE_RUN/NAME.fifo: one writer, one reader, the cost of a pipe
 *   -             standard input or output
 * It may be narrowed: -o NAME?PREFIX publishes only topics that begin with PREFIX, -i NAME?PREFIX
 * takes only those from this input.
 */
#ifndef TAPLINE_ENDPOINT_H
#define TAPLINE_ENDPOINT_H

#include <stdbool.h>

#include "err.h"
#include "msg.h"

enum endpoint_kind { ENDPOINT_STDIO, ENDPOINT_FIFO, ENDPOINT_NNG };

struct endpoint {
    enum endpoint_kind kind;
    char name[128];                 /* as given, without ?PREFIX */
    char pub[160];                  /* NNG URL of the pub socket, or the path of the fifo */
    char rep[160];                  /* NNG URL of the rep socket; "" when it has none */
    char prefix[MSG_TOPIC_MAX + 1]; /* "" = everything */
};

int endpoint_parse(struct endpoint *ep, const char *text, struct err *e);

/* Make the run directory when the endpoint lies in it: whoever comes first does. */
int endpoint_make_dir(const struct endpoint *ep, struct err *e);

/* Whether a topic could begin like this; "" does. */
bool endpoint_prefix_valid(const char *prefix);

/* A stage's or endpoint's plain name: letters, digits, _ - and dots inside; at most 48 bytes. */
bool endpoint_name_valid(const char *name);

#endif
