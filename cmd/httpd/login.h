/* login: what is said to those who are not let in, and the token in a URL. */
#ifndef HTTPD_LOGIN_H
#define HTTPD_LOGIN_H

#include "request.h"

/* 401 with how as its WWW-Authenticate. form: a browser that wants a page gets one into which the
 * token can be typed. */
void login_ask(struct request *q, const char *how, bool form);

/* 429: wait. */
void login_too_many(struct request *q);

/* Take token=TEXT out of q's query, for good, and decode it into out. False when it has none; out
 * is "" when it does not fit. */
bool login_take_token(struct request *q, char *out, size_t size);

/* 303 to the same URL as it is now (without the token), with that cookie. */
void login_redirect(struct request *q, const char *cookie);

#endif
