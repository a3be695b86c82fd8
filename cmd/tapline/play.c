/* tapline play: publish a recording as it was, at its pace.
 *
 * In:   recordings, one after another (- is standard input).
 * Out:  their messages, at the times they had: into the running stages they came from (request
 *       put), into one named by --into, on endpoints (-o), or on standard output when that is a
 *       pipe or a file.
 * Ends: at their end, with a summary; 1 when something could not be played.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "commands.h"
#include "log.h"
#include "play.h"
#include "sources.h"

enum {
    TURN_MESSAGES = 64, /* at once; then other events have their turn, and subscribers theirs */
    TURN_BYTES = 1 << 20,
    TURN_NS = 1000000,
    WAIT_STEP_NS = 10000000,
    AGAIN_MIN_NS = 10000000,
    AGAIN_MAX_NS = 1000000000
};

enum way { WAY_OUT, WAY_INTO };

static struct play {
    struct stage st;
    enum way way;
    char **file;
    int files, at; /* the one being read */
    bool reading;
    struct recording r;
    bool have; /* m is the next message */
    struct msg m;
    struct play_edit edit;
    struct play_into into;
    struct buf status;  /* the supervisor's; empty = not asked */
    uint64_t start_ns;  /* of the first recording: what offsets count from */
    uint64_t from, to;  /* offsets */
    uint64_t last, cut; /* offset of the last message; silence left out so far */
    uint64_t began_ns, wait_until_ns, due_ns; /* monotonic; began: of offset 0 of this pass */
    uint64_t passes, pass_messages;
    uint64_t played, skipped;
    struct hist late;
    bool started, found, blocked, ended, finished;
    int timer_fd;
    uv_poll_t timer;
} play;

static bool live, keep_time;
static const char *into, *speed_text = "1", *from_text, *to_text;
static int64_t loops = 1, max_gap_ms, wait_ms;
static double speed;
static struct opt_list renames, maps, wanted;

