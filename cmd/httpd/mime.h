/* mime: content types by file name. */
#ifndef HTTPD_MIME_H
#define HTTPD_MIME_H

#include <stdbool.h>

struct mime {
    const char *extension; /* lower case, without the dot */
    const char *type;
    bool text; /* shrinks, so that a .gz beside it may be there */
};

/* Never NULL: what is not known is application/octet-stream. */
const struct mime *mime_of(const char *file);

#endif
