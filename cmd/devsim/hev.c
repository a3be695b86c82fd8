/* devsim hev: pretends to be the controller of a HEV ventilator on a serial port.
 *
 * in    commands on standard input, --script; requests; messages sim.do {text}; what the host
 *       writes to the line
 * out   frames on the line: of a made-up patient, or of a recording (--dump); sim.command {cmdtype,
 *       cmd, param}, sim.state {fsm_state, breathing}, sim.dump {pass, sent, damaged}, sim.port
 *       {link, node, plugged, host} on -o
 * ends  on SIGTERM and `quit`; the end of a recording or of standard input ends nothing
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "codec/hev_link.h"
#include "devsim.h"
#include "faults.h"
#include "hev_mcu.h"
#include "hev_play.h"
#include "log.h"
#include "simdev.h"

enum {
    HOST_SETTLE_MS = 100, /* a host that has just opened the line throws away what is there */
    PLAY_AHEAD = HEV_QUEUE_MAX / 2, /* lines of a recording that may wait for acknowledgement */
    RATE_FIRST = 5,                 /* DATA a second that A0 and A1 sent */
    RATE_USUAL = 50                 /* later ones: 30 to 80 */
};

struct ventilator {
    struct simdev dev;
    struct hev_mcu mcu;
    struct hev_play play;
    struct hev_link link;
    struct chance luck;
    double loss, corrupt;
    uint64_t lost, corrupted;
    uv_timer_t due, resend;
    bool awake; /* a host listens */
};

static const char *mcu_version = "B6", *ie = "1:2", *dump, *speed = "1", *loss, *corrupt;
static int64_t rate, breath_rate = 15, pressure = 17, peep = 5, compliance = 40, resistance = 10,
                     every_ms = 1000, resend_ms = 10, tries = HEV_TRIES, seed;
static bool stopped, loop;

