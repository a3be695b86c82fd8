/* server: libmicrohttpd inside the stage's loop. */
#ifndef HTTPD_SERVER_H
#define HTTPD_SERVER_H

#include "httpd.h"

/* Listen and start; logs where. */
int server_open(struct httpd *h, struct err *e);
/* Let MHD work on what has changed outside its own events. */
void server_run(struct httpd *h);
/* Stop accepting, end what is idle, give the rest a moment; then the stage has stopped. */
void server_stop(struct httpd *h);
void server_close(struct httpd *h);

#endif
