/* file: answers a request with a file or a part of it. */
#ifndef HTTPD_FILE_H
#define HTTPD_FILE_H

#include "request.h"

/* Send `path` below the directory dir (AT_FDCWD and any path for a file named by a route). beneath:
 * links that lead out of dir are not followed. Answers in any case. */
void file_serve(struct request *q, int dir, const char *path, bool beneath);

#endif
