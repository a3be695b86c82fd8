/* devsim espcam: pretends to be battery cameras behind their gateway on a serial port.
 *
 * in    commands on standard input, --script; requests; messages sim.do {text}; what the host
 *       writes to the line
 * out   frames on the line, or in a file (--write, --stdout); sim.picture {mac, number, bytes,
 *       frames, sha256, intact}, sim.sleep {mac, seconds}, sim.command {text, taken}, sim.port
 *       {link, node, plugged, host} on -o
 * ends  on SIGTERM and `quit`; with --write when all pictures are written; the end of standard
 *       input ends nothing
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/lines.h"
#include "devsim.h"
#include "espcam.h"
#include "log.h"
#include "script.h"
#include "simcmd.h"
#include "simtty.h"
#include "stream.h"

enum {
    HOST_SETTLE_MS = 100, /* a host that has just opened the line throws away what is there */
    STEPS = 64,           /* frames in one turn of the loop */
    ROOM = 4 * FRAME_MAX + 2 * FAULTS_NOISE_MAX /* what one step may send */
};

struct device {
    struct stage st;
    struct espcam_sim sim;
    struct simtty tty;
    struct outstream file;
    struct script script;
    struct lines input;
    uv_timer_t due, pace;
    uv_idle_t pump; /* frames as fast as they are taken */
    bool to_file, awake;
};

static const char *link_path, *script_path, *images, *dialect = "A", *hash, *write_path, *rates[7];
static int64_t cameras = 4, every_ms = 5000, pace_ms = 5, count, seed;
static bool to_stdout;

