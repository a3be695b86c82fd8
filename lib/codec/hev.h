/* hev: the serial protocol of a HEV ventilator, versions A0 to B6: frames, payloads, names,
 * commands. The link above frames is hev_link.h, files of payloads are hev_dump.h. Sections named
 * here are those of hev.md beside this file. All integers on the wire are little endian.
 *
 * Pure: no I/O, no clock, no globals, no allocation.
 */
#ifndef TAPLINE_HEV_H
#define TAPLINE_HEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HEV_PAYLOAD_MAX = 128, /* bytes; the longest known payload has 90 */
    HEV_CONTENT_MAX = HEV_PAYLOAD_MAX + 5,
    HEV_WIRE_MAX = 2 * HEV_CONTENT_MAX + 2, /* every byte escaped, and two flags */
    HEV_TYPE_AT = 5,                        /* offset of payload_type, from version A2 on */
    HEV_BAUD = 115200
};

/* ---- frames (section 1) ---- */

enum hev_kind { HEV_INFO, HEV_ACK, HEV_NACK };

/* Top two bits of the address byte; the lower six have no meaning. */
enum hev_address {
    HEV_ADDR_DATA = 0x40,
    HEV_ADDR_CMD = 0x80,
    HEV_ADDR_ALARM = 0xC0,
    HEV_ADDR_MASK = 0xC0
};

struct hev_frame {
    uint8_t address; /* the whole byte */
    enum hev_kind kind;
    uint8_t ns;          /* N(S) 0..127, HEV_INFO */
    uint8_t nr;          /* N(R) 0..127, HEV_ACK and HEV_NACK: the number expected next */
    const uint8_t *data; /* payload of HEV_INFO, len bytes */
    size_t len;          /* at most HEV_PAYLOAD_MAX */
    uint64_t time_ns;    /* received: now_ns of the feed that brought the frame's first byte */
};

/* Write the frame with one flag before and one after; returns its bytes, 0 when len is too long. */
size_t hev_frame_encode(uint8_t out[HEV_WIRE_MAX], const struct hev_frame *f);

/* CRC-16/X-25 of n bytes, as it stands in the frame (low byte first). */
uint16_t hev_fcs(const uint8_t *p, size_t n);

/* Finds frames in a byte stream: a flag ends one frame and may begin the next. Fields are private
 * but for the counters. */
struct hev_receiver {
    uint8_t held[HEV_CONTENT_MAX]; /* unescaped bytes since the last flag */
    size_t len;
    bool synced;   /* a flag has been seen */
    bool escaped;  /* the last byte was 7D */
    bool overlong; /* held did not suffice */
    uint64_t start_ns;

    uint64_t frames;  /* good */
    uint64_t bad_fcs; /* not so; also cut off inside an escape */
    uint64_t overlong_frames;
    uint64_t runts;         /* fewer than 5 bytes between two flags */
    uint64_t skipped_bytes; /* before the first flag */
};

/* Pointers in f are valid during the call only. Must not feed or reset the receiver it is from. */
typedef void hev_frame_fn(void *ctx, const struct hev_frame *f);

/* {0} is a receiver that has heard nothing. Hand over the frames that these n bytes complete. */
void hev_receiver_feed(struct hev_receiver *r, const uint8_t *p, size_t n, uint64_t now_ns,
                       hev_frame_fn *frame, void *ctx);
/* The line was interrupted: forget the unfinished frame. Counters stay. */
void hev_receiver_reset(struct hev_receiver *r);

/* ---- payloads (section 2) ---- */

enum hev_type {
    HEV_UNSET,
    HEV_DATA,
    HEV_READBACK,
    HEV_CYCLE,
    HEV_THRESHOLDS, /* no layout */
    HEV_CMD,
    HEV_ALARM,
    HEV_DEBUG,
    HEV_IVT,
    HEV_LOGMSG,
    HEV_TARGET,
    HEV_BATTERY,
    HEV_LOOP_STATUS,
    HEV_PERSONAL,
    HEV_TYPES
};

/* Versions are the payloads' first byte, A0 to B6. B6 changed its fsm_state numbers without
 * changing the byte; this one stands for the B6 whose READBACK has 68 bytes (section 3.2). */
enum { HEV_VERSION_FIRST = 0xA0, HEV_VERSION_LAST = 0xB6, HEV_VERSION_B6_OLD = 0x1B6 };

/* What a number stands for; see hev_name. */
enum hev_names {
    HEV_PLAIN,
    HEV_NAME_PAYLOAD_TYPE,
    HEV_NAME_FSM_STATE,
    HEV_NAME_MODE, /* ventilation_mode of READBACK, mode of TARGET */
    HEV_NAME_ALARM_TYPE,
    HEV_NAME_ALARM_CODE,
    HEV_NAME_CMD_TYPE,
    HEV_NAME_CMD_CODE, /* depends on cmd_type too: hev_command_name */
};

enum hev_form { HEV_U8, HEV_I8, HEV_U16, HEV_U32, HEV_F32, HEV_TEXT, HEV_PAD };

