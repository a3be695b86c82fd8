/* reply: the ways to answer a request. */
#ifndef HTTPD_REPLY_H
#define HTTPD_REPLY_H

#include "request.h"

#define REPLY_TEXT "text/plain; charset=utf-8"

/* A response of n bytes (copied) with its type (NULL: none) and what every answer carries. */
struct MHD_Response *reply_make(const char *type, const void *p, size_t n);
void reply_header(struct MHD_Response *r, const char *name, const char *value);

void reply_bytes(struct request *q, unsigned status, const char *type, const void *p, size_t n);
/* Plain text "404: Not Found", with more in brackets when detail is not NULL. */
void reply_error(struct request *q, unsigned status, const char *detail);
/* The same with one more header. */
void reply_error_with(struct request *q, unsigned status, const char *header, const char *value);

/* JSON that is of this moment. */
void reply_json(struct request *q, unsigned status, const void *p, size_t n);
/* {"error":error} and a line feed, as the interface for devices has it. */
void reply_json_error(struct request *q, unsigned status, const char *error);
/* {"ok":false,"error":error} */
void reply_refusal(struct request *q, unsigned status, const char *error);

#endif