static const struct opt options[] = {
    {"link", 0, OPT_TEXT, &link_path, "PATH", "symbolic link to the device, replaced when there", 0,
     0},
    {"cameras", 0, OPT_INT, &cameras, "N", "cameras, 24:6f:28:a1:b2:c3 and following", 1,
     ESPCAM_CAMERAS},
    {"images", 0, OPT_TEXT, &images, "DIR", "JPEGs to send; without it those of tapline's media/",
     0, 0},
    {"dialect", 0, OPT_TEXT, &dialect, "A|B|C|D", "how frames are made, see below", 0, 0},
    {"hash", 0, OPT_TEXT, &hash, "first|last|none",
     "SHA-256 in front, size and sum behind, or nothing; as the dialect does by default", 0, 0},
    {"every", 0, OPT_DURATION, &every_ms, "DURATION", "from picture to picture of one camera", 0,
     INT32_MAX},
    {"pace", 0, OPT_DURATION, &pace_ms, "DURATION",
     "from frame to frame of all; 0 as fast as they are taken", 0, INT32_MAX},
    {"count", 0, OPT_INT, &count, "N", "pictures of all cameras together; 0 no end", 0, INT64_MAX},
    {"corrupt", 0, OPT_TEXT, &rates[0], "SHARE", "frames with one byte changed, such as 1%", 0, 0},
    {"loss", 0, OPT_TEXT, &rates[1], "SHARE",
     "frames missing behind the gateway, which leaves gaps", 0, 0},
    {"radio-loss", 0, OPT_TEXT, &rates[2], "SHARE", "packets that the gateway never hears", 0, 0},
    {"cut", 0, OPT_TEXT, &rates[3], "SHARE", "frames without their end", 0, 0},
    {"double", 0, OPT_TEXT, &rates[4], "SHARE", "frames that come twice", 0, 0},
    {"swap", 0, OPT_TEXT, &rates[5], "SHARE", "data frames overtaken by the next of their camera",
     0, 0},
    {"noise", 0, OPT_TEXT, &rates[6], "SHARE", "frames with garbage, log text or marks in front", 0,
     0},
    {"seed", 0, OPT_INT, &seed, "N", "of all chance; 0 takes another each time", 0, INT64_MAX},
    {"script", 0, OPT_TEXT, &script_path, "FILE", "commands at their times", 0, 0},
    {"write", 0, OPT_TEXT, &write_path, "FILE", "no terminal: a capture of --count pictures", 0, 0},
    {"stdout", 0, OPT_FLAG, &to_stdout, NULL, "the same to standard output", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static struct opt_program program = {
    .name = "devsim espcam",
    .summary = "pretend to be cameras behind a gateway on a pseudo-terminal",
    .details =
        "Dialects: A big-endian, numbered by the gateway, hash first; B the same little-endian;\n"
        "C framed and numbered by the camera, hash last; D frames of C inside frames of B.\n"
        "Pictures are taken while a host has the line open. Each is told on -o when its last\n"
        "frame is out: sim.picture {mac, number, bytes, frames, sha256, intact}.\n\n"
        "Commands on standard input and in scripts (CAMERA: a number from 1, or an address):\n"
        "  picture CAMERA            one more picture now\n"
        "  sleep CAMERA DURATION, wake CAMERA\n"
        "  send TEXT, raw \\x00\\xff   a line, bytes (\\n \\r \\t \\\\ \\xNN)\n"
        "  unplug [DURATION], plug   power and line off and on; the node changes\n"
        "  stop-reading, start-reading\n"
        "  quit\n"
        "In a script in front of a command: at TIME (from the start), after TIME (from the\n"
        "command before); or alone: wait TIME, loop. # begins a remark.\n\n"
        "Requests: picture {camera}, cameras, unplug {ms}, plug, do {text}.",
    .tables = {options, NULL, NULL, NULL}};

static uint64_t now_ms(const struct device *d) {
    return uv_now(&d->st.loop);
}

/* ---- frames out ---- */

static void line_send(void *ctx, const void *p, size_t n) {
    struct device *d = ctx;
    uint64_t dropped = d->tty.out_dropped;
    if (d->to_file)
        outstream_write(&d->file, p, n);
    else
        simtty_send(&d->tty, p, n);
    if (d->tty.out_dropped != dropped)
        espcam_spoil(&d->sim);
}

static bool line_has_room(const struct device *d) {
    return d->to_file ? !d->file.blocked : simtty_room(&d->tty) >= ROOM;
}

static void look(struct device *d);

static void on_due(uv_timer_t *t) {
    look(t->data);
}

static void stop_sending(struct device *d) {
    uv_timer_stop(&d->pace);
    uv_idle_stop(&d->pump);
}

/* All that was asked for is in the file: what a slow reader has not taken yet is waited for. */
static void check_end(struct device *d) {
    if (d->to_file && !d->sim.left && buf_len(&d->file.queue) == 0)
        stage_stop(&d->st, 0);
}

static void on_pace(uv_timer_t *t) {
    struct device *d = t->data;
    if (!espcam_step(&d->sim, now_ms(d)))
        look(d);
}

static void on_pump(uv_idle_t *h) {
    struct device *d = h->data;
    for (int i = 0; i < STEPS && line_has_room(d); i++)
        if (!espcam_step(&d->sim, now_ms(d))) {
            stop_sending(d);
            look(d);
            return;
        }
    if (!line_has_room(d))
        uv_idle_stop(h);
}

static void start_sending(struct device *d) {
    if (d->to_file || pace_ms == 0)
        uv_idle_start(&d->pump, on_pump);
    else if (!uv_is_active((uv_handle_t *)&d->pace))
        uv_timer_start(&d->pace, on_pace, 0, (uint64_t)pace_ms);
}

static bool any_sending(const struct device *d) {
    for (unsigned i = 0; i < d->sim.cameras; i++)
        if (d->sim.cam[i].camera.sending)
            return true;
    return false;
}

/* Who takes a picture now, and when to look again. */
static void look(struct device *d) {
    uint64_t now = now_ms(d);
    if (!d->awake)
        return;
    uint64_t next = espcam_wake(&d->sim, now);
    if (next != UINT64_MAX)
        uv_timer_start(&d->due, on_due, next - now, 0);
    if (any_sending(d)) {
        start_sending(d);
    } else {
        stop_sending(d);
        check_end(d);
    }
}

static void on_room(void *ctx) {
    struct device *d = ctx;
    if (any_sending(d))
        start_sending(d);
}

static void on_file_blocked(void *ctx, bool blocked) {
    struct device *d = ctx;
    if (blocked)
        return;
    on_room(d);
    check_end(d);
}

static void on_file_broken(void *ctx, int error) {
    struct device *d = ctx;
    if (error != EPIPE)
        log_error("cannot write %s: %s", write_path, strerror(error));
    d->sim.left = 0;
    stop_sending(d);
    stage_stop(&d->st, error != EPIPE);
}

/* ---- power and host ---- */

enum { PORT_KEYS = 4 };

static void say_port(struct device *d) {
    struct buf *b = stage_begin(&d->st, "sim.port", 0, PORT_KEYS);
    mp_kv_str(b, "link", d->tty.link ? d->tty.link : "");
    mp_kv_str(b, "node", d->tty.node);
    mp_kv_bool(b, "plugged", d->tty.plugged);
    mp_kv_bool(b, "host", d->tty.host);
    stage_end(&d->st);
}

static void on_settled(uv_timer_t *t) {
    struct device *d = t->data;
    d->awake = true;
    espcam_spread(&d->sim, now_ms(d));
    look(d);
}

static void on_host(void *ctx, bool open) {
    struct device *d = ctx;
    d->awake = false;
    stop_sending(d);
    uv_timer_stop(&d->due);
    if (open)
        uv_timer_start(&d->due, on_settled, HOST_SETTLE_MS, 0);
    else
        espcam_abort(&d->sim, now_ms(d));
    say_port(d);
}

static void on_power(void *ctx, bool on) {
    (void)on; /* the line tells no host that it has closed */
    on_host(ctx, false);
}

static void on_bytes(void *ctx, const uint8_t *p, size_t n) {
    struct device *d = ctx;
    espcam_command(&d->sim, p, n, now_ms(d));
}

/* ---- commands ---- */

static int run_picture(struct device *d, const char *arg, bool dry, struct err *e) {
    struct espcam_cam *cam = espcam_find(&d->sim, arg, e);
    if (!cam)
        return -1;
    if (dry)
        return 0;
    if (!d->awake)
        return err_set(e, CAUSE_UNPLUGGED, "no host has the line open");
    if (espcam_shoot(&d->sim, cam, now_ms(d), e) < 0)
        return -1;
    start_sending(d);
    return 0;
}

static int run_sleep(struct device *d, const char *args, bool sleep, bool dry, struct err *e) {
    char who[32];
    const char *duration = simcmd_split(args, who);
    struct espcam_cam *cam = espcam_find(&d->sim, who, e);
    int64_t ms = 0;
    if (!cam || (sleep && opt_number(OPT_DURATION, duration, &ms, e) < 0))
        return -1;
    if (ms < 0)
        return err_set(e, CAUSE_USAGE, "sleep %s: no time before now", args);
    if (dry)
        return 0;
    if (sleep)
        espcam_sleep(&d->sim, cam, (uint64_t)ms, now_ms(d));
    else
        cam->asleep_ms = 0;
    look(d);
    return 0;
}

static int run_command(void *ctx, const char *text, bool dry, struct err *e) {
    struct device *d = ctx;
    char word[32];
    const char *rest = simcmd_split(text, word);
    bool sleep = strcmp(word, "sleep") == 0;
    if (strcmp(word, "picture") == 0)
        return run_picture(d, rest, dry, e);
    if (sleep || strcmp(word, "wake") == 0)
        return run_sleep(d, rest, sleep, dry, e);
    if (strcmp(word, "quit") == 0) {
        if (!dry)
            stage_stop(&d->st, 0);
        return 0;
    }
    int r = d->to_file ? 0 : simcmd_run(&d->tty, "\r\n", text, dry, e);
    if (r == 0)
        return err_set(e, CAUSE_USAGE,
                       "unknown command \"%s\" (picture, sleep, wake, send, raw, unplug, plug, "
                       "stop-reading, start-reading, quit)",
                       word);
    return r < 0 ? -1 : 0;
}

static int run_text(struct device *d, const char *p, size_t n, struct err *e) {
    char text[SIMCMD_MAX];
    if (n >= sizeof text)
        return err_set(e, CAUSE_LIMIT, "a command has at most %d bytes", SIMCMD_MAX - 1);
    memcpy(text, p, n);
    text[n] = 0;
    char *command = simcmd_trim(text);
    return *command && *command != '#' ? run_command(d, command, false, e) : 0;
}

static void on_line(void *ctx, const char *p, size_t n) {
    struct err e;
    if (!p)
        log_warn("a command has at most %d bytes", SIMCMD_MAX - 1);
    else if (run_text(ctx, p, n, &e) < 0)
        log_warn("%s", e.text);
}

static size_t on_raw(void *ctx, const uint8_t *p, size_t n, uint64_t time_ns) {
    struct device *d = ctx;
    (void)time_ns;
    lines_feed(&d->input, p, n, on_line, d);
    return n;
}

static void on_msg(void *ctx, const struct msg *m) {
    const char *text;
    size_t n;
    if (msg_is(m, "sim.do") && mp_get_str(m->body, m->body_len, "text", &text, &n))
        on_line(ctx, text, n);
}

/* A last command may lack its line end. */
static void on_end(void *ctx) {
    struct device *d = ctx;
    if (d->input.len)
        on_line(d, d->input.tail, d->input.len);
    lines_reset(&d->input);
}

/* ---- requests ---- */

static void answer_cameras(struct device *d, struct rpc_call *call) {
    struct buf *b = rpc_reply_begin(call, 1);
    char mac[18];
    mp_put_str(b, "cameras");
    mp_put_array(b, d->sim.cameras);
    for (unsigned i = 0; i < d->sim.cameras; i++) {
        const struct espcam_cam *cam = &d->sim.cam[i];
        uint64_t now = now_ms(d);
        mp_put_map(b, 4);
        mp_kv_str(b, "mac", camera_mac(&cam->camera, mac));
        mp_kv_uint(b, "pictures", cam->camera.number);
        mp_kv_bool(b, "sending", cam->camera.sending);
        mp_kv_uint(b, "asleep_ms", cam->asleep_ms > now ? cam->asleep_ms - now : 0);
    }
    rpc_reply_end(call);
}

static int answer(struct device *d, const char *op, const uint8_t *body, size_t n, struct err *e) {
    const char *text;
    char camera[32];
    size_t len;
    uint64_t ms = 0;
    if (strcmp(op, "do") == 0)
        return mp_get_str(body, n, "text", &text, &len)
                   ? run_text(d, text, len, e)
                   : err_set(e, CAUSE_USAGE, "do needs \"text\", a command");
    if (strcmp(op, "picture") == 0)
        return mp_get_cstr(body, n, "camera", camera, sizeof camera)
                   ? run_picture(d, camera, false, e)
                   : err_set(e, CAUSE_USAGE, "picture needs \"camera\", a number or an address");
    if (strcmp(op, "plug") == 0 && !d->to_file)
        return simtty_plug(&d->tty, e);
    if (strcmp(op, "unplug") != 0 || d->to_file)
        return err_set(e, CAUSE_USAGE, "devsim espcam does not know the request \"%s\"", op);
    mp_get_uint(body, n, "ms", &ms);
    simtty_unplug(&d->tty, ms);
    return 0;
}

static void on_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                       size_t n) {
    struct err e;
    if (strcmp(op, "cameras") == 0)
        answer_cameras(ctx, call);
    else if (answer(ctx, op, body, n, &e) < 0)
        rpc_reply_error(call, "%s", e.text);
    else
        rpc_reply_ok(call);
}

/* ---- life ---- */

static void open_counters(struct device *d) {
    const struct faults *x = &d->sim.faults;
    stage_counter(&d->st, "pictures", &d->sim.taken);
    stage_counter(&d->st, "intact", &d->sim.intact);
    stage_counter(&d->st, "frames", &d->sim.frames);
    stage_counter(&d->st, "sleeps", &d->sim.slept);
    stage_counter(&d->st, "unknown_commands", &d->sim.unknown_commands);
    stage_counter(&d->st, "corrupted", &x->corrupted);
    stage_counter(&d->st, "lost", &x->lost);
    stage_counter(&d->st, "cut", &x->cut);
    stage_counter(&d->st, "doubled", &x->doubled);
    stage_counter(&d->st, "swapped", &x->swapped);
    stage_counter(&d->st, "noises", &x->noises);
    stage_counter(&d->st, "tx_bytes", &d->tty.tx_bytes);
    stage_counter(&d->st, "tx_dropped_bytes", &d->tty.out_dropped);
    pub_retain(&d->st.pub, "sim.port");
}

static int open_file(struct device *d, struct err *e) {
    int fd = to_stdout ? STDOUT_FILENO
                       : open(write_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_errno(e, errno, "cannot write %s", write_path);
    d->file.limit = 1; /* anything that waits holds the cameras up */
    d->file.on_blocked = on_file_blocked;
    d->file.on_broken = on_file_broken;
    d->file.ctx = d;
    d->awake = true;
    return outstream_open(&d->file, &d->st.loop, fd, to_stdout, e);
}

static int open_device(struct device *d, struct err *e) {
    uv_timer_init(&d->st.loop, &d->due);
    uv_timer_init(&d->st.loop, &d->pace);
    uv_idle_init(&d->st.loop, &d->pump);
    d->due.data = d->pace.data = d->pump.data = d;
    open_counters(d);
    lines_init(&d->input, SIMCMD_MAX - 1);
    d->sim.luck.state = seed ? (uint64_t)seed : clock_wall_ns();
    d->sim.faults.luck.state = d->sim.luck.state ^ 0x9e3779b97f4a7c15u;
    static const enum camera_hash usual[] = {CAMERA_HASH_FIRST, CAMERA_HASH_FIRST, CAMERA_HASH_LAST,
                                             CAMERA_HASH_LAST};
    enum camera_hash place = !hash                        ? usual[*dialect - 'A']
                             : strcmp(hash, "first") == 0 ? CAMERA_HASH_FIRST
                             : strcmp(hash, "last") == 0  ? CAMERA_HASH_LAST
                                                          : CAMERA_HASH_NONE;
    double radio_loss = 0;
    if (rates[2])
        fault_rate(rates[2], &radio_loss, NULL);
    espcam_start(&d->sim, now_ms(d), *dialect, place, radio_loss);
    d->tty.link = link_path;
    if ((d->to_file ? open_file(d, e) : simtty_open(&d->tty, &d->st.loop, e)) < 0)
        return -1;
    if (script_path)
        script_start(&d->script, &d->st.loop);
    look(d);
    return 0;
}

static void close_device(struct device *d) {
    uv_close((uv_handle_t *)&d->due, NULL);
    uv_close((uv_handle_t *)&d->pace, NULL);
    uv_close((uv_handle_t *)&d->pump, NULL);
    script_close(&d->script);
    if (d->to_file)
        outstream_close(&d->file, 0);
    else
        simtty_close(&d->tty);
    lines_free(&d->input);
}

static int check_rates(struct device *d, struct err *e) {
    struct fault_rates *r = &d->sim.faults.rate;
    double radio, *const into[] = {&r->corrupt, &r->loss, &radio,   &r->cut,
                                   &r->twice,   &r->swap, &r->noise};
    for (int i = 0; i < 7; i++)
        if (rates[i] && fault_rate(rates[i], into[i], e) < 0)
            return -1;
    return 0;
}

static bool is_one_of(const char *word, const char *const *words) {
    while (*words && strcmp(*words, word) != 0)
        words++;
    return *words;
}

static int check_words(const struct device *d, struct err *e) {
    static const char *const dialects[] = {"A", "B", "C", "D", NULL};
    static const char *const places[] = {"first", "last", "none", NULL};
    if (!is_one_of(dialect, dialects))
        return err_set(e, CAUSE_USAGE, "--dialect %s: there are A, B, C and D", dialect);
    if (hash && !is_one_of(hash, places))
        return err_set(e, CAUSE_USAGE, "--hash %s: there are first, last and none", hash);
    if (to_stdout && write_path)
        return err_set(e, CAUSE_USAGE, "--stdout and --write: one of them");
    for (size_t i = 0; to_stdout && i < d->st.outputs.n; i++)
        if (strcmp(d->st.outputs.item[i], "-") == 0)
            return err_set(e, CAUSE_USAGE, "--stdout and -o -: only one can have it");
    if ((to_stdout || write_path) && count == 0)
        return err_set(e, CAUSE_USAGE, "--write and --stdout need --count");
    return 0;
}

static int check_options(struct device *d) {
    struct err e;
    d->sim.cameras = (unsigned)cameras;
    espcam_name(&d->sim);
    d->to_file = to_stdout || write_path;
    d->sim.every_ms = (uint64_t)every_ms;
    d->sim.made_time = d->to_file;
    d->sim.left = count ? (uint64_t)count : UINT64_MAX;
    if (check_words(d, &e) < 0 || check_rates(d, &e) < 0)
        return opt_usage_error(&program, "%s", e.text);
    if (script_path && script_load(&d->script, script_path, &e) < 0)
        return opt_usage_error(&program, "%s", e.text);
    if (pictures_load(&d->sim.pictures, images, &e) == 0)
        return -1;
    log_error("%s", e.text);
    return 1;
}

static int espcam_main(int argc, char **argv) {
    static struct device d = {
        .st = {.on_msg = on_msg,
               .on_raw = on_raw,
               .on_request = on_request,
               .on_end = on_end,
               .no_stdout = true},
        .sim = {.send = line_send},
        .tty = {.on_bytes = on_bytes, .on_power = on_power, .on_host = on_host, .on_room = on_room},
        .script = {.run = run_command}};
    struct err e;
    d.st.ctx = d.sim.ctx = d.tty.ctx = d.script.ctx = &d;
    d.sim.st = &d.st;
    program.tables[1] = stage_common_options;
    int status = stage_options(&d.st, &program, argc, argv, NULL);
    if (status < 0)
        status = check_options(&d);
    if (status >= 0)
        return status;
    if (!getenv("TAPLINE_STAGE"))
        d.st.name = "devsim"; /* sys.NAME has no blanks */
    if (stage_open(&d.st, &e) < 0 || open_device(&d, &e) < 0)
        return stage_fail(&d.st, &e);
    stage_ready(&d.st);
    status = stage_run(&d.st);
    close_device(&d);
    status = stage_close(&d.st, status);
    espcam_free(&d.sim);
    return status;
}

const struct sim sim_espcam = {
    .name = "espcam", .summary = "cameras behind a gateway on a serial port", .run = espcam_main};
