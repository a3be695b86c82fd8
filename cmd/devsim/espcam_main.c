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
#include <string.h>
#include <unistd.h>

#include "devsim.h"
#include "espcam.h"
#include "log.h"
#include "simdev.h"
#include "stream.h"

enum {
    HOST_SETTLE_MS = 100, /* a host that has just opened the line throws away what is there */
    STEPS = 64,           /* frames in one turn of the loop */
    ROOM = 4 * FRAME_MAX + 2 * FAULTS_NOISE_MAX /* what one step may send */
};

struct gateway {
    struct simdev dev;
    struct espcam_sim sim;
    struct outstream file;
    uv_timer_t due, pace;
    uv_idle_t pump; /* frames as fast as they are taken */
    bool awake;
};

static const char *images, *dialect = "A", *hash, *write_path, *rates[7];
static int64_t cameras = 4, every_ms = 5000, pace_ms = 5, count, seed;
static bool to_stdout;

static const struct opt options[] = {
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
        "  sleep CAMERA DURATION, wake CAMERA\n" SIMDEV_COMMANDS_HELP
        "Requests: picture {camera}, cameras, unplug {ms}, plug, do {text}.",
    .tables = {options, NULL, NULL, NULL}};

static uint64_t now_ms(const struct gateway *g) {
    return uv_now(&g->dev.st.loop);
}

/* ---- frames out ---- */

static void line_send(void *ctx, const void *p, size_t n) {
    struct gateway *g = ctx;
    uint64_t dropped = g->dev.tty.out_dropped;
    if (g->dev.no_line)
        outstream_write(&g->file, p, n);
    else
        simtty_send(&g->dev.tty, p, n);
    if (g->dev.tty.out_dropped != dropped)
        espcam_spoil(&g->sim);
}

static bool line_has_room(const struct gateway *g) {
    return g->dev.no_line ? !g->file.blocked : simtty_room(&g->dev.tty) >= ROOM;
}

static void look(struct gateway *g);

static void on_due(uv_timer_t *t) {
    look(t->data);
}

static void stop_sending(struct gateway *g) {
    uv_timer_stop(&g->pace);
    uv_idle_stop(&g->pump);
}

/* All that was asked for is in the file: what a slow reader has not taken yet is waited for. */
static void check_end(struct gateway *g) {
    if (g->dev.no_line && !g->sim.left && buf_len(&g->file.queue) == 0)
        stage_stop(&g->dev.st, 0);
}

static void on_pace(uv_timer_t *t) {
    struct gateway *g = t->data;
    if (!espcam_step(&g->sim, now_ms(g)))
        look(g);
}

static void on_pump(uv_idle_t *h) {
    struct gateway *g = h->data;
    for (int i = 0; i < STEPS && line_has_room(g); i++)
        if (!espcam_step(&g->sim, now_ms(g))) {
            stop_sending(g);
            look(g);
            return;
        }
    if (!line_has_room(g))
        uv_idle_stop(h);
}

static void start_sending(struct gateway *g) {
    if (g->dev.no_line || pace_ms == 0)
        uv_idle_start(&g->pump, on_pump);
    else if (!uv_is_active((uv_handle_t *)&g->pace))
        uv_timer_start(&g->pace, on_pace, 0, (uint64_t)pace_ms);
}

static bool any_sending(const struct gateway *g) {
    for (unsigned i = 0; i < g->sim.cameras; i++)
        if (g->sim.cam[i].camera.sending)
            return true;
    return false;
}

/* Who takes a picture now, and when to look again. */
static void look(struct gateway *g) {
    uint64_t now = now_ms(g);
    if (!g->awake)
        return;
    uint64_t next = espcam_wake(&g->sim, now);
    if (next != UINT64_MAX)
        uv_timer_start(&g->due, on_due, next - now, 0);
    if (any_sending(g)) {
        start_sending(g);
    } else {
        stop_sending(g);
        check_end(g);
    }
}

static void on_room(void *ctx) {
    struct gateway *g = ctx;
    if (any_sending(g))
        start_sending(g);
}

static void on_file_blocked(void *ctx, bool blocked) {
    struct gateway *g = ctx;
    if (blocked)
        return;
    on_room(g);
    check_end(g);
}

static void on_file_broken(void *ctx, int error) {
    struct gateway *g = ctx;
    if (error != EPIPE)
        log_error("cannot write %s: %s", write_path, strerror(error));
    g->sim.left = 0;
    stop_sending(g);
    stage_stop(&g->dev.st, error != EPIPE);
}

/* ---- power and host ---- */

static void on_settled(uv_timer_t *t) {
    struct gateway *g = t->data;
    g->awake = true;
    espcam_spread(&g->sim, now_ms(g));
    look(g);
}

static void on_host(void *ctx, bool open) {
    struct gateway *g = ctx;
    g->awake = false;
    stop_sending(g);
    uv_timer_stop(&g->due);
    if (open)
        uv_timer_start(&g->due, on_settled, HOST_SETTLE_MS, 0);
    else
        espcam_abort(&g->sim, now_ms(g));
}

