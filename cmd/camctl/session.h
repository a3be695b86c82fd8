/* session: the addresses that have authenticated. Pure: the clock is the caller's, monotonic.
 *
 * A session ends when its address has not been seen for the life-time. The table is bounded; when
 * it is full, the address that has not been seen longest makes room.
 */
#ifndef CAMCTL_SESSION_H
#define CAMCTL_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { SESSIONS = 256 };

struct sessions {
    uint64_t life_ms;
    size_t n;
    struct session {
        uint8_t addr[16]; /* IPv4 mapped into IPv6 */
        uint64_t seen_ms;
    } item[SESSIONS];
};

/* The address has authenticated. */
void session_begin(struct sessions *s, const struct sockaddr *a, uint64_t now_ms);
/* Whether it has, in time; being asked for is being seen. */
bool session_see(struct sessions *s, const struct sockaddr *a, uint64_t now_ms);
/* Forget what has ended; how many are left. */
size_t session_count(struct sessions *s, uint64_t now_ms);

#endif
