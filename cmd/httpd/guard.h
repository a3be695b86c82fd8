/* guard: who gets in. Asked when the head of a request is there and nothing of its body is read.
 *
 * A route with the word `token` is for those whose header Authorization is the token of
 * --token-file, and nothing else. With --protect everything else (but routes with the word `open`)
 * is for those who show the site's login: as HTTP Basic (RFC 7617); or, where it is a token, as
 * "Authorization: Bearer TOKEN", as ?token=TOKEN, or as the cookie that a page asked for with
 * ?token= sets. The admin token opens the site, too. Wrong ones are counted per address and then
 * not looked at for some seconds; none is ever logged, handed on or put into a message.
 */
#ifndef HTTPD_GUARD_H
#define HTTPD_GUARD_H

#include "request.h"

/* The options make sense; touches nothing. */
int guard_declare(const struct httpd *h, struct err *e);
/* Read the token and the login. */
int guard_open(const struct httpd *h, struct err *e);
/* All secrets have been read: none is left in the environment. */
void guard_forget(const struct httpd *h);

/* Whether q may go on; else it has been answered: 401, 429, or a redirection that takes the token
 * out of the URL. */
bool guard_lets_in(struct request *q);

#endif
