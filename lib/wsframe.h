/* wsframe: the frames a WebSocket server sends (RFC 6455): one piece, not masked.
 *
 * Receiving goes through wslay; this is the other direction, where one encoded frame serves any
 * number of clients.
 */
#ifndef TAPLINE_WSFRAME_H
#define TAPLINE_WSFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

enum wsframe_opcode {
    WSFRAME_TEXT = 1,
    WSFRAME_BINARY = 2,
    WSFRAME_CLOSE = 8,
    WSFRAME_PING = 9,
    WSFRAME_PONG = 10
};

/* What a close frame says (RFC 6455, 7.4.1, and the IANA registry). */
enum wsframe_code {
    WSFRAME_NORMAL = 1000,
    WSFRAME_GOING_AWAY = 1001,
    WSFRAME_PROTOCOL = 1002,
    WSFRAME_NO_CODE = 1005,  /* never on the wire: the close frame was empty */
    WSFRAME_ABNORMAL = 1006, /* never on the wire: there was no close frame */
    WSFRAME_NOT_UTF8 = 1007,
    WSFRAME_POLICY = 1008,
    WSFRAME_TOO_BIG = 1009,
    WSFRAME_NO_PONG = 1011, /* an unexpected condition: here, no answer to a ping */
    WSFRAME_TRY_LATER = 1013
};

enum { WSFRAME_HEADER_MAX = 10, WSFRAME_CONTROL_MAX = 125, WSFRAME_REASON_MAX = 123 };

/* Write the header of a frame with n bytes of payload; its length: 2, 4 or 10. */
size_t wsframe_header(uint8_t out[WSFRAME_HEADER_MAX], enum wsframe_opcode op, uint64_t n);

/* Append a whole frame. Control frames hold at most WSFRAME_CONTROL_MAX bytes; the rest is cut. */
void wsframe_put(struct buf *b, enum wsframe_opcode op, const void *p, size_t n);

/* Append a close frame; an empty one for WSFRAME_NO_CODE. The reason is cut at a character's end so
 * that it fits. */
void wsframe_put_close(struct buf *b, unsigned code, const char *reason, size_t n);

/* Whether a close frame may carry this code. */
bool wsframe_code_valid(unsigned code);

/* Whether n bytes are UTF-8 (RFC 3629); a browser ends a connection that brings it anything else
 * in a text frame. */
bool wsframe_utf8(const void *p, size_t n);

#endif
