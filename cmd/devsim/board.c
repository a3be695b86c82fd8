#include "board.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PROTOTYPE = 10, OLD_LINE = 32, NEW_LINE = BOARD_LINE - 1 };

static bool is_prototype(const struct board *b) {
    return b->buttons <= PROTOTYPE;
}

__attribute__((format(printf, 2, 3))) static void say(struct board *b, const char *fmt, ...) {
    char line[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line - 2, fmt, ap);
    va_end(ap);
    n += sprintf(line + n, b->new_firmware ? "\n" : "\r\n");
    b->on_say(b->ctx, line, (size_t)n);
}

/* ---- LEDs ---- */

static void led_all(struct board *b, bool on) {
    for (unsigned i = 1; i <= b->buttons; i++)
        b->led[i] = on;
    b->curled = 0;
}

static void led_only(struct board *b, unsigned id) {
    led_all(b, false);
    b->led[id] = true;
    b->curled = id;
    b->on_led(b->ctx);
}

static const char *bits(const struct board *b, const bool *from, char out[BOARD_BUTTONS_MAX + 1]) {
    for (unsigned i = 0; i < b->buttons; i++)
        out[i] = from[b->buttons - i] ? '1' : '0';
    out[b->buttons] = 0;
    return out;
}

const char *board_bits(const struct board *b, char out[BOARD_BUTTONS_MAX + 1]) {
    return bits(b, b->led, out);
}

static void wait_for(struct board *b, enum board_wait w, unsigned ms) {
    b->wait = w;
    b->on_wait(b->ctx, ms);
}

/* ---- commands ---- */

static bool led_command(struct board *b, const char *word, unsigned id) {
    if (id < 1 || id > b->buttons) {
        say(b, b->new_firmware ? "ERROR INVALID_ID" : "ERROR Invalid LED (1-100)");
        return true;
    }
    if (strcmp(word, "LEDSET") == 0) {
        led_only(b, id);
    } else {
        b->led[id] = strcmp(word, "LEDON") == 0;
        if (!b->led[id] && b->curled == id)
            b->curled = 0;
        b->on_led(b->ctx);
    }
    say(b, "OK");
    return true;
}

static void all_leds_command(struct board *b, bool on) {
    led_all(b, on);
    if (!on)
        b->active = 0;
    b->on_led(b->ctx);
    say(b, "OK");
}

static void say_version(struct board *b) {
    if (b->new_firmware) {
        say(b, "FW selection-panel v2.5.1");
        return;
    }
    say(b, "FW 2.4.1 (%s %u LEDs)", is_prototype(b) ? "Proto" : "Prod", b->buttons);
    say(b, "OK");
}

static void say_status(struct board *b) {
    char text[BOARD_BUTTONS_MAX + 1];
    const char *mode = is_prototype(b) ? "PROTOTYPE" : "PRODUCTION";
    if (b->new_firmware) {
        say(b, "CURLED %u", b->curled);
        say(b, "BTNS %u", b->buttons);
        say(b, "LEDS %u", b->buttons);
        say(b, "HEAP 372756");
        say(b, "MODE %s", mode);
        say(b, "OK");
        return;
    }
    say(b, "LEDS %s", bits(b, b->led, text));
    say(b, "CURLED %u", b->curled);
    say(b, "BTNS %s", bits(b, b->down, text));
    say(b, "HEAP 372756");
    say(b, "CORE 1");
    say(b, "QFREE 16");
    say(b, "MODE %s", mode);
    if (is_prototype(b))
        say(b, "MAPPING ON");
}

static void say_help(struct board *b) {
    say(b, "Commands: PING VERSION STATUS LEDSET LEDON LEDOFF LEDCLR LEDALL TEST STOP QRESET HELLO "
           "HELP");
}

static void say_banner(struct board *b) {
    say(b, "========================================");
    say(b, "Button Panel v2.4.1 (%s: %u LEDs)", is_prototype(b) ? "PROTOTYPE" : "PRODUCTION",
        b->buttons);
    say(b, "========================================");
    say(b, "Pins: SCK=D8 MISO=D9 MOSI=D10 LATCH=D2 LOAD=D3");
    if (is_prototype(b))
        say(b, "  Taster 1-10 -> Bits: 15,12,13,11,10,9,8,14,7,4");
    else
        say(b, "Bit-Mapping: LINEAR (Produktion)");
    say_help(b);
    say(b, "READY");
}

