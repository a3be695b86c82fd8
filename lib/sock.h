/* sock: closing NNG sockets without waiting for ever.
 *
 * NNG 1.5.2 can deadlock in nng_close when a message arrives at that very moment (its issue 1543:
 * the reaper waits for a task that was prepared and never started). Nobody can undo that; so a
 * socket is closed on a thread of its own, which is left behind if it does not come back.
 */
#ifndef TAPLINE_SOCK_H
#define TAPLINE_SOCK_H

#include <nng/nng.h>
#include <stdbool.h>

enum { SOCK_CLOSE_MS = 200 /* a close that works takes one or two */ };

/* Close s, waiting for the end at most wait_ms (0: not at all). True when it is closed: then no
 * callback of it runs any more. No handle of a loop may watch its descriptors by now. */
bool sock_close(nng_socket s, unsigned wait_ms);

/* Give NNG's memory back before a process ends, for leak checkers, unless a close hangs. */
void sock_fini(void);

#endif
