/* sock: two faults of NNG 1.5.2 kept away from our programs.
 *
 * A client that connects to a Unix socket and goes before both have said what they are ends the
 * listener for good, and one thread then turns for ever (issue 1518): NNG takes the EPIPE of its
 * own greeting for the end of the listener. sock.c therefore defines sendmsg, which NNG calls, and
 * tells it of a reset connection instead, which a listener survives.
 *
 * It can also deadlock in nng_close when a message arrives at that very moment (issue 1543:
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

/* The same, within SOCK_CLOSE_MS, of a socket that listens at url. If it does not come back in that
 * time its file is removed here: nobody else will. */
bool sock_close_at(nng_socket s, const char *url);

/* Give NNG's memory back before a process ends, for leak checkers, unless a close hangs. */
void sock_fini(void);

#endif