struct hev_field {
    const char *name; /* the JSON key; NULL for HEV_PAD */
    enum hev_form form;
    enum hev_names names;
    uint8_t size; /* bytes */
};

/* One way to lay out a payload. */
struct hev_layout {
    uint8_t first, last; /* versions that used it */
    uint8_t type;        /* enum hev_type */
    uint8_t bytes;
    bool typed; /* has a payload_type byte at offset 5; else the address tells the type */
    uint8_t count;
    const struct hev_field *fields; /* in wire order */
};

/* The layout of (version, type, bytes); bytes 0: the newest of that version and type. NULL = there
 * is none. */
const struct hev_layout *hev_layout_find(unsigned version, enum hev_type type, size_t bytes);

/* The layout of a received payload. NULL when it is unknown; *why (may be NULL) is then a static
 * word: "empty", "version", "address", "type", "length". */
const struct hev_layout *hev_layout_of(uint8_t address, const uint8_t *p, size_t n,
                                       const char **why);

/* Every layout, for tests and for tools that list them: 0, 1, ...; NULL at the end. */
const struct hev_layout *hev_layout_at(size_t i);

/* The address byte under which a payload of this type travels. */
uint8_t hev_type_address(enum hev_type type);

struct hev_value {
    enum hev_form form; /* HEV_U8..HEV_U32 in u; HEV_I8 in i; HEV_F32 in f; HEV_TEXT in text */
    union {
        uint32_t u;
        int32_t i;
        double f; /* the float, widened */
        struct {
            const char *p; /* into the payload */
            size_t len;    /* up to the first NUL */
        } text;
    };
};

/* The field's value, at points to its first byte. */
struct hev_value hev_field_get(const struct hev_field *f, const uint8_t *at);

/* A payload of the layout with everything 0 but version and payload_type; returns its bytes. */
size_t hev_payload_begin(uint8_t out[HEV_PAYLOAD_MAX], const struct hev_layout *l,
                         unsigned version);
/* Set a field by name. False when there is none or the value does not fit its form: a fraction or
 * too large a number for an integer, too long a text. An f32 is rounded; one beyond its range does
 * not fit. */
bool hev_payload_set(uint8_t *payload, const struct hev_layout *l, const char *name, double v);
bool hev_payload_set_text(uint8_t *payload, const struct hev_layout *l, const char *name,
                          const char *s, size_t n);
/* A number field by name; missing when there is none of that name. */
double hev_payload_get(const uint8_t *payload, const struct hev_layout *l, const char *name,
                       double missing);

/* ---- names (section 3) ---- */

/* "DATA"; "?" for a number that is no type. */
const char *hev_type_name(enum hev_type type);

/* The name that a value has in version's JSON, NULL when it has none and stays a number. For
 * HEV_NAME_CMD_CODE use hev_command_name. */
const char *hev_name(enum hev_names names, unsigned version, unsigned value);
/* The number of a name, -1 when there is none. Case counts. */
int hev_number(enum hev_names names, unsigned version, const char *name);

/* Of the safety document; not on the wire at A0. Higher is more urgent. */
enum hev_priority { HEV_PRIORITY_NONE, HEV_PRIORITY_LOW, HEV_PRIORITY_MEDIUM, HEV_PRIORITY_HIGH };
enum { HEV_ALARMS = 32 /* alarm codes are below; 1..25 exist in every version */ };

const char *hev_alarm_name(unsigned version, unsigned code); /* NULL = unknown */
int hev_alarm_code(unsigned version, const char *name);      /* -1 = unknown */
/* By code or by name (any version's spelling); HEV_PRIORITY_NONE = unknown. */
enum hev_priority hev_alarm_priority(unsigned code);
enum hev_priority hev_alarm_name_priority(const char *name);

/* ---- commands (section 4) ---- */

enum hev_refusal {
    HEV_NO_VERSION = -1,  /* not A0..B6 */
    HEV_NO_CMDTYPE = -2,  /* unknown in this version */
    HEV_NO_CMD = -3,      /* this cmdtype has no such cmd */
    HEV_NO_ENCODING = -4, /* known later, but this version cannot carry it */
    HEV_BAD_PARAM = -5 /* u32 wanted (to A3): negative, a fraction or too large; f32: too large */
};

/* Write the CMD payload of a command as clients name it (case counts, timestamp 0); the frame's
 * address is HEV_ADDR_CMD. Returns its bytes or an enum hev_refusal. At A0 there are only
 * GENERAL/START and GENERAL/STOP. */
int hev_command_encode(uint8_t out[HEV_PAYLOAD_MAX], unsigned version, const char *cmdtype,
                       const char *cmd, double param);
/* "no such cmdtype"; static. */
const char *hev_refusal_text(int refusal);

/* Numbers to names; NULL when the version has none. */
const char *hev_cmdtype_name(unsigned version, unsigned cmdtype);
const char *hev_command_name(unsigned version, unsigned cmdtype, unsigned cmd);

#endif
