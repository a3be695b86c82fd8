/* hev_floor: the least a gateway could do with a ventilator, to measure ours against in one run.
 *
 * One process, one loop: reads A0 DATA frames from a terminal and sends their values as JSON to
 * every connection in one send() each. It checks and acknowledges nothing, waits for nobody, and is
 * of no other use.
 *
 *     hev_floor TTY PORT
 */
#include "floor.h"

enum { FLAG = 0x7e, ESCAPE = 0x7d, FRAME = 64, DATA_BYTES = 3 + 26 + 2 };

static void take_client(int listener) {
    int fd = accept_client(listener);
    if (fd >= 0 && client_count < CLIENTS)
        clients[client_count++] = fd;
}

static void tell(const uint8_t *p) {
    static const char *const key[] = {
        "pressure_air_supply",   "pressure_air_regulated", "pressure_o2_supply",
        "pressure_o2_regulated", "pressure_buffer",        "pressure_inhale",
        "pressure_patient",      "temperature_buffer",     "pressure_diff_patient",
        "readback_valve_air_in", "readback_valve_o2_in",   "readback_valve_inhale",
        "readback_valve_exhale", "readback_valve_purge",   "readback_mode"};
    char text[700];
    int n = sprintf(text, "{\"sensors\": {\"version\": %d, \"fsm_state\": %d", p[0], p[1]);
    for (int i = 0; i < 15; i++)
        n += sprintf(text + n, ", \"%s\": %d", key[i],
                     i < 9 ? p[2 + 2 * i] | p[3 + 2 * i] << 8 : p[11 + i]);
    n += sprintf(text + n, "}, \"alarms\": null}");
    broadcast(text, (size_t)n);
}

static void take(uint8_t c) {
    static uint8_t frame[FRAME];
    static int len, escaped;
    if (c == FLAG) {
        if (len == DATA_BYTES)
            tell(frame + 3);
        len = escaped = 0;
    } else if (c == ESCAPE) {
        escaped = 0x20;
    } else if (len < FRAME) {
        frame[len++] = (uint8_t)(c ^ escaped);
        escaped = 0;
    }
}

int main(int argc, char **argv) {
    struct epoll_event e[8];
    if (argc < 3)
        return 2;
    int tty = open_tty(argv[1]), listener = open_listener(atoi(argv[2])), ep = watch(tty, listener);
    for (;;) {
        int n = epoll_wait(ep, e, 8, -1);
        for (int i = 0; i < n; i++) {
            uint8_t b[4096];
            ssize_t got = 0;
            if (e[i].data.fd == listener)
                take_client(listener);
            else if ((got = read(tty, b, sizeof b)) <= 0)
                return 0;
            for (ssize_t k = 0; k < got; k++)
                take(b[k]);
        }
    }
}
