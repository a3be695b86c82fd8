/* tls: NNG sockets listen and dial at the URLs of endpoints, with certificates where the URL begins
 * with tls+tcp://.
 *
 * Environment, each a file in PEM:
 *   TAPLINE_TLS_CERT  our certificate, and behind it those between it and the authority's
 *   TAPLINE_TLS_KEY   its private key, not encrypted; without it the key is in TAPLINE_TLS_CERT
 *   TAPLINE_TLS_CA    the authorities we trust
 * and TAPLINE_TLS_NAME, the name that a certificate must be for; without it the host of the URL.
 *
 * Who listens needs a certificate; with authorities it lets in only who shows one of theirs. Who
 * dials needs authorities, and may have a certificate. mbedTLS 2.28 under NNG finds no addresses in
 * a certificate, so to dial one takes TAPLINE_TLS_NAME, or the address as a name (DNS:10.0.0.5).
 * TLS 1.2. The files are read when an endpoint is opened.
 */
#ifndef TAPLINE_TLS_H
#define TAPLINE_TLS_H

#include <nng/nng.h>

#include "err.h"

/* Listen at url. 0; an NNG error; -1 with a text when the certificates are of no use. */
int tls_listen(nng_socket s, const char *url, struct err *e);

/* What it may mean that nothing comes from url (or from several); with certificates there is more.
 */
const char *tls_silence(const char *url);

/* Dial url without waiting; NNG tries again and again. As tls_listen. */
int tls_dial(nng_socket s, const char *url, struct err *e);

#endif