static void on_power(void *ctx, bool on) {
    (void)on; /* the line tells no host that it has closed */
    on_host(ctx, false);
}

static void on_bytes(void *ctx, const uint8_t *p, size_t n) {
    struct gateway *g = ctx;
    espcam_command(&g->sim, p, n, now_ms(g));
}

/* ---- commands ---- */

static int run_picture(struct gateway *g, const char *arg, bool dry, struct err *e) {
    struct espcam_cam *cam = espcam_find(&g->sim, arg, e);
    if (!cam)
        return -1;
    if (dry)
        return 0;
    if (!g->awake)
        return err_set(e, CAUSE_UNPLUGGED, "no host has the line open");
    if (espcam_shoot(&g->sim, cam, now_ms(g), e) < 0)
        return -1;
    start_sending(g);
    return 0;
}

static int run_sleep(struct gateway *g, const char *args, bool sleep, bool dry, struct err *e) {
    char who[32];
    const char *duration = simcmd_split(args, who);
    struct espcam_cam *cam = espcam_find(&g->sim, who, e);
    int64_t ms = 0;
    if (!cam || (sleep && opt_number(OPT_DURATION, duration, &ms, e) < 0))
        return -1;
    if (ms < 0)
        return err_set(e, CAUSE_USAGE, "sleep %s: no time before now", args);
    if (dry)
        return 0;
    if (sleep)
        espcam_sleep(&g->sim, cam, (uint64_t)ms, now_ms(g));
    else
        cam->asleep_ms = 0;
    look(g);
    return 0;
}

static enum simdev_answer on_word(void *ctx, const char *word, const char *rest, bool dry,
                                  struct err *e) {
    bool sleep = strcmp(word, "sleep") == 0;
    int r;
    if (strcmp(word, "picture") == 0)
        r = run_picture(ctx, rest, dry, e);
    else if (sleep || strcmp(word, "wake") == 0)
        r = run_sleep(ctx, rest, sleep, dry, e);
    else
        return SIMDEV_UNKNOWN;
    return r < 0 ? SIMDEV_ERROR : SIMDEV_DONE;
}

/* ---- requests ---- */

static void answer_cameras(struct gateway *g, struct rpc_call *call) {
    struct buf *b = rpc_reply_begin(call, 1);
    char mac[18];
    mp_put_str(b, "cameras");
    mp_put_array(b, g->sim.cameras);
    for (unsigned i = 0; i < g->sim.cameras; i++) {
        const struct espcam_cam *cam = &g->sim.cam[i];
        uint64_t now = now_ms(g);
        mp_put_map(b, 4);
        mp_kv_str(b, "mac", camera_mac(&cam->camera, mac));
        mp_kv_uint(b, "pictures", cam->camera.number);
        mp_kv_bool(b, "sending", cam->camera.sending);
        mp_kv_uint(b, "asleep_ms", cam->asleep_ms > now ? cam->asleep_ms - now : 0);
    }
    rpc_reply_end(call);
}

static int answer_picture(struct gateway *g, const uint8_t *body, size_t n, struct err *e) {
    char camera[32];
    if (!mp_get_cstr(body, n, "camera", camera, sizeof camera))
        return err_set(e, CAUSE_USAGE, "picture needs \"camera\", a number or an address");
    return run_picture(g, camera, false, e);
}

static enum simdev_answer on_request(void *ctx, struct rpc_call *call, const char *op,
                                     const uint8_t *body, size_t n, struct err *e) {
    if (strcmp(op, "cameras") == 0) {
        answer_cameras(ctx, call);
        return SIMDEV_REPLIED;
    }
    if (strcmp(op, "picture") != 0)
        return SIMDEV_UNKNOWN;
    return answer_picture(ctx, body, n, e) < 0 ? SIMDEV_ERROR : SIMDEV_DONE;
}

/* ---- life ---- */

static void open_counters(struct gateway *g) {
    const struct faults *x = &g->sim.faults;
    stage_counter(&g->dev.st, "pictures", &g->sim.taken);
    stage_counter(&g->dev.st, "intact", &g->sim.intact);
    stage_counter(&g->dev.st, "frames", &g->sim.frames);
    stage_counter(&g->dev.st, "sleeps", &g->sim.slept);
    stage_counter(&g->dev.st, "unknown_commands", &g->sim.unknown_commands);
    stage_counter(&g->dev.st, "corrupted", &x->corrupted);
    stage_counter(&g->dev.st, "lost", &x->lost);
    stage_counter(&g->dev.st, "cut", &x->cut);
    stage_counter(&g->dev.st, "doubled", &x->doubled);
    stage_counter(&g->dev.st, "swapped", &x->swapped);
    stage_counter(&g->dev.st, "noises", &x->noises);
}

