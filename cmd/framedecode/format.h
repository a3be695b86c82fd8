/* format: what framedecode needs of a codec. A new device is one row of `formats` and one file. */
#ifndef FRAMEDECODE_FORMAT_H
#define FRAMEDECODE_FORMAT_H

#include "stage.h"

struct format {
    const char *name;
    const char *summary;
    const struct opt *options; /* NULL: none of its own */
    /* Make the decoder, which publishes on st. NULL and the reason when the options are wrong. */
    void *(*open)(struct stage *st, struct err *e);
    /* Bytes of the device, read at time_ns. */
    void (*feed)(void *decoder, const uint8_t *p, size_t n, uint64_t time_ns);
    /* A message that is not serial.rx, at now_ns on the clock of feed's time_ns: true = it was for
     * the decoder and is not passed on. NULL: none ever is. */
    bool (*message)(void *decoder, const struct msg *m, uint64_t now_ns);
    /* When timeout wants to be called, on the clock of feed's time_ns; 0 = not at all. NULL: never.
     */
    uint64_t (*deadline)(const void *decoder);
    void (*timeout)(void *decoder, uint64_t now_ns);
    /* The device went away: what is half received is worth nothing. */
    void (*reset)(void *decoder);
    /* Nothing follows, the outputs are still open: publish what waits. NULL: nothing ever does. */
    void (*finish)(void *decoder);
    void (*close)(void *decoder);
};

extern const struct format format_panel;
extern const struct format format_lines;
extern const struct format format_espcam;
extern const struct format format_hev;

#endif
