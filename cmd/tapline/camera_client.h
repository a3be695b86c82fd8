/* camera_client: a client of camctl's three ports, or of another server of this protocol
 * (campacket.md in lib/codec).
 */
#ifndef TAPLINE_CAMERA_CLIENT_H
#define TAPLINE_CAMERA_CLIENT_H

#include "codec/campacket.h"
#include "tcp.h"

enum { CAMERA_ANSWER = 64 /* bytes of the longest payload that is taken */ };

struct camera_answer {
    uint8_t id, type;
    uint8_t payload[CAMERA_ANSWER];
    size_t len;
};

/* The next packet of that id; others and what is damaged are passed over. An error packet is an
 * error (CAUSE_PERMISSION): the server refuses, with refused as what it may mean. */
int camera_next(struct tcp *t, uint8_t id, const char *refused, struct camera_answer *a,
                struct err *e);

/* On a connection to the settings port. Settings are told and set in six bytes, so that what does
 * not fit them is lost. */
int camera_settings_get(struct tcp *t, struct camsettings *s, struct err *e);
/* Sets, and reads what the server has then. */
int camera_settings_set(struct tcp *t, struct camsettings *s, struct err *e);

/* Show the password on a connection to the authentication port. */
int camera_auth(struct tcp *t, const char *password, size_t n, struct err *e);

/* camera_password.c: the password's bytes, from file (its first line), else from the environment's
 * AUTH_PASSWORD, else, with ask, from whoever is at the terminal. 1 = there is one, 0 = none is
 * given, -1 with e. Once: the environment is forgotten (secret_env.h). */
int camera_password(const char *file, bool ask, struct buf *out, struct err *e);

#endif
