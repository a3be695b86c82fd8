#include "test.h"

#include "../../cmd/devsim/board.c"

static char said[8192], commands[1024];
static unsigned waiting;

static void on_say(void *ctx, const char *p, size_t n) {
    (void)ctx;
    strncat(said, p, n);
}

static void on_command(void *ctx, const char *text) {
    (void)ctx;
    snprintf(commands + strlen(commands), sizeof commands - strlen(commands), "[%s]", text);
}

static void on_led(void *ctx) {
    (void)ctx;
}

static void on_wait(void *ctx, unsigned ms) {
    (void)ctx;
    waiting = ms;
}

static struct board board(bool new_firmware, unsigned buttons) {
    struct board b = {.buttons = buttons,
                      .new_firmware = new_firmware,
                      .on_say = on_say,
                      .on_command = on_command,
                      .on_led = on_led,
                      .on_wait = on_wait};
    board_reset(&b);
    return b;
}

static void feed(struct board *b, const char *s) {
    said[0] = commands[0] = 0;
    board_feed(b, (const uint8_t *)s, strlen(s));
}

static const char *leds(const struct board *b) {
    static char out[BOARD_BUTTONS_MAX + 1];
    return board_bits(b, out);
}

TEST(answers_of_2_4) {
    struct board b = board(false, 10);
    feed(&b, "PING\n");
    CHECK_STR(said, "PONG\r\n");
    feed(&b, " version \r\n");
    CHECK_STR(said, "FW 2.4.1 (Proto 10 LEDs)\r\nOK\r\n");
    feed(&b, "LEDSET 003\nLEDON 10\nLEDSET 0\nLEDSET 11\nLEDSET\n");
    CHECK_STR(said, "OK\r\nOK\r\nERROR Invalid LED (1-100)\r\nERROR Invalid LED (1-100)\r\n"
                    "ERROR Invalid LED (1-100)\r\n");
    CHECK_STR(leds(&b), "1000000100");
    feed(&b, "STATUS\n");
    CHECK_STR(said, "LEDS 1000000100\r\nCURLED 3\r\nBTNS 0000000000\r\nHEAP 372756\r\nCORE 1\r\n"
                    "QFREE 16\r\nMODE PROTOTYPE\r\nMAPPING ON\r\n");
    feed(&b, "NONSENSE\n");
    CHECK_STR(said, "ERROR Unknown command\r\n");
    CHECK_INT(b.unknown, 1);
    CHECK_INT(b.commands, 9);
}

TEST(answers_of_2_5) {
    struct board b = board(true, 10);
    feed(&b, "PING\r\nVERSION\nping\nTEST\nLEDSET 11\nLEDALL\n");
    CHECK_STR(said, "PONG\nFW selection-panel v2.5.1\nERROR UNKNOWN_CMD\nERROR UNKNOWN_CMD\n"
                    "ERROR INVALID_ID\nOK\n");
    CHECK_STR(leds(&b), "1111111111");
    feed(&b, "STATUS\n");
    CHECK_STR(said, "CURLED 0\nBTNS 10\nLEDS 10\nHEAP 372756\nMODE PROTOTYPE\nOK\n");
}

TEST(production_has_no_mapping) {
    struct board b = board(false, 100);
    feed(&b, "VERSION\n");
    CHECK_STR(said, "FW 2.4.1 (Prod 100 LEDs)\r\nOK\r\n");
    feed(&b, "STATUS\n");
    CHECK(strstr(said, "MODE PRODUCTION\r\n"));
    CHECK(!strstr(said, "MAPPING"));
}

TEST(a_press_lights_its_led) {
    struct board b = board(false, 10);
    said[0] = 0;
    CHECK(board_press(&b, 5));
    CHECK(board_release(&b, 5));
    CHECK(board_press(&b, 5));
    CHECK_STR(said, "PRESS 005\r\nRELEASE 005\r\nPRESS 005\r\n");
    CHECK_STR(leds(&b), "0000010000");
    CHECK(!board_press(&b, 0));
    CHECK(!board_press(&b, 11));
    feed(&b, "LEDCLR\n");
    CHECK_STR(leds(&b), "0000000000");
}

TEST(a_latched_button_is_silent_until_ledclr) {
    struct board b = board(true, 10);
    said[0] = 0;
    board_press(&b, 5);
    board_release(&b, 5);
    board_press(&b, 5);
    CHECK_STR(said, "PRESS 005\n");
    board_press(&b, 6);
    board_press(&b, 5);
    CHECK_STR(said, "PRESS 005\nPRESS 006\nPRESS 005\n");
    feed(&b, "LEDCLR\n");
    board_press(&b, 5);
    CHECK_STR(said, "OK\nPRESS 005\n");
}

TEST(boot_of_2_4_and_a_press_that_ends_the_led_run) {
    struct board b = board(false, 10);
    said[0] = 0;
    board_boot(&b, true);
    CHECK(strstr(said, "Button Panel v2.4.1 (PROTOTYPE: 10 LEDs)\r\n"));
    CHECK(strstr(said, "READY\r\n\r\nRunning startup LED test...\r\n"));
    CHECK_INT(waiting, 1500);
    said[0] = 0;
    board_press(&b, 1);
    CHECK_STR(said, "READY\r\nPRESS 001\r\n");
    CHECK_INT(waiting, 0);
}

TEST(test_and_stop) {
    struct board b = board(false, 2);
    feed(&b, "TEST\n");
    CHECK_STR(said, "Testing LEDs...\r\n");
    CHECK_INT(waiting, 300);
    said[0] = 0;
    board_waited(&b);
    CHECK_STR(said, "Test complete\r\nOK\r\n");
    feed(&b, "TEST\nSTOP\nSTOP\n");
    CHECK_STR(said, "Testing LEDs...\r\nTest stopped\r\nOK\r\nOK\r\n");
}

TEST(long_lines) {
    struct board old = board(false, 10), new = board(true, 10);
    char line[80];
    memset(line, 'X', sizeof line);
    memcpy(line, "PING ", 5);
    strcpy(line + 78, "\n");
    feed(&old, line);
    CHECK_STR(said, "PONG\r\n");
    CHECK_INT(strlen(commands), 32 + 2);
    feed(&new, line);
    CHECK_STR(said, "");
    feed(&new, "PING\n");
    CHECK_STR(said, "PONG\n");
}