static const struct opt options[] = {
    {"mcu-version", 0, OPT_TEXT, &mcu_version, "VERSION", "what the controller speaks: A0 to B6", 0,
     0},
    {"rate", 0, OPT_INT, &rate, "N",
     "DATA a second; 0 is what such controllers sent: 5 for A0 and A1, else 50", 0, 1000},
    {"stopped", 0, OPT_FLAG, &stopped, NULL, "idle until the host says START", 0, 0},
    {"breath-rate", 0, OPT_INT, &breath_rate, "N", "breaths a minute", 2, 100},
    {"ie", 0, OPT_TEXT, &ie, "IN:OUT", "time for breathing in and out", 0, 0},
    {"pressure", 0, OPT_INT, &pressure, "MBAR", "at the end of breathing in", 1, 100},
    {"peep", 0, OPT_INT, &peep, "MBAR", "at the end of breathing out", 0, 50},
    {"compliance", 0, OPT_INT, &compliance, "ML/MBAR", "of the patient's lung", 1, 500},
    {"resistance", 0, OPT_INT, &resistance, "MBAR/(L/S)", "of the patient's airways", 1, 500},
    {"dump", 0, OPT_TEXT, &dump, "FILE", "no patient: a recording, text or 27-byte records", 0, 0},
    {"speed", 0, OPT_TEXT, &speed, "FACTOR",
     "of the recording: 2 is twice as fast, 0 as fast as it is acknowledged", 0, 0},
    {"loop", 0, OPT_FLAG, &loop, NULL, "the recording again and again, time stamps going on", 0, 0},
    {"every", 0, OPT_DURATION, &every_ms, "DURATION",
     "between the payloads of a recording without time stamps (A0)", 0, INT32_MAX},
    {"resend", 0, OPT_DURATION, &resend_ms, "DURATION",
     "when a frame is not acknowledged, again after that time", 1, INT32_MAX},
    {"tries", 0, OPT_INT, &tries, "N", "how often a frame is sent; 0 until it is acknowledged", 0,
     UINT16_MAX},
    {"loss", 0, OPT_TEXT, &loss, "SHARE", "frames that do not reach the host, such as 1%", 0, 0},
    {"corrupt", 0, OPT_TEXT, &corrupt, "SHARE", "frames with one byte changed", 0, 0},
    {"seed", 0, OPT_INT, &seed, "N", "of all chance; 0 takes another each time", 0, INT64_MAX},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static struct opt_program program = {
    .name = "devsim hev",
    .summary = "pretend to be a ventilator on a pseudo-terminal",
    .synopsis = NULL,
    .details =
        "Frames are sent while a host has the line open, each until it is acknowledged or given\n"
        "up. A recording waits for the host too, and for acknowledgements, so that every line of\n"
        "it is sent. The patient breathes from the start, or after START.\n\n"
        "Commands on standard input and in scripts:\n"
        "  alarm NAME [PRIORITY [PARAM]]  raised, and told each second (low, medium, high)\n"
        "  clear NAME|all                 gone\n"
        "  set NAME VALUE            rate, ie, pressure, peep, compliance, "
        "resistance\n" SIMDEV_COMMANDS_HELP
        "Requests: alarm {name, priority, param}, clear {name}, set {name, value}, state,\n"
        "unplug {ms}, plug, do {text}.",
    .tables = {options, NULL, NULL, NULL}};

static uint64_t now_us(void) {
    return clock_mono_ns() / 1000;
}

/* ---- timers ---- */

static void on_due(uv_timer_t *t);
static void on_resend(uv_timer_t *t);

/* Call again at `at` on our clock, never too early. */
static void wake_at(uv_timer_t *t, uv_timer_cb cb, uint64_t at) {
    uint64_t now = now_us();
    uv_update_time(t->loop);
    uv_timer_start(t, cb, at > now ? (at - now + 999) / 1000 : 0, 0);
}

/* After whatever may have put something on the line or taken it off. */
static void watch_link(struct ventilator *v) {
    uint64_t ns = hev_link_deadline(&v->link);
    if (ns)
        wake_at(&v->resend, on_resend, (ns + 999) / 1000);
    else
        uv_timer_stop(&v->resend);
}

static void run(struct ventilator *v) {
    if (!v->awake)
        return;
    uint64_t next = dump ? hev_play_run(&v->play, now_us()) : hev_mcu_run(&v->mcu, now_us());
    if (next != UINT64_MAX)
        wake_at(&v->due, on_due, next);
    watch_link(v);
}

static void on_due(uv_timer_t *t) {
    run(t->data);
}

static void on_resend(uv_timer_t *t) {
    struct ventilator *v = t->data;
    hev_link_timeout(&v->link, clock_mono_ns());
    watch_link(v);
}

/* ---- the link ---- */

static void on_write(void *ctx, const uint8_t *wire, size_t n) {
    struct ventilator *v = ctx;
    uint8_t damaged[HEV_WIRE_MAX];
    if (chance_hit(&v->luck, v->loss)) {
        v->lost++;
        return;
    }
    memcpy(damaged, wire, n);
    if (chance_hit(&v->luck, v->corrupt)) {
        damaged[chance_below(&v->luck, n)] ^= (uint8_t)(1 + chance_below(&v->luck, 255));
        v->corrupted++;
    }
    simtty_send(&v->dev.tty, damaged, n);
}

static void on_deliver(void *ctx, const struct hev_frame *f) {
    struct ventilator *v = ctx;
    hev_mcu_take(&v->mcu, f->address, f->data, f->len);
}

/* A recording may have waited for it. */
static void on_sent(void *ctx, const struct hev_sent *sent) {
    struct ventilator *v = ctx;
    (void)sent;
    if (dump && v->awake)
        uv_timer_start(&v->due, on_due, 0, 0);
}

static void send_payload(struct ventilator *v, uint8_t address, const uint8_t *p, size_t n) {
    int class = hev_address_class(address);
    if (v->awake && class >= 0)
        hev_link_send(&v->link, (enum hev_class) class, 0, p, n, clock_mono_ns());
}

static void on_play_send(void *ctx, uint8_t address, const uint8_t *p, size_t n) {
    send_payload(ctx, address, p, n);
}

static void on_mcu_send(void *ctx, enum hev_type type, const uint8_t *p, size_t n) {
    send_payload(ctx, hev_type_address(type), p, n);
}

static bool play_has_room(void *ctx, uint8_t address) {
    struct ventilator *v = ctx;
    (void)address;
    return hev_link_pending(&v->link) < PLAY_AHEAD;
}

/* ---- what is told ---- */

static void on_mcu_command(void *ctx, const char *cmdtype, const char *cmd, double param) {
    struct ventilator *v = ctx;
    struct buf *b = stage_begin(&v->dev.st, "sim.command", 0, 3);
    mp_kv_str(b, "cmdtype", cmdtype);
    mp_kv_str(b, "cmd", cmd);
    mp_kv_double(b, "param", param);
    stage_end(&v->dev.st);
    log_info("host: %s %s %g", cmdtype ? cmdtype : "?", cmd ? cmd : "?", param);
}

enum { STATE_KEYS = 2 };

static void put_state(const struct ventilator *v, struct buf *b) {
    mp_kv_str(b, "fsm_state", breather_phase_name(v->mcu.breather.phase));
    mp_kv_bool(b, "breathing", breather_running(&v->mcu.breather));
}

static void on_mcu_phase(void *ctx) {
    struct ventilator *v = ctx;
    put_state(v, stage_begin(&v->dev.st, "sim.state", 0, STATE_KEYS));
    stage_end(&v->dev.st);
}

static void on_pass(void *ctx) {
    struct ventilator *v = ctx;
    struct buf *b = stage_begin(&v->dev.st, "sim.dump", 0, 3);
    mp_kv_uint(b, "pass", v->play.passes);
    mp_kv_uint(b, "sent", v->play.sent);
    mp_kv_uint(b, "damaged", v->play.damaged);
    stage_end(&v->dev.st);
}

/* ---- power and host ---- */

static void on_settled(uv_timer_t *t) {
    struct ventilator *v = t->data;
    v->awake = true;
    if (!dump)
        hev_mcu_resume(&v->mcu, now_us());
    run(v);
}

static void on_host(void *ctx, bool open) {
    struct ventilator *v = ctx;
    v->awake = false;
    uv_timer_stop(&v->due);
    hev_link_reset(&v->link);
    watch_link(v);
    if (open)
        uv_timer_start(&v->due, on_settled, HOST_SETTLE_MS, 0);
    else if (dump)
        hev_play_pause(&v->play, now_us());
}

static void on_power(void *ctx, bool on) {
    struct ventilator *v = ctx;
    on_host(v, false); /* the line tells no host that it has closed */
    if (!on || dump)
        return;
    hev_mcu_boot(&v->mcu, now_us(), !stopped);
    on_mcu_phase(v);
}

static void on_bytes(void *ctx, const uint8_t *p, size_t n) {
    struct ventilator *v = ctx;
    hev_link_feed(&v->link, p, n, clock_mono_ns());
    watch_link(v);
}

/* ---- commands ---- */

static int need_patient(struct err *e) {
    return dump ? err_set(e, CAUSE_USAGE, "a recording plays: there is no patient") : 0;
}

static int read_number(const char *what, const char *text, double *v, struct err *e) {
    char *end;
    *v = strtod(text, &end);
    if (end == text || *end)
        return err_set(e, CAUSE_USAGE, "%s: \"%.40s\" is not a number", what, text);
    return 0;
}

static int read_priority(const char *word, enum hev_priority *p, struct err *e) {
    static const char prefix[] = "PRIORITY_", *const words[] = {"", "low", "medium", "high"};
    if (strncasecmp(word, prefix, sizeof prefix - 1) == 0)
        word += sizeof prefix - 1;
    for (int i = 0; i < 4; i++)
        if (strcasecmp(words[i], word) == 0) {
            *p = (enum hev_priority)i;
            return 0;
        }
    return err_set(e, CAUSE_USAGE, "\"%.40s\" is no priority (low, medium, high)", word);
}

static int raise_alarm(struct ventilator *v, const char *name, const char *priority, double param,
                       bool dry, struct err *e) {
    enum hev_priority p = HEV_PRIORITY_NONE;
    if (need_patient(e) < 0 || read_priority(priority, &p, e) < 0 ||
        hev_mcu_alarm_code(&v->mcu, name, e) < 0)
        return -1;
    if (dry)
        return 0;
    if (!v->awake)
        return err_set(e, CAUSE_UNPLUGGED, "no host has the line open");
    int r = hev_mcu_alarm(&v->mcu, name, p, param, e);
    watch_link(v);
    return r;
}

static int run_alarm(struct ventilator *v, const char *args, bool dry, struct err *e) {
    char name[32], priority[32];
    const char *rest = simcmd_split(simcmd_split(args, name), priority);
    double param = 0;
    if (*rest && read_number("alarm", rest, &param, e) < 0)
        return -1;
    return raise_alarm(v, name, priority, param, dry, e);
}

static int run_clear(struct ventilator *v, const char *name, bool dry, struct err *e) {
    bool all = strcmp(name, "all") == 0;
    if (need_patient(e) < 0 || (!all && hev_mcu_alarm_code(&v->mcu, name, e) < 0))
        return -1;
    return dry ? 0 : hev_mcu_clear(&v->mcu, name, e);
}

static int run_set(struct ventilator *v, const char *args, bool dry, struct err *e) {
    char name[32];
    double value;
    const char *rest = simcmd_split(args, name);
    if (need_patient(e) < 0 || read_number(name, rest, &value, e) < 0)
        return -1;
    return hev_mcu_set(&v->mcu, name, value, dry, e);
}

static enum simdev_answer on_word(void *ctx, const char *word, const char *rest, bool dry,
                                  struct err *e) {
    int r;
    if (strcmp(word, "alarm") == 0)
        r = run_alarm(ctx, rest, dry, e);
    else if (strcmp(word, "clear") == 0)
        r = run_clear(ctx, rest, dry, e);
    else if (strcmp(word, "set") == 0)
        r = run_set(ctx, rest, dry, e);
    else
        return SIMDEV_UNKNOWN;
    return r < 0 ? SIMDEV_ERROR : SIMDEV_DONE;
}

/* ---- requests ---- */

static void answer_state(struct ventilator *v, struct rpc_call *call) {
    struct buf *b = rpc_reply_begin(call, STATE_KEYS + 4);
    unsigned n = 0;
    for (int i = 0; i < HEV_ALARMS; i++)
        n += v->mcu.alarm[i].active;
    put_state(v, b);
    mp_kv_uint(b, "version", v->mcu.version);
    mp_kv_double(b, "pressure", v->mcu.breather.pressure);
    mp_kv_uint(b, "breaths", v->mcu.breather.breaths);
    mp_put_str(b, "alarms");
    mp_put_array(b, n);
    for (unsigned i = 0; i < HEV_ALARMS; i++)
        if (v->mcu.alarm[i].active)
            mp_put_str(b, hev_alarm_name(v->mcu.version, i));
    rpc_reply_end(call);
}

static int answer_alarm(struct ventilator *v, const uint8_t *body, size_t n, struct err *e) {
    char name[32], priority[32] = "";
    double param = 0;
    mp_get_cstr(body, n, "priority", priority, sizeof priority);
    mp_get_double(body, n, "param", &param);
    if (!mp_get_cstr(body, n, "name", name, sizeof name))
        return err_set(e, CAUSE_USAGE, "alarm needs \"name\", such as LOW_PEEP");
    return raise_alarm(v, name, priority, param, false, e);
}

static int answer_clear(struct ventilator *v, const uint8_t *body, size_t n, struct err *e) {
    char name[32] = "all";
    mp_get_cstr(body, n, "name", name, sizeof name);
    return run_clear(v, name, false, e);
}

static int answer_set(struct ventilator *v, const uint8_t *body, size_t n, struct err *e) {
    char name[32];
    double value;
    if (!mp_get_cstr(body, n, "name", name, sizeof name) ||
        !mp_get_double(body, n, "value", &value))
        return err_set(e, CAUSE_USAGE, "set needs \"name\" and \"value\", a number");
    return need_patient(e) < 0 ? -1 : hev_mcu_set(&v->mcu, name, value, false, e);
}

static enum simdev_answer on_request(void *ctx, struct rpc_call *call, const char *op,
                                     const uint8_t *body, size_t n, struct err *e) {
    int r;
    if (strcmp(op, "state") == 0) {
        answer_state(ctx, call);
        return SIMDEV_REPLIED;
    }
    if (strcmp(op, "alarm") == 0)
        r = answer_alarm(ctx, body, n, e);
    else if (strcmp(op, "clear") == 0)
        r = answer_clear(ctx, body, n, e);
    else if (strcmp(op, "set") == 0)
        r = answer_set(ctx, body, n, e);
    else
        return SIMDEV_UNKNOWN;
    return r < 0 ? SIMDEV_ERROR : SIMDEV_DONE;
}

/* ---- life ---- */

static void open_counters(struct ventilator *v) {
    struct stage *st = &v->dev.st;
    stage_counter(st, "commands", &v->mcu.commands);
    stage_counter(st, "unknown_commands", &v->mcu.unknown);
    stage_counter(st, "lines", &v->play.sent);
    stage_counter(st, "damaged_lines", &v->play.damaged);
    stage_counter(st, "sent", &v->link.sent);
    stage_counter(st, "resent", &v->link.resent);
    stage_counter(st, "unanswered", &v->link.unanswered);
    stage_counter(st, "dropped", &v->link.dropped);
    stage_counter(st, "received", &v->link.taken);
    stage_counter(st, "repeats", &v->link.repeats);
    stage_counter(st, "bad_fcs", &v->link.receiver.bad_fcs);
    stage_counter(st, "lost", &v->lost);
    stage_counter(st, "corrupted", &v->corrupted);
    pub_retain(&st->pub, "sim.state");
    pub_retain(&st->pub, "sim.dump");
}

static void open_link(struct ventilator *v) {
    static const struct hev_link_hooks hooks = {
        .write = on_write, .deliver = on_deliver, .sent = on_sent};
    struct hev_link_config c = {.tries = (unsigned)tries};
    for (int i = 0; i < HEV_CLASSES; i++)
        c.resend_ns[i] = (uint64_t)resend_ms * 1000000u;
    hev_link_init(&v->link, &c, &hooks, v);
}

static int open_ventilator(void *ctx, struct err *e) {
    struct ventilator *v = ctx;
    uv_timer_init(&v->dev.st.loop, &v->due);
    uv_timer_init(&v->dev.st.loop, &v->resend);
    v->due.data = v->resend.data = v;
    v->luck.state = seed ? (uint64_t)seed : clock_wall_ns();
    v->mcu.luck.state = v->luck.state ^ 0x9e3779b97f4a7c15u;
    open_link(v);
    open_counters(v);
    return dump ? hev_play_open(&v->play, dump, e) : 0;
}

static void close_ventilator(void *ctx) {
    struct ventilator *v = ctx;
    uv_close((uv_handle_t *)&v->due, NULL);
    uv_close((uv_handle_t *)&v->resend, NULL);
    hev_play_free(&v->play);
}

static int check_version(struct ventilator *v, struct err *e) {
    char *end;
    v->mcu.version = (unsigned)strtoul(mcu_version, &end, 16);
    if (strlen(mcu_version) != 2 || *end || v->mcu.version < HEV_VERSION_FIRST ||
        v->mcu.version > HEV_VERSION_LAST)
        return err_set(e, CAUSE_USAGE, "--mcu-version %s: there are A0 to B6", mcu_version);
    if (!hev_layout_find(v->mcu.version, HEV_DATA, 0))
        return err_set(e, CAUSE_USAGE, "--mcu-version %s: how it sends data is not known",
                       mcu_version);
    return 0;
}

static int check_ie(struct ventilator *v, struct err *e) {
    double in, out = 1;
    char *end;
    in = strtod(ie, &end);
    if (*end == ':')
        out = strtod(end + 1, &end);
    v->mcu.usual.ie = in / out;
    if (*end || !(v->mcu.usual.ie >= 0.1 && v->mcu.usual.ie <= 4))
        return err_set(e, CAUSE_USAGE, "--ie %s: 1:10 to 4:1, such as 1:2", ie);
    return 0;
}

static int check_numbers(struct ventilator *v, struct err *e) {
    if (read_number("--speed", speed, &v->play.speed, e) < 0 ||
        (loss && fault_rate(loss, &v->loss, e) < 0) ||
        (corrupt && fault_rate(corrupt, &v->corrupt, e) < 0))
        return -1;
    if (!(v->play.speed >= 0 && v->play.speed <= 1e6))
        return err_set(e, CAUSE_USAGE, "--speed %s: 0 to 1000000", speed);
    return 0;
}

static int check_options(void *ctx) {
    struct ventilator *v = ctx;
    struct err e;
    if (check_version(v, &e) < 0 || check_ie(v, &e) < 0 || check_numbers(v, &e) < 0)
        return opt_usage_error(&program, "%s", e.text);
    int64_t hz = rate ? rate : v->mcu.version <= 0xA1 ? RATE_FIRST : RATE_USUAL;
    v->mcu.data_us = 1000000 / hz;
    v->mcu.recorded = dump;
    v->mcu.usual.rate = (double)breath_rate;
    v->mcu.usual.pressure = (double)pressure;
    v->mcu.usual.peep = (double)peep;
    v->mcu.breather.compliance = (double)compliance;
    v->mcu.breather.resistance = (double)resistance;
    v->play.loop = loop;
    v->play.every_us = every_ms * 1000;
    return -1;
}

static int hev_main(int argc, char **argv) {
    static struct ventilator v = {
        .mcu = {.send = on_mcu_send, .on_command = on_mcu_command, .on_phase = on_mcu_phase},
        .play = {.room = play_has_room, .send = on_play_send, .on_pass = on_pass},
        .dev = {.program = &program,
                .commands = "alarm, clear, set",
                .line_end = "\r\n",
                .check = check_options,
                .open = open_ventilator,
                .close = close_ventilator,
                .on_command = on_word,
                .on_request = on_request,
                .on_bytes = on_bytes,
                .on_power = on_power,
                .on_host = on_host}};
    v.mcu.ctx = v.play.ctx = v.dev.ctx = &v;
    return simdev_run(&v.dev, argc, argv);
}

const struct sim sim_hev = {
    .name = "hev", .summary = "a HEV ventilator on a serial port", .run = hev_main};
