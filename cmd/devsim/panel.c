/* devsim panel: pretends to be the panel of buttons with LEDs on a serial port.
 *
 * in    commands on standard input, --script, --random; requests; messages sim.do {text}; what the
 *       host writes to the line
 * out   the line, as the firmware would; sim.press, sim.release {id}, sim.led {id, bits},
 *       sim.command {text}, sim.port {link, node, plugged, host} on -o
 * ends  on SIGTERM and `quit`; the end of standard input ends nothing
 */
#include <math.h>
#include <string.h>

#include "board.h"
#include "chance.h"
#include "devsim.h"
#include "log.h"
#include "simdev.h"

enum {
    HOST_WAIT_MS = 3000, /* 2.4 waits so long for the host before it speaks */
    BOOT_MS = 1600,      /* 2.5 needs so long until it speaks */
    HELD_MS = 120,       /* how long a random press lasts */
    BURST_MAX = 1000000
};

struct panel_sim {
    struct simdev dev;
    struct board board;
    uv_timer_t boot, wait, random, held, burst;
    bool booted;
    struct chance luck;
    unsigned held_id;
    int64_t burst_left, burst_ms;
    unsigned burst_next;
};

static const char *firmware = "2.4";
static int64_t buttons = 10, random_ms, seed;
static bool fast;

