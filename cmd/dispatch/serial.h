/* serial: the serial port as every set of rules follows it (topic serial.state). */
#ifndef DISPATCH_SERIAL_H
#define DISPATCH_SERIAL_H

#include "stage.h"

/* Texts are "" when the message does not have them. */
struct serial {
    bool connected;
    char device[256]; /* as given to serialcat */
    char path[256];   /* the node in use, "" when none */
    char cause[24];   /* why it is not connected, "ok" when it is */
};

/* Take a serial.state message in; the stage's cause follows it, with `absent` as its text. */
void serial_take(struct serial *s, const struct msg *m, struct stage *st, const char *absent);
/* The cause as pages get it: "absent" before anything was heard. */
const char *serial_cause(const struct serial *s);

#endif
