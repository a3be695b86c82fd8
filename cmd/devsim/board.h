/* board: the button panel as its firmware behaves, 2.4 or 2.5: lines in, lines out, LEDs.
 *
 * Texts, line ends and quirks follow the firmware's own (section 1.4 of the protocol page). Pure:
 * no I/O and no clock; the owner calls back when a wait is over.
 */
#ifndef DEVSIM_BOARD_H
#define DEVSIM_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BOARD_BUTTONS_MAX = 100, BOARD_LED_MS = 150, BOARD_LINE = 64 };

enum board_wait { BOARD_IDLE, BOARD_STARTUP_LEDS, BOARD_TEST_LEDS };

struct board {
    /* Set by the owner. */
    unsigned buttons; /* 1..BOARD_BUTTONS_MAX; up to 10 are called a prototype */
    bool new_firmware;
    void (*on_say)(void *ctx, const char *p, size_t n);
    void (*on_command)(void *ctx, const char *text);
    void (*on_led)(void *ctx); /* some LED has changed */
    /* board_waited is to be called in so many milliseconds; 0 = not at all any more. */
    void (*on_wait)(void *ctx, unsigned ms);
    void *ctx;

    bool led[BOARD_BUTTONS_MAX + 1]; /* by id */
    bool down[BOARD_BUTTONS_MAX + 1];
    unsigned curled; /* the one LED that is on, 0 = none or several */
    unsigned active; /* 2.5: the latched button; it says nothing until LEDCLR or another one */
    uint64_t commands, unknown, presses;

    /* Its own. */
    enum board_wait wait;
    char line[BOARD_LINE];
    size_t len;
    bool overlong;
};

/* Power on: everything off. */
void board_reset(struct board *b);
/* The start-up text; leds: with the run along the LEDs that follows it (2.4). */
void board_boot(struct board *b, bool leds);
void board_waited(struct board *b);
/* False when there is no such button. */
bool board_press(struct board *b, unsigned id);
bool board_release(struct board *b, unsigned id);
/* Bytes from the host. */
void board_feed(struct board *b, const uint8_t *p, size_t n);
/* LEDs as 0 and 1, highest id first. */
const char *board_bits(const struct board *b, char out[BOARD_BUTTONS_MAX + 1]);

#endif
