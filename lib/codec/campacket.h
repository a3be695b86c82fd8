/* campacket: the packets of the camera server: authentication, data stream, camera settings. Pure;
 * nothing is allocated. Facts: campacket.md.
 */
#ifndef TAPLINE_CAMPACKET_H
#define TAPLINE_CAMPACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CAMPACKET_HEAD = 6,     /* bytes before the payload */
    CAMPACKET_OVERHEAD = 7, /* head and checksum */
    CAMPACKET_PAYLOAD = 65535,
    CAMPACKET_DATA = 9,                      /* payload of a data packet */
    CAMPACKET_SETTINGS = 9,                  /* payload of an answer with settings */
    CAMPACKET_SETTINGS_SET = 6,              /* payload of a command that sets them */
    CAMPACKET_SHORT = CAMPACKET_OVERHEAD + 9 /* bytes of the longest packet a server sends */
};

enum campacket_id { CAMPACKET_ID_AUTH = 0, CAMPACKET_ID_DATA = 1, CAMPACKET_ID_SETTINGS = 2 };
enum campacket_type { CAMPACKET_RESPONSE = 0, CAMPACKET_REQUEST = 1, CAMPACKET_ERROR = 2 };

/* ---- packets ---- */

struct campacket {
    uint8_t id, type;
    const uint8_t *payload; /* points into the bytes that were parsed */
    size_t len;
};

/* What stands at the start of some bytes. */
enum campacket_found {
    CAMPACKET_MORE,    /* the bytes end inside a packet, or there are none */
    CAMPACKET_OK,      /* a packet */
    CAMPACKET_GARBAGE, /* bytes in front of the next place where a packet could begin */
    CAMPACKET_LONG,    /* a packet whose payload is longer than the caller takes */
    CAMPACKET_CHECKSUM /* a packet with a wrong checksum */
};

/* Look at the start of n bytes of a stream; max: the longest payload that is taken. *used receives
 * how many bytes to drop before the next call: 0 for CAMPACKET_MORE, all of a packet, and of what
 * is broken no more than its magic, because its length may be what is wrong with it. So at most
 * CAMPACKET_OVERHEAD + max bytes ever have to be kept. */
enum campacket_found campacket_next(const uint8_t *p, size_t n, size_t max, struct campacket *out,
                                    size_t *used);

/* Write a packet to out, which holds CAMPACKET_OVERHEAD + n bytes; its size. n is at most
 * CAMPACKET_PAYLOAD. payload may be NULL when n is 0. */
size_t campacket_put(uint8_t *out, uint8_t id, uint8_t type, const void *payload, size_t n);

/* ---- data stream ---- */

/* Payload of a data packet: the value and the Unix time in milliseconds. */
void campacket_data(uint8_t out[CAMPACKET_DATA], uint8_t value, uint64_t time_ms);
/* And back; false when n is another length. */
bool campacket_data_read(const uint8_t *p, size_t n, uint8_t *value, uint64_t *time_ms);

/* ---- settings ---- */

struct camsettings {
    double shutter_us; /* exposure time, whole microseconds; 0 = the camera chooses */
    double gain;       /* whole number; 0 = the camera chooses */
    double awb_red;    /* gain of red for the white balance */
    double awb_blue;   /* and of blue */
    double contrast;   /* 1 = as it is */
    double brightness; /* -1 to 1, 0 = as it is */
};

/* Payload of an answer. Fractions are cut off towards zero and only the low 8 bits are kept: a
 * client reads what fits. */
void camsettings_put(uint8_t out[CAMPACKET_SETTINGS], const struct camsettings *s);
/* Payload of a command. Any six bytes mean something; whether a camera can do it is not looked at.
 */
void camsettings_get(const uint8_t p[CAMPACKET_SETTINGS_SET], struct camsettings *s);

#endif
