/* espcam_text: what a camera says about its picture and itself in a HASH frame (espcam.md, section
 * 2.5), and the words that end a picture. */
#ifndef TAPLINE_ESPCAM_TEXT_H
#define TAPLINE_ESPCAM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum espcam_token_kind {
    ESPCAM_TOKEN_NONE,
    ESPCAM_TOKEN_ABSENT, /* zeros: there is no picture in this cycle */
    ESPCAM_TOKEN_SHA256,
    ESPCAM_TOKEN_SUM /* the weak one: size and sum of the bytes */
};

/* What a picture is checked against. */
struct espcam_token {
    enum espcam_token_kind kind;
    uint8_t sha256[32];
    uint32_t size, sum; /* ESPCAM_TOKEN_SUM */
};

enum { ESPCAM_TIME_SIZE = 24 };

/* Values that are absent, that could not be measured or that make no sense are NAN or "". */
struct espcam_sensors {
    double voltage_percent;
    double temperature_c;
    double tds_v;
    char time[ESPCAM_TIME_SIZE]; /* of the camera's own clock: YYYY/MM/DD HH:MM:SS.mmm */
};

/* Exactly one of the texts that end a picture. */
bool espcam_text_is_end(const uint8_t *p, size_t n);
/* HASH: and a token; when any is set, HASH: and anything. */
bool espcam_text_is_hash(const uint8_t *p, size_t n, bool any);

/* Read a HASH text, whatever it holds and in any order. */
void espcam_text_read(const uint8_t *p, size_t n, struct espcam_token *t, struct espcam_sensors *s);

void espcam_sensors_clear(struct espcam_sensors *s);
bool espcam_sensors_any(const struct espcam_sensors *s);

/* Whether a picture can be checked against t. */
bool espcam_token_usable(const struct espcam_token *t);
bool espcam_token_equal(const struct espcam_token *a, const struct espcam_token *b);
/* Whether these are the bytes that t was made of; t is usable. */
bool espcam_token_matches(const struct espcam_token *t, const uint8_t *p, size_t n);

#endif