static const struct opt options[] = {
    {"buttons", 0, OPT_INT, &buttons, "N", "buttons and LEDs", 1, BOARD_BUTTONS_MAX},
    {"firmware", 0, OPT_TEXT, &firmware, "2.4|2.5", "which firmware to be", 0, 0},
    {"random", 0, OPT_DURATION, &random_ms, "DURATION",
     "press buttons at random, on average so far apart; 0 does not", 0, INT32_MAX},
    {"seed", 0, OPT_INT, &seed, "N", "of the random presses; 0 takes another each time", 0,
     INT64_MAX},
    {"fast", 0, OPT_FLAG, &fast, NULL, "boot when the host opens the line, without any waiting", 0,
     0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static struct opt_program program = {
    .name = "devsim panel",
    .summary = "pretend to be the button panel on a pseudo-terminal",
    .details = "Commands on standard input and in scripts:\n"
               "  press N, release N        one button\n"
               "  burst N INTERVAL          N presses and releases, button after "
               "button\n" SIMDEV_COMMANDS_HELP
               "Requests: press {id}, release {id}, unplug {ms}, plug, leds, do {text}.",
    .tables = {options, NULL, NULL, NULL}};

/* ---- the board speaks ---- */

static void on_say(void *ctx, const char *p, size_t n) {
    struct panel_sim *s = ctx;
    simtty_send(&s->dev.tty, p, n);
}

static void on_command(void *ctx, const char *text) {
    struct panel_sim *s = ctx;
    char shown[2 * BOARD_LINE];
    log_quote(shown, sizeof shown, text, strlen(text));
    log_debug("host: %s", shown);
    mp_kv_str(stage_begin(&s->dev.st, "sim.command", 0, 1), "text", shown);
    stage_end(&s->dev.st);
}

enum { LED_KEYS = 2 };

static void put_leds(const struct board *b, struct buf *out) {
    char bits[BOARD_BUTTONS_MAX + 1];
    if (b->curled)
        mp_kv_uint(out, "id", b->curled);
    else
        mp_kv_nil(out, "id");
    mp_kv_str(out, "bits", board_bits(b, bits));
}

static void on_led(void *ctx) {
    struct panel_sim *s = ctx;
    put_leds(&s->board, stage_begin(&s->dev.st, "sim.led", 0, LED_KEYS));
    stage_end(&s->dev.st);
}

static void on_waited(uv_timer_t *t) {
    struct panel_sim *s = t->data;
    board_waited(&s->board);
}

static void on_wait(void *ctx, unsigned ms) {
    struct panel_sim *s = ctx;
    if (ms)
        uv_timer_start(&s->wait, on_waited, ms, 0);
    else
        uv_timer_stop(&s->wait);
}

/* ---- power and host ---- */

static void boot(struct panel_sim *s) {
    if (s->booted)
        return;
    s->booted = true;
    uv_timer_stop(&s->boot);
    board_boot(&s->board, !fast);
}

static void on_boot(uv_timer_t *t) {
    boot(t->data);
}

static void on_power(void *ctx, bool on) {
    struct panel_sim *s = ctx;
    s->booted = !on;
    uv_timer_stop(&s->boot);
    board_reset(&s->board);
    if (on && !fast)
        uv_timer_start(&s->boot, on_boot, s->board.new_firmware ? BOOT_MS : HOST_WAIT_MS, 0);
}

static void on_host(void *ctx, bool open) {
    struct panel_sim *s = ctx;
    if (open && (fast || !s->board.new_firmware))
        boot(s);
}

static void on_bytes(void *ctx, const uint8_t *p, size_t n) {
    struct panel_sim *s = ctx;
    board_feed(&s->board, p, n);
}

/* ---- buttons ---- */

static int press(struct panel_sim *s, unsigned id, bool down, struct err *e) {
    if (!s->dev.tty.plugged)
        return err_set(e, CAUSE_UNPLUGGED, "the panel is unplugged");
    if (!(down ? board_press : board_release)(&s->board, id))
        return err_set(e, CAUSE_USAGE, "there is no button %u (1 to %u)", id, s->board.buttons);
    mp_kv_uint(stage_begin(&s->dev.st, down ? "sim.press" : "sim.release", 0, 1), "id", id);
    stage_end(&s->dev.st);
    return 0;
}

static void on_held(uv_timer_t *t) {
    struct panel_sim *s = t->data;
    press(s, s->held_id, false, NULL);
}

static void on_random(uv_timer_t *t);

/* Intervals as of independent people: exponential. */
static void plan_random(struct panel_sim *s) {
    double u = (double)(chance_next(&s->luck) + 1) / (double)((1ull << 53) + 1);
    uv_timer_start(&s->random, on_random, (uint64_t)(-log(u) * (double)random_ms), 0);
}

static void on_random(uv_timer_t *t) {
    struct panel_sim *s = t->data;
    if (uv_is_active((uv_handle_t *)&s->held))
        on_held(&s->held);
    s->held_id = 1 + (unsigned)chance_below(&s->luck, s->board.buttons);
    if (press(s, s->held_id, true, NULL) == 0)
        uv_timer_start(&s->held, on_held, HELD_MS, 0);
    plan_random(s);
}

static void on_burst(uv_timer_t *t) {
    struct panel_sim *s = t->data;
    do {
        unsigned id = 1 + s->burst_next++ % s->board.buttons;
        press(s, id, true, NULL);
        press(s, id, false, NULL);
    } while (--s->burst_left > 0 && s->burst_ms == 0);
    if (s->burst_left <= 0)
        uv_timer_stop(t);
}

/* ---- commands ---- */

static int run_button(struct panel_sim *s, const char *arg, bool down, bool dry, struct err *e) {
    int64_t id;
    if (opt_number(OPT_INT, arg, &id, e) < 0)
        return -1;
    if (id < 1 || id > s->board.buttons)
        return err_set(e, CAUSE_USAGE, "there is no button %s (1 to %u)", arg, s->board.buttons);
    return dry ? 0 : press(s, (unsigned)id, down, e);
}

static int run_burst(struct panel_sim *s, const char *args, bool dry, struct err *e) {
    char count[32];
    const char *interval = simcmd_split(args, count);
    int64_t n, ms = 0;
    if (opt_number(OPT_INT, count, &n, e) < 0 ||
        (*interval && opt_number(OPT_DURATION, interval, &ms, e) < 0))
        return -1;
    if (n < 1 || n > BURST_MAX || ms < 0)
        return err_set(e, CAUSE_USAGE, "burst %s: 1 to %d presses", args, BURST_MAX);
    if (dry)
        return 0;
    s->burst_left = n;
    s->burst_ms = ms;
    s->burst_next = 0;
    uv_timer_start(&s->burst, on_burst, 0, (uint64_t)ms);
    return 0;
}

static enum simdev_answer on_word(void *ctx, const char *word, const char *rest, bool dry,
                                  struct err *e) {
    struct panel_sim *s = ctx;
    bool down = strcmp(word, "press") == 0;
    int r;
    if (down || strcmp(word, "release") == 0)
        r = run_button(s, rest, down, dry, e);
    else if (strcmp(word, "burst") == 0)
        r = run_burst(s, rest, dry, e);
    else
        return SIMDEV_UNKNOWN;
    return r < 0 ? SIMDEV_ERROR : SIMDEV_DONE;
}

/* ---- requests ---- */

static int answer_button(struct panel_sim *s, bool down, const uint8_t *body, size_t n,
                         struct err *e) {
    uint64_t id;
    if (!mp_get_uint(body, n, "id", &id))
        return err_set(e, CAUSE_USAGE, "press and release need \"id\", the number of a button");
    return press(s, id > BOARD_BUTTONS_MAX ? 0 : (unsigned)id, down, e);
}

static enum simdev_answer on_request(void *ctx, struct rpc_call *call, const char *op,
                                     const uint8_t *body, size_t n, struct err *e) {
    struct panel_sim *s = ctx;
    if (strcmp(op, "leds") == 0) {
        put_leds(&s->board, rpc_reply_begin(call, LED_KEYS));
        rpc_reply_end(call);
        return SIMDEV_REPLIED;
    }
    if (strcmp(op, "press") != 0 && strcmp(op, "release") != 0)
        return SIMDEV_UNKNOWN;
    return answer_button(s, *op == 'p', body, n, e) < 0 ? SIMDEV_ERROR : SIMDEV_DONE;
}

/* ---- life ---- */

static uv_timer_t *timer(struct panel_sim *s, int i) {
    uv_timer_t *const all[] = {&s->boot, &s->wait, &s->random, &s->held, &s->burst, NULL};
    return all[i];
}

static void open_timers(struct panel_sim *s) {
    uv_timer_t *t;
    for (int i = 0; (t = timer(s, i)); i++) {
        uv_timer_init(&s->dev.st.loop, t);
        t->data = s;
    }
}

static void open_counters(struct panel_sim *s) {
    stage_counter(&s->dev.st, "commands", &s->board.commands);
    stage_counter(&s->dev.st, "unknown_commands", &s->board.unknown);
    stage_counter(&s->dev.st, "presses", &s->board.presses);
    pub_retain(&s->dev.st.pub, "sim.led");
}

static int panel_open(void *ctx, struct err *e) {
    struct panel_sim *s = ctx;
    (void)e;
    open_timers(s);
    open_counters(s);
    s->luck.state = seed ? (uint64_t)seed : clock_wall_ns();
    if (random_ms)
        plan_random(s);
    return 0;
}

static void panel_close(void *ctx) {
    uv_timer_t *t;
    for (int i = 0; (t = timer(ctx, i)); i++)
        uv_close((uv_handle_t *)t, NULL);
}

static int check_options(void *ctx) {
    struct panel_sim *s = ctx;
    s->board.buttons = (unsigned)buttons;
    s->board.new_firmware = strcmp(firmware, "2.5") == 0;
    s->dev.line_end = s->board.new_firmware ? "\n" : "\r\n";
    if (!s->board.new_firmware && strcmp(firmware, "2.4") != 0)
        return opt_usage_error(&program, "--firmware %s: there are 2.4 and 2.5", firmware);
    return -1;
}

static int panel_main(int argc, char **argv) {
    static struct panel_sim s = {
        .board = {.on_say = on_say, .on_command = on_command, .on_led = on_led, .on_wait = on_wait},
        .dev = {.program = &program,
                .commands = "press, release, burst",
                .check = check_options,
                .open = panel_open,
                .close = panel_close,
                .on_command = on_word,
                .on_request = on_request,
                .on_bytes = on_bytes,
                .on_power = on_power,
                .on_host = on_host}};
    s.board.ctx = s.dev.ctx = &s;
    return simdev_run(&s.dev, argc, argv);
}

const struct sim sim_panel = {.name = "panel",
                              .summary = "buttons with LEDs on a serial port, firmware 2.4 or 2.5",
                              .run = panel_main};
