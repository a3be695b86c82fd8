/* hev_dump: files of HEV payloads, without frames (hev.md, section 5).
 *
 * Text: one payload per line, b'HEX' and LF. Records: 27 bytes each, the A0 DATA payload with an
 * obsolete size byte (1B) behind the version, which is taken out here.
 * Pure: works on bytes the caller has read; no allocation.
 */
#ifndef TAPLINE_HEV_DUMP_H
#define TAPLINE_HEV_DUMP_H

#include "hev.h"

enum hev_dump_form { HEV_DUMP_TEXT, HEV_DUMP_RECORDS };
enum { HEV_DUMP_RECORD = 27 };

/* Fields are private. The bytes stay the caller's and must outlive the reader. */
struct hev_dump {
    const uint8_t *at, *start, *end;
    enum hev_dump_form form;
    size_t line; /* or record, from 1, of the payload handed out last */
};

/* One payload. */
struct hev_dump_payload {
    uint8_t data[HEV_PAYLOAD_MAX];
    size_t len;
    size_t line;     /* line or record, from 1 */
    uint8_t address; /* by its type; A0: by its length */
    bool timed;      /* has a timestamp */
    uint32_t ms;     /* the timestamp, since the MCU booted */
};

/* The form is told from the bytes: records begin with A0 1B. */
void hev_dump_init(struct hev_dump *d, const uint8_t *p, size_t n);
void hev_dump_rewind(struct hev_dump *d);

/* The next payload; blank lines are passed over, CR LF and a missing last LF accepted.
 * 1 = there is one; 0 = the end; -1 = the line out->line is damaged or its payload unknown, *why
 * (may be NULL) is a static text. The call after a -1 goes on with the next line. */
int hev_dump_next(struct hev_dump *d, struct hev_dump_payload *out, const char **why);

#endif
