/* request: one HTTP request, from its first line to the end of the answer.
 *
 * It belongs to its connection and is used again for the next one. An action answers by handing
 * over a response (reply.h), inside serve or, after request_suspend, at any time later.
 */
#ifndef HTTPD_REQUEST_H
#define HTTPD_REQUEST_H

#include "httpd.h"

struct request {
    /* Of this request alone. */
    const char *raw_path; /* in uri, not NUL-terminated */
    size_t raw_path_len;
    const char *query;            /* in uri, what follows the ?; "" when none */
    const char *method, *version; /* valid until the request has ended */
    const struct route *route;    /* known once the head is there; NULL: none */
    unsigned allow;               /* methods that the path has */
    char user[64];                /* whose login it showed; "" = nobody's */
    uint64_t started_ns, time_ns; /* monotonic, wall clock */
    size_t body_total;
    bool begun, served, suspended;
    unsigned status;
    uint64_t size;                 /* bytes of the answer's body */
    struct MHD_Response *response; /* waits to be queued; owned */
    /* Kept for the next one. */
    struct httpd *h;
    struct conn *conn;
    struct MHD_Connection *mhd;
    struct buf uri; /* as it came, NUL-terminated */
    struct buf body;
    struct path path;
};

/* MHD's callbacks. */
void *request_uri(void *cls, const char *uri, struct MHD_Connection *c);
enum MHD_Result request_handle(void *cls, struct MHD_Connection *c, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **ctx);
void request_completed(void *cls, struct MHD_Connection *c, void **ctx,
                       enum MHD_RequestTerminationCode why);

/* The value of a header of the request, or NULL. */
const char *request_header(const struct request *q, const char *name);
/* Whether any header of that name has the token in its comma-separated list, without regard to case
 * and not with the parameter q=0. */
bool request_has_token(const struct request *q, const char *name, const char *token);

/* The value of a parameter of the query, decoded; "" when it has none. */
const char *request_query(const struct request *q, const char *name);

/* The answer comes later. */
void request_suspend(struct request *q);
/* Answer with r, which is taken over. size: bytes of its body. A NULL r (no memory) cuts the
 * connection. */
void request_answer(struct request *q, unsigned status, struct MHD_Response *r, uint64_t size);

/* The server stops: answer what is suspended, end the rest of the objects. */
void request_abandon(struct request *q);
void request_free(struct request *q);

#endif
