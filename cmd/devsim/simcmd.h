/* simcmd: the commands of every simulated device on a serial line.
 *
 *     send TEXT          a line from the device        raw \x00\xff\n    bytes from the device
 *     unplug [DURATION]  for that long, or until       plug
 *     stop-reading       as a device that hangs        start-reading
 */
#ifndef DEVSIM_SIMCMD_H
#define DEVSIM_SIMCMD_H

#include "simtty.h"

enum { SIMCMD_MAX = 4096 /* bytes of a command */ };

/* The word a command begins with, copied to word; returns where the text after it begins. */
const char *simcmd_split(const char *text, char word[32]);

/* Cut white space from both ends, in place. */
char *simcmd_trim(char *text);

/* Carry out one trimmed command; dry: only say whether it makes sense. line_end follows `send
 * TEXT`. 1 = done; 0 = not one of these; -1 with the reason. */
int simcmd_run(struct simtty *t, const char *line_end, const char *text, bool dry, struct err *e);

/* Undo \n \r \t \\ \xNN. The number of bytes, or -1. */
long simcmd_unescape(const char *text, uint8_t *out, size_t size, struct err *e);

#endif
