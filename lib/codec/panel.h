/* panel: the line protocol of the selection panel (buttons with LEDs on a serial port).
 *
 * Bytes from the device become events; commands to the device become bytes. Sections named here
 * are those of panel.md beside this file. Button ids are 1-based everywhere.
 * Pure: no I/O, no clock, and no allocation after panel_init.
 */
#ifndef TAPLINE_PANEL_H
#define TAPLINE_PANEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lines.h"

enum { PANEL_BUTTONS_MAX = 999, PANEL_COMMAND_SIZE = 16 };

/* Silence after which a complete message is believed without its LF (section 1.4). */
#define PANEL_FRAGMENT_NS 50000000ull

enum panel_kind {
    PANEL_PRESS,
    PANEL_RELEASE,
    PANEL_READY,
    PANEL_PONG,
    PANEL_OK,
    PANEL_ERROR,
    PANEL_FW,
    PANEL_MODE,
    PANEL_MAPPING,
    PANEL_INFO,    /* one value of the answer to STATUS */
    PANEL_IGNORED, /* no message, see enum panel_reason */
    PANEL_KINDS
};

enum panel_reason {
    PANEL_TEXT,          /* words for people, such as the boot banner: nothing is wrong */
    PANEL_OUT_OF_RANGE,  /* a press of a button the panel does not have */
    PANEL_MALFORMED,     /* a damaged press or release, or a control character */
    PANEL_NOT_UTF8,      /* a byte was damaged */
    PANEL_OVERLONG,      /* no LF within LINES_LIMIT bytes; comes without the text */
    PANEL_AFTER_RELEASE, /* a bare number that belongs to the torn RELEASE before it */
    PANEL_REASONS
};

/* One line of the device. Pointers are valid during the call only. */
struct panel_event {
    enum panel_kind kind;
    enum panel_reason reason; /* PANEL_IGNORED */
    unsigned id;              /* PANEL_PRESS: 1..buttons; PANEL_RELEASE: the same, or 0 = none */
    const char *key;          /* PANEL_INFO: CURLED, BTNS, ...; static, NUL-terminated */
    const char *text;         /* not NUL-terminated; white space at both ends is gone */
    size_t text_len;          /* ERROR, MODE, MAPPING: text after the word; INFO: the value; else
                                 the line. Valid UTF-8 without control characters but TAB, unless
                                 PANEL_IGNORED: then any bytes */
    uint64_t time_ns;         /* the now_ns of the panel_feed that brought the line's first byte */
};

/* Must not feed, time out or reset the panel that calls it. */
typedef void panel_event_fn(void *ctx, const struct panel_event *e);

/* Fields are private but for the counters. */
struct panel {
    struct lines lines;
    unsigned buttons;
    bool after_release;   /* the last line was a RELEASE torn before its number */
    uint64_t start_ns;    /* when the first byte of the line in hand came */
    uint64_t deadline_ns; /* see panel_deadline */

    uint64_t count[PANEL_KINDS];     /* events given out, by kind */
    uint64_t ignored[PANEL_REASONS]; /* of those PANEL_IGNORED, by reason */
    uint64_t early;                  /* of all, the lines finished without their LF */
};

/* buttons: 1..PANEL_BUTTONS_MAX. Ends with panel_free. */
void panel_init(struct panel *p, unsigned buttons);
void panel_free(struct panel *p);

/* Hand over the events that these n bytes complete, in order. now_ns is when they were read, on
 * the clock that panel_timeout gets too; which clock is the caller's choice. A time-out that is due
 * by now_ns is carried out first, so the result depends on the times given, not on the moment the
 * caller's timer happens to fire. */
void panel_feed(struct panel *p, const uint8_t *data, size_t n, uint64_t now_ns,
                panel_event_fn *event, void *ctx);

/* When panel_timeout wants to be called, on the clock of now_ns; 0 = not at all. */
uint64_t panel_deadline(const struct panel *p);

/* Hand over the message that waits for its LF, if its deadline has come. Calling it at any other
 * time does nothing. */
void panel_timeout(struct panel *p, uint64_t now_ns, panel_event_fn *event, void *ctx);

/* The port was closed: throw the unterminated tail away. Counters stay. */
void panel_reset(struct panel *p);

/* Words for topics, logs and counters: "press", "out_of_range". Never NULL. */
const char *panel_kind_name(enum panel_kind k);
const char *panel_reason_name(enum panel_reason r);

enum panel_cmd { PANEL_LEDCLR, PANEL_LEDSET, PANEL_PING };

/* Write a command with its LF and a NUL; returns the length without the NUL (section 2). id counts
 * for PANEL_LEDSET only; 0 is returned when it is not 1..PANEL_BUTTONS_MAX. */
size_t panel_command(char out[PANEL_COMMAND_SIZE], enum panel_cmd cmd, unsigned id);

#endif