/* What only the older firmware knows. */
static bool old_command(struct board *b, const char *word) {
    if (strcmp(word, "HELLO") == 0) {
        say_banner(b);
    } else if (strcmp(word, "HELP") == 0) {
        say_help(b);
    } else if (strcmp(word, "QRESET") == 0) {
        say(b, "Queue stats reset");
        say(b, "OK");
    } else if (strcmp(word, "TEST") == 0) {
        say(b, "Testing LEDs...");
        wait_for(b, BOARD_TEST_LEDS, BOARD_LED_MS * b->buttons);
    } else if (strcmp(word, "STOP") == 0) {
        if (b->wait == BOARD_TEST_LEDS)
            say(b, "Test stopped");
        if (b->wait == BOARD_TEST_LEDS)
            wait_for(b, BOARD_IDLE, 0);
        say(b, "OK");
    } else {
        return false;
    }
    return true;
}

static bool command(struct board *b, const char *word, const char *arg) {
    bool all = strcmp(word, "LEDALL") == 0;
    if (strcmp(word, "PING") == 0)
        say(b, "PONG");
    else if (strcmp(word, "VERSION") == 0)
        say_version(b);
    else if (strcmp(word, "STATUS") == 0)
        say_status(b);
    else if (all || strcmp(word, "LEDCLR") == 0)
        all_leds_command(b, all);
    else if (strcmp(word, "LEDSET") == 0 || strcmp(word, "LEDON") == 0 ||
             strcmp(word, "LEDOFF") == 0)
        return led_command(b, word, (unsigned)strtoul(arg, NULL, 10));
    else
        return !b->new_firmware && old_command(b, word);
    return true;
}

static void take_line(struct board *b) {
    b->line[b->len] = 0;
    char *text = b->line, word[BOARD_LINE];
    text += strspn(text, " \t\r");
    for (size_t n = strlen(text); n && isspace((unsigned char)text[n - 1]);)
        text[--n] = 0;
    b->len = 0;
    if (!*text)
        return;
    b->commands++;
    b->on_command(b->ctx, text);
    size_t n = strcspn(text, " ");
    for (size_t i = 0; i <= n; i++)
        word[i] = i == n ? 0 : b->new_firmware ? text[i] : (char)toupper((unsigned char)text[i]);
    if (command(b, word, text + n))
        return;
    b->unknown++;
    say(b, b->new_firmware ? "ERROR UNKNOWN_CMD" : "ERROR Unknown command");
}

static void end_line(struct board *b) {
    if (!b->overlong)
        take_line(b);
    b->len = 0;
    b->overlong = false;
}

/* 2.4 cuts a long line at 32 characters, 2.5 throws one over 63 away. */
void board_feed(struct board *b, const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n' || (p[i] == '\r' && !b->new_firmware))
            end_line(b);
        else if (b->len < (b->new_firmware ? NEW_LINE : OLD_LINE))
            b->line[b->len++] = (char)p[i];
        else
            b->overlong = b->new_firmware;
    }
}

/* ---- buttons and power ---- */

void board_reset(struct board *b) {
    led_all(b, false);
    memset(b->down, 0, sizeof b->down);
    b->active = 0;
    b->len = 0;
    b->overlong = false;
    wait_for(b, BOARD_IDLE, 0);
    b->on_led(b->ctx);
}

void board_boot(struct board *b, bool leds) {
    if (b->new_firmware) {
        say(b, "READY");
        say_version(b);
        return;
    }
    say_banner(b);
    say(b, "%s", "");
    say(b, "Running startup LED test...");
    if (leds)
        wait_for(b, BOARD_STARTUP_LEDS, BOARD_LED_MS * b->buttons);
    else
        say(b, "READY");
}

void board_waited(struct board *b) {
    enum board_wait was = b->wait;
    wait_for(b, BOARD_IDLE, 0);
    if (was == BOARD_STARTUP_LEDS) {
        say(b, "READY");
    } else if (was == BOARD_TEST_LEDS) {
        say(b, "Test complete");
        say(b, "OK");
    }
}

bool board_press(struct board *b, unsigned id) {
    if (id < 1 || id > b->buttons)
        return false;
    b->down[id] = true;
    b->presses++;
    if (b->new_firmware && b->active == id)
        return true;
    if (b->wait == BOARD_STARTUP_LEDS) /* a press ends the run */
        board_waited(b);
    b->active = id;
    led_only(b, id);
    say(b, "PRESS %03u", id);
    return true;
}

bool board_release(struct board *b, unsigned id) {
    if (id < 1 || id > b->buttons)
        return false;
    b->down[id] = false;
    if (!b->new_firmware) /* 2.5 as shipped latches and does not tell */
        say(b, "RELEASE %03u", id);
    return true;
}