static const struct opt options[] = {
    {"live", 'l', OPT_FLAG, &live, NULL, "into the running pipeline, wherever the output goes", 0,
     0},
    {"into", 0, OPT_TEXT, &into, "STAGE", "all of it into this running stage", 0, 0},
    {"map", 0, OPT_LIST, &maps, "SOURCE=STAGE", "what came from SOURCE into this stage instead", 0,
     0},
    {"source", 0, OPT_LIST, &wanted, "SOURCE", "only what came from there", 0, 0},
    {"rename", 0, OPT_LIST, &renames, "OLD=NEW", "topics that begin with OLD begin with NEW", 0, 0},
    {"speed", 's', OPT_TEXT, &speed_text, "X", "so many times as fast (0: as fast as it goes)", 0,
     0},
    {"loop", 0, OPT_INT, &loops, "N", "so many times (0: for ever)", 0, 0},
    {"from", 0, OPT_TEXT, &from_text, "WHEN", "begin at 10s, 09:41:07 or 2026-07-12T09:41:07", 0,
     0},
    {"to", 0, OPT_TEXT, &to_text, "WHEN", "end there", 0, 0},
    {"max-gap", 0, OPT_DURATION, &max_gap_ms, "TIME", "no silence is longer (0: as it was)", 0, 0},
    {"keep-time", 0, OPT_FLAG, &keep_time, NULL, "messages keep the time they had", 0, 0},
    {"wait", 0, OPT_DURATION, &wait_ms, "TIME", "with -o: wait so long for a first subscriber", 0,
     0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static struct opt_program program = {
    .name = "tapline play",
    .summary = "publish a recording as it was, at its pace",
    .synopsis = "FILE...",
    .details =
        "  tapline play monday.tap             into the running pipeline, whence it came\n"
        "  tapline play monday.tap --into decode --speed 10 --topic panel.press\n"
        "  tapline play monday.tap -o old      on an endpoint of its own\n"
        "  tapline play monday.tap | framedecode --format panel | tapline tap\n"
        "Into a pipeline, an endpoint whose stage gets what another recorded endpoint says is "
        "left\n"
        "out (--source asks for it), and so are sys. and log. unless --topic asks for them. On -o\n"
        "what was lost when it was recorded is missing again, by its sequence numbers.\n",
    .tables = {options},
};

/* ---- which messages ---- */

static bool is_asked_for(const struct msg *m) {
    for (size_t i = 0; i < play.st.topics.n; i++)
        if (msg_has_prefix(m, play.st.topics.item[i]))
            return true;
    return play.st.topics.n == 0 && !msg_has_prefix(m, "sys.") && !msg_has_prefix(m, "log.");
}

/* Asked once for each source, for it asks the whole pipeline. */
static bool is_derived(const char *source) {
    static struct topics known;
    char by[RECORDING_NAME];
    if (!buf_len(&play.status) || wanted.n)
        return false;
    struct topic *t = topics_find(&known, source, "", 0);
    if (!t)
        return false;
    if (!t->count++) {
        t->value = play_is_derived(&play.status, source, &play.r, &wanted, by);
        if (t->value)
            log_info("%s is not played: it follows from %s (--source %s to play it)", source, by,
                     source);
    }
    return t->value;
}

static bool is_played(const struct msg *m) {
    const char *source = play.r.source;
    bool of_source = wanted.n == 0;
    for (size_t i = 0; i < wanted.n && !of_source; i++)
        of_source = strcmp(wanted.item[i], source) == 0;
    return of_source && is_asked_for(m) && !is_derived(source);
}

/* ---- reading on ---- */

static uint64_t offset(void) {
    return play.r.at_ns > play.start_ns ? play.r.at_ns - play.start_ns : 0;
}

static int find_range(struct err *e) {
    play.to = UINT64_MAX;
    if (from_text && play_when(from_text, play.start_ns, &play.from, e) < 0)
        return -1;
    if (to_text && play_when(to_text, play.start_ns, &play.to, e) < 0)
        return -1;
    play.last = play.from;
    return 0;
}

static void tell_damage(const char *path) {
    if (play.passes)
        return;
    if (play.r.skipped_bytes)
        log_warn("%s: %llu bytes inside are no messages", path,
                 (unsigned long long)play.r.skipped_bytes);
    if (play.r.torn_bytes)
        log_warn("%s: the last message was cut off after %llu bytes", path,
                 (unsigned long long)play.r.torn_bytes);
}

/* 1 with the next message of the files, 0 at the end of the last. */
static int read_next(struct err *e) {
    for (;;) {
        if (!play.reading && play.at == play.files)
            return 0;
        if (!play.reading && recording_open(&play.r, play.file[play.at], e) < 0)
            return -1;
        play.reading = true;
        int r = recording_next(&play.r, &play.m, e);
        if (r == 1)
            return 1;
        if (r == 0)
            tell_damage(play.file[play.at]);
        recording_close(&play.r);
        play.reading = false;
        play.at++;
        if (r < 0)
            return -1;
    }
}

enum { NEXT_LATER = 2 };

/* 1 with the next message that is to be played, 0 at the end of the pass; NEXT_LATER when many that
 * are not have been read: other events have their turn. */
static int next(struct err *e) {
    size_t skipped = 0;
    int r;
    while ((r = read_next(e)) == 1) {
        if (!play.started) {
            play.start_ns = play.r.start_ns;
            play.started = true;
            if (find_range(e) < 0)
                return -1;
        }
        if (offset() >= play.to)
            return 0;
        if (offset() >= play.from && is_played(&play.m))
            return 1;
        if ((skipped += play.m.raw_len) > TURN_BYTES)
            return NEXT_LATER;
    }
    return r;
}

/* ---- when ---- */

static void arm(uint64_t at_ns) {
    struct itimerspec t = {
        .it_value = {(time_t)(at_ns / 1000000000u), (long)(at_ns % 1000000000u)}};
    timerfd_settime(play.timer_fd, TFD_TIMER_ABSTIME, &t, NULL);
}

/* Counted from the beginning of the pass, so that no delay adds up. The first one begins when what
 * stands before --from has been read. */
static uint64_t due(void) {
    if (!play.found)
        play.began_ns = clock_mono_ns();
    play.found = true;
    uint64_t at = offset(), gap = at > play.last ? at - play.last : 0;
    uint64_t most = (uint64_t)max_gap_ms * 1000000u;
    if (most && gap > most)
        play.cut += gap - most;
    if (at > play.last)
        play.last = at;
    uint64_t since = play.last - play.from - play.cut;
    return play.began_ns + (speed > 0 ? (uint64_t)((double)since / speed) : 0);
}

/* ---- playing ---- */

static void put_out(uint64_t time_ns) {
    struct msg m;
    if (!play_edit(&play.edit, play.r.source, &play.m, time_ns, &m)) {
        play.skipped++;
        return;
    }
    pub_raw(&play.st.pub, &m);
    play.played++;
}

static int put_into(struct err *e) {
    struct msg m = play.m;
    if (play.edit.renames && !play_edit(&play.edit, play.r.source, &play.m, play.m.time, &m)) {
        play.skipped++;
        return 0;
    }
    return play_into_add(&play.into, play.r.source, &m, e);
}

static void finish(int status) {
    if (play.finished)
        return;
    play.finished = true;
    play.st.ended = true; /* what a slow reader has not taken yet is still written */
    stage_stop(&play.st, status);
}

static void fail(const struct err *e) {
    log_error("%s", e->text);
    finish(e->cause == CAUSE_USAGE ? 2 : 1);
}

/* A pause as between its messages, so that a recording that is repeated keeps its rhythm. */
static uint64_t pause_ns(void) {
    uint64_t n = play.pass_messages > 1 ? play.pass_messages - 1 : 1;
    uint64_t mean = (play.last - play.from - play.cut) / n;
    mean = mean < AGAIN_MIN_NS ? AGAIN_MIN_NS : mean > AGAIN_MAX_NS ? AGAIN_MAX_NS : mean;
    return speed > 0 ? (uint64_t)((double)mean / speed) : 0;
}

/* False when that was the last pass. */
static bool begin_again(void) {
    play.passes++;
    if (play.pass_messages == 0 || (loops && play.passes == (uint64_t)loops))
        return false;
    play.began_ns = play.due_ns + pause_ns();
    play.last = play.from;
    play.cut = play.pass_messages = 0;
    play.at = 0;
    if (play.reading)
        recording_close(&play.r);
    play.reading = false;
    play_edit_restart(&play.edit);
    return true;
}

static bool may_go_on(void) {
    return !play.finished && !play.blocked && !play.into.blocked;
}

/* The end is when all that was asked for has been answered. */
static void try_finish(void) {
    play_into_flush(&play.into);
    if (play.into.open == 0)
        finish(0);
}

/* Make m the next message and due_ns its time; false when there is none (yet). */
static bool have_next(struct err *e) {
    while (!play.have && !play.ended) {
        int r = next(e);
        if (r < 0) {
            fail(e);
            return false;
        }
        if (r == NEXT_LATER) {
            arm(clock_mono_ns() + TURN_NS);
            return false;
        }
        if (r == 0)
            play.ended = !begin_again();
        play.have = r == 1;
        if (r == 1)
            play.due_ns = due();
    }
    if (!play.have)
        try_finish();
    return play.have;
}

static bool play_one(uint64_t now, struct err *e) {
    uint64_t late = now - play.due_ns;
    if (speed > 0)
        hist_add(&play.late, late);
    play.have = false;
    play.pass_messages++;
    if (play.way == WAY_OUT) {
        put_out(clock_wall_ns() - (speed > 0 ? late : 0));
        return true;
    }
    if (put_into(e) == 0)
        return true;
    fail(e);
    return false;
}

/* All that is due, a turn at a time. */
static void go_on(void) {
    struct err e;
    size_t bytes = 0, n = 0;
    while (may_go_on() && have_next(&e)) {
        uint64_t now = clock_mono_ns();
        if (play.due_ns > now) {
            arm(play.due_ns);
            break;
        }
        if (n == TURN_MESSAGES || bytes > TURN_BYTES) {
            arm(now + TURN_NS);
            break;
        }
        n++;
        bytes += play.m.raw_len;
        if (!play_one(now, &e))
            break;
    }
    play_into_flush(&play.into);
    if (play.way == WAY_OUT)
        pub_flush(&play.st.pub);
}

static bool has_subscriber(void) {
    for (size_t i = 0; i < play.st.pub.outputs; i++) {
        struct pub_output *o = play.st.pub.out[i];
        if (o->ep.kind == ENDPOINT_NNG && atomic_load(&o->pipes) == 0)
            return false;
    }
    return true;
}

static void on_timer(uv_poll_t *h, int status, int events) {
    uint64_t times, now = clock_mono_ns();
    (void)h;
    (void)status;
    (void)events;
    if (read(play.timer_fd, &times, sizeof times) < 0)
        return;
    if (!play.began_ns && now < play.wait_until_ns && !has_subscriber()) {
        arm(now + WAIT_STEP_NS);
        return;
    }
    if (!play.began_ns)
        play.began_ns = now;
    go_on();
}

/* ---- events ---- */

static void on_blocked(void *ctx, bool full) {
    (void)ctx;
    play.blocked = full;
    if (!full)
        arm(clock_mono_ns());
}

/* Not from within: the caller may be in the middle of sending. */
static void on_room(void *ctx) {
    (void)ctx;
    if (!play.finished)
        arm(clock_mono_ns());
}

static void on_gone(void *ctx, const char *text) {
    (void)ctx;
    (void)text;
    finish(1);
}

static int open_timer(struct err *e) {
    play.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (play.timer_fd < 0)
        return err_errno(e, errno, "cannot make a timer");
    uv_poll_init(&play.st.loop, &play.timer, play.timer_fd);
    uv_poll_start(&play.timer, UV_READABLE, on_timer);
    play.wait_until_ns = clock_mono_ns() + (uint64_t)wait_ms * 1000000u;
    arm(clock_mono_ns());
    return 0;
}

/* ---- options ---- */

static bool stdout_is_wanted(void) {
    struct stat st;
    return fstat(STDOUT_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode));
}

/* -o, or the stages named, or where standard output leads, or the running pipeline. */
static int choose_way(struct err *e) {
    bool named = into || maps.n || live;
    if (named && play.st.outputs.n)
        return err_set(e, CAUSE_USAGE, "-o and --live, --into or --map: one of them");
    play.way = named || (!play.st.outputs.n && !stdout_is_wanted()) ? WAY_INTO : WAY_OUT;
    play.st.no_stdout = play.way == WAY_INTO;
    if (play.way == WAY_OUT || into)
        return 0;
    return sources_status(&play.status, e);
}

static int check_options(int files, struct err *e) {
    char *end;
    speed = strtod(speed_text, &end);
    if (end == speed_text || *end || !(speed >= 0) || speed > 1e6)
        return err_set(e, CAUSE_USAGE, "--speed %s: a number such as 1, 0.5 or 10", speed_text);
    if (files == 0)
        return err_set(e, CAUSE_USAGE, "which recording?");
    if (play.st.inputs.n)
        return err_set(e, CAUSE_USAGE, "-i: play reads files");
    for (int i = 0; i < files; i++)
        if (strcmp(play.file[i], "-") == 0 && loops != 1)
            return err_set(e, CAUSE_USAGE, "--loop: standard input cannot be read again");
    for (size_t i = 0; i < maps.n; i++)
        if (!strchr(maps.item[i], '='))
            return err_set(e, CAUSE_USAGE, "--map %s: must be SOURCE=STAGE", maps.item[i]);
    for (size_t i = 0; i < renames.n; i++)
        if (play_edit_rename(&play.edit, renames.item[i], e) < 0)
            return -1;
    return choose_way(e);
}

static void prepare(void) {
    play.edit.keep_time = keep_time || play.way == WAY_INTO;
    play.into.loop = &play.st.loop;
    play.into.keep_time = keep_time;
    play.into.all = into;
    play.into.maps = &maps;
    play.into.on_room = on_room;
    play.into.on_gone = on_gone;
}

/* ---- the end ---- */

static int summary(int status) {
    struct buf text = {0};
    uint64_t played = play.played + play.into.played, failed = play.into.failed;
    buf_printf(&text, "played %llu messages", (unsigned long long)played);
    if (play.late.count)
        play_pace_put(&play.late, &text);
    log_info("%.*s", (int)buf_len(&text), (char *)buf_data(&text));
    buf_free(&text);
    if (play.skipped)
        log_error("%llu messages were not played: --rename makes no topic of theirs",
                  (unsigned long long)play.skipped);
    if (failed)
        log_error("%llu messages were not played", (unsigned long long)failed);
    return failed + play.skipped ? (status ? status : 1) : status;
}

static int close_all(int status) {
    status = summary(status);
    play_into_close(&play.into);
    uv_close((uv_handle_t *)&play.timer, NULL);
    status = stage_close(&play.st, status);
    close(play.timer_fd);
    if (play.reading)
        recording_close(&play.r);
    play_into_free(&play.into);
    play_edit_free(&play.edit);
    buf_free(&play.status);
    return status;
}

int play_main(int argc, char **argv) {
    struct err e = {0};
    int operands;
    play.st.no_stdin = true;
    play.st.on_blocked = on_blocked;
    program.tables[1] = stage_common_options;
    int status = stage_options(&play.st, &program, argc, argv, &operands);
    if (status >= 0)
        return status;
    play.file = argv + 1;
    play.files = operands;
    if (check_options(operands, &e) < 0)
        return stage_fail(&play.st, &e);
    prepare();
    if (speed > 0)
        play_pace_prefer();
    if (stage_open(&play.st, &e) < 0 || open_timer(&e) < 0)
        return stage_fail(&play.st, &e);
    stage_ready(&play.st);
    status = stage_run(&play.st);
    return close_all(status);
}
