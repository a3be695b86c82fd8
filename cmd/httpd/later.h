/* later: frees what has handles on the loop, once they are closed. */
#ifndef HTTPD_LATER_H
#define HTTPD_LATER_H

#include <uv.h>

/* Call release(p) when every handle that uv_close was called for until now has had its callback. */
void later(uv_loop_t *loop, void (*release)(void *p), void *p);

#endif