static int open_file(struct gateway *g, struct err *e) {
    int fd = to_stdout ? STDOUT_FILENO
                       : open(write_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_errno(e, errno, "cannot write %s", write_path);
    g->file.limit = 1; /* anything that waits holds the cameras up */
    g->file.on_blocked = on_file_blocked;
    g->file.on_broken = on_file_broken;
    g->file.ctx = g;
    g->awake = true;
    return outstream_open(&g->file, &g->dev.st.loop, fd, to_stdout, e);
}

/* Where the hash stands: as asked for, else as cameras of this dialect have it. */
static enum camera_hash hash_place(void) {
    if (!hash)
        return *dialect < 'C' ? CAMERA_HASH_FIRST : CAMERA_HASH_LAST;
    return strcmp(hash, "first") == 0  ? CAMERA_HASH_FIRST
           : strcmp(hash, "last") == 0 ? CAMERA_HASH_LAST
                                       : CAMERA_HASH_NONE;
}

static int open_gateway(void *ctx, struct err *e) {
    struct gateway *g = ctx;
    double radio_loss = 0;
    uv_timer_init(&g->dev.st.loop, &g->due);
    uv_timer_init(&g->dev.st.loop, &g->pace);
    uv_idle_init(&g->dev.st.loop, &g->pump);
    g->due.data = g->pace.data = g->pump.data = g;
    open_counters(g);
    g->sim.luck.state = seed ? (uint64_t)seed : clock_wall_ns();
    g->sim.faults.luck.state = g->sim.luck.state ^ 0x9e3779b97f4a7c15u;
    if (rates[2])
        fault_rate(rates[2], &radio_loss, NULL);
    espcam_start(&g->sim, now_ms(g), *dialect, hash_place(), radio_loss);
    if (g->dev.no_line && open_file(g, e) < 0)
        return -1;
    look(g);
    return 0;
}

static void close_gateway(void *ctx) {
    struct gateway *g = ctx;
    uv_close((uv_handle_t *)&g->due, NULL);
    uv_close((uv_handle_t *)&g->pace, NULL);
    uv_close((uv_handle_t *)&g->pump, NULL);
    if (g->dev.no_line)
        outstream_close(&g->file, 0);
}

static int check_rates(struct gateway *g, struct err *e) {
    struct fault_rates *r = &g->sim.faults.rate;
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

static int check_words(const struct gateway *g, struct err *e) {
    static const char *const dialects[] = {"A", "B", "C", "D", NULL};
    static const char *const places[] = {"first", "last", "none", NULL};
    if (!is_one_of(dialect, dialects))
        return err_set(e, CAUSE_USAGE, "--dialect %s: there are A, B, C and D", dialect);
    if (hash && !is_one_of(hash, places))
        return err_set(e, CAUSE_USAGE, "--hash %s: there are first, last and none", hash);
    if (to_stdout && write_path)
        return err_set(e, CAUSE_USAGE, "--stdout and --write: one of them");
    for (size_t i = 0; to_stdout && i < g->dev.st.outputs.n; i++)
        if (strcmp(g->dev.st.outputs.item[i], "-") == 0)
            return err_set(e, CAUSE_USAGE, "--stdout and -o -: only one can have it");
    if ((to_stdout || write_path) && count == 0)
        return err_set(e, CAUSE_USAGE, "--write and --stdout need --count");
    return 0;
}

static int check_options(void *ctx) {
    struct gateway *g = ctx;
    struct err e;
    g->sim.cameras = (unsigned)cameras;
    espcam_name(&g->sim);
    g->dev.no_line = to_stdout || write_path;
    g->sim.every_ms = (uint64_t)every_ms;
    g->sim.made_time = g->dev.no_line;
    g->sim.left = count ? (uint64_t)count : UINT64_MAX;
    if (check_words(g, &e) < 0 || check_rates(g, &e) < 0)
        return opt_usage_error(&program, "%s", e.text);
    if (pictures_load(&g->sim.pictures, images, &e) == 0)
        return -1;
    log_error("%s", e.text);
    return 1;
}

static int espcam_main(int argc, char **argv) {
    static struct gateway g = {.sim = {.send = line_send},
                               .dev = {.program = &program,
                                       .commands = "picture, sleep, wake",
                                       .line_end = "\r\n",
                                       .check = check_options,
                                       .open = open_gateway,
                                       .close = close_gateway,
                                       .on_command = on_word,
                                       .on_request = on_request,
                                       .on_bytes = on_bytes,
                                       .on_power = on_power,
                                       .on_host = on_host,
                                       .on_room = on_room}};
    g.sim.ctx = g.dev.ctx = &g;
    g.sim.st = &g.dev.st;
    int status = simdev_run(&g.dev, argc, argv);
    espcam_free(&g.sim);
    return status;
}

const struct sim sim_espcam = {
    .name = "espcam", .summary = "cameras behind a gateway on a serial port", .run = espcam_main};
