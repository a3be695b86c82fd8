/* endless: what responses that never end by themselves have in common: one viewer, whose connection
 * rests while there is nothing for it.
 */
#ifndef HTTPD_ENDLESS_H
#define HTTPD_ENDLESS_H

#include "request.h"

/* The first member of what its owner knows of the viewer. */
struct endless {
    struct endless *prev, *next;
    struct MHD_Connection *mhd; /* valid until MHD frees the response */
    struct request *q;          /* the same */
    int fd;
    bool suspended, cut; /* cut: it has gone, which MHD is to be told */
};

/* One more of the list: the viewer that asks. */
void endless_link(struct endless *v, struct endless **list, struct request *q);
void endless_unlink(struct endless *v, struct endless **list);

/* The response; MHD asks more(v, ...) for blocks of so many bytes and calls ended(v) when it frees
 * it. NULL: there is no memory; ended(v) and the answer to the viewer are done. */
struct MHD_Response *endless_response(struct endless *v, const char *type, size_t block,
                                      MHD_ContentReaderCallback more,
                                      MHD_ContentReaderFreeCallback ended);

/* For more(): as much of a piece as there is room for; *sent bytes of it have been sent. */
size_t endless_copy(const char *piece, size_t size, size_t *sent, char *out, size_t room);
/* ... and its result: n bytes; without any the connection rests until endless_resume. */
ssize_t endless_gave(struct endless *v, size_t n);

void endless_resume(struct endless *v);
void endless_resume_all(struct endless *list);
/* Whether a viewer that rests has gone. MHD does not look at a connection that is suspended. */
bool endless_gone(const struct endless *v);

#endif
