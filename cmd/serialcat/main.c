/* serialcat: owns one serial device.
 *
 * in    the device; topic serial.tx {data} from -i; requests {op: write, data}, {op: state}
 * out   the device; serial.rx {data}, one for each read(); serial.state, a state topic
 * ends  on SIGTERM, or when the reader of its standard output has gone; never because of the
 *       device, which may be absent, refused, unplugged and back at any time
 */
#include <string.h>

#include "device.h"
#include "log.h"
#include "port.h"
#include "stage.h"

struct serialcat {
    struct stage st;
    struct device device;
    uint64_t writes_waiting; /* requests whose data the device has not taken yet */
};

enum { WAITING_MAX = 256 };

static struct opt_list devices;
static int64_t baud = 115200;
static int64_t tx_queue = 64 << 10;

static const struct opt options[] = {
    {"device", 'p', OPT_LIST, &devices, "PATH",
     "the serial device; a glob such as '/dev/ttyACM*' will do; given several times, the first "
     "that is there",
     0, 0},
    {"baud", 'b', OPT_INT, &baud, "RATE", "bits per second", 1, INT32_MAX},
    {"tx-queue", 0, OPT_SIZE, &tx_queue, "SIZE",
     "bytes kept for a device that takes nothing; beyond it the oldest whole line is dropped", 64,
     16 << 20},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static const struct opt_program program = {
    .name = "serialcat",
    .summary = "own one serial device: read it, write it, wait for it to come back",
    .details =
        "Publishes serial.rx {data} and serial.state; writes the data of serial.tx messages from\n"
        "-i to the device, and that of requests {op: write, data}, which are answered when the\n"
        "kernel has it. A message holds whole lines or one whole packet.\n\n"
        "  serialcat --device /dev/ttyACM0 | framedecode --format panel | ...\n"
        "  serialcat --device '/dev/serial/by-id/usb-Espressif*' -i fifo:tx -o serial",
    .tables = {options, NULL, NULL}};

/* ---- device to bus ---- */

static void on_data(void *ctx, const uint8_t *p, size_t n, uint64_t time_ns) {
    struct serialcat *s = ctx;
    struct buf *b = stage_begin(&s->st, "serial.rx", time_ns, 1);
    mp_kv_bin(b, "data", p, n);
    stage_end(&s->st);
}

enum { STATE_KEYS = 6 };

static void put_state(const struct device *d, struct buf *b) {
    mp_kv_str(b, "device", d->wanted_text);
    mp_kv_str(b, "path", d->path);
    mp_kv_bool(b, "connected", d->state == DEVICE_UP);
    mp_kv_str(b, "state", device_state_name(d->state));
    mp_kv_str(b, "cause", cause_name(d->error.cause));
    mp_kv_str(b, "error", d->error.text);
}

static void on_state(void *ctx) {
    struct serialcat *s = ctx;
    put_state(&s->device, stage_begin(&s->st, "serial.state", 0, STATE_KEYS));
    stage_end(&s->st);
    stage_cause(&s->st, s->device.error.cause, s->device.error.text);
}

/* ---- bus to device ---- */

static bool data_of(const uint8_t *body, size_t n, const uint8_t **p, size_t *len) {
    return mp_get_bin(body, n, "data", p, len) ||
           mp_get_str(body, n, "data", (const char **)p, len);
}

static void on_msg(void *ctx, const struct msg *m) {
    static struct log_limit bad, dropped;
    struct serialcat *s = ctx;
    const uint8_t *p;
    size_t n;
    struct err e;
    if (!msg_is(m, "serial.tx"))
        return;
    if (!data_of(m->body, m->body_len, &p, &n)) {
        s->st.stats.bad++;
        log_limited(&bad, LOG_WARN, "serial.tx without data ignored");
    } else if (device_write(&s->device, p, n, NULL, &e) < 0) {
        s->st.stats.dropped++;
        log_limited(&dropped, LOG_WARN, "%s", e.text);
    }
}

static void request_write(struct serialcat *s, struct rpc_call *call, const uint8_t *body,
                          size_t size) {
    const uint8_t *p;
    size_t n;
    struct err e;
    if (!data_of(body, size, &p, &n)) {
        rpc_reply_error(call, "write needs \"data\", bytes or text");
        return;
    }
    if (s->writes_waiting >= WAITING_MAX) {
        rpc_reply_error(call, "device %s does not take what is sent: %d writes wait already",
                        s->device.path, WAITING_MAX);
        return;
    }
    s->writes_waiting++; /* before: a queue without room answers within the call */
    int r = device_write(&s->device, p, n, call, &e);
    if (r == 0)
        return;
    s->writes_waiting--;
    if (r > 0)
        rpc_reply_ok(call);
    else
        rpc_reply_error(call, "%s", e.text);
}

static void on_gone(void *ctx, void *owner, bool written) {
    struct serialcat *s = ctx;
    s->writes_waiting--;
    if (written)
        rpc_reply_ok(owner);
    else
        rpc_reply_error(owner, "device %s did not take it: dropped", s->device.wanted_text);
}

static void on_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                       size_t n) {
    struct serialcat *s = ctx;
    if (strcmp(op, "write") == 0) {
        request_write(s, call, body, n);
    } else if (strcmp(op, "state") == 0) {
        put_state(&s->device, rpc_reply_begin(call, STATE_KEYS));
        rpc_reply_end(call);
    } else {
        rpc_reply_error(call, "serialcat knows write and state, not \"%s\"", op);
    }
}

/* ---- the stage ---- */

/* The way to the device must stay open while the way from it is full: the reader that does not
 * read may be waiting for what we do not take (commands come from the end of the pipeline). */
static void on_blocked(void *ctx, bool full) {
    struct serialcat *s = ctx;
    sub_pause(&s->st.sub, false);
    device_pause(&s->device, full);
}

/* The source of commands has ended; the device has not. */
static void on_end(void *ctx) {
    (void)ctx;
    log_debug("no more commands will come");
}

static void on_stop(void *ctx) {
    struct serialcat *s = ctx;
    device_drain(&s->device);
}

static void on_drained(void *ctx) {
    struct serialcat *s = ctx;
    stage_stopped(&s->st);
}

/* For the report. */
static void on_tick(void *ctx) {
    struct serialcat *s = ctx;
    s->st.stats.queue = txqueue_len(&s->device.tx);
}

static int check_options(void) {
    if (devices.n == 0)
        return opt_usage_error(&program, "which device? --device /dev/ttyACM0, for example");
    for (size_t i = 0; i < devices.n; i++)
        if (!devices.item[i][0] || strlen(devices.item[i]) >= FIND_PATH)
            return opt_usage_error(&program, "--device \"%s\" is no path", devices.item[i]);
    if (!port_baud_known(baud))
        return opt_usage_error(&program, "--baud %lld: no such rate here; there are %s",
                               (long long)baud, port_baud_list());
    return -1;
}

static void open_device(struct serialcat *s) {
    struct device *d = &s->device;
    stage_counter(&s->st, "rx_bytes", &d->rx_bytes);
    stage_counter(&s->st, "tx_bytes", &d->tx_bytes);
    stage_counter(&s->st, "tx_dropped", &d->tx_dropped);
    stage_counter(&s->st, "reads", &d->reads);
    stage_counter(&s->st, "opens", &d->opens);
    stage_counter(&s->st, "losses", &d->losses);
    stage_counter(&s->st, "refused", &d->refused);
    stage_counter(&s->st, "requests_waiting", &s->writes_waiting);
    pub_retain(&s->st.pub, "serial.state");
    d->wanted = devices;
    d->baud = baud;
    device_open(d, &s->st.loop, (size_t)tx_queue);
}

int main(int argc, char **argv) {
    static struct serialcat s = {.st = {.on_msg = on_msg,
                                        .on_request = on_request,
                                        .on_blocked = on_blocked,
                                        .on_end = on_end,
                                        .on_stop = on_stop,
                                        .on_tick = on_tick,
                                        .no_stdin = true},
                                 .device = {.on_data = on_data,
                                            .on_state = on_state,
                                            .on_gone = on_gone,
                                            .on_drained = on_drained}};
    struct opt_program p = program;
    struct err e;
    p.tables[1] = stage_common_options;
    s.st.ctx = s.device.ctx = &s;
    int status = stage_options(&s.st, &p, argc, argv, NULL);
    if (status < 0)
        status = check_options();
    if (status >= 0)
        return status;
    if (stage_open(&s.st, &e) < 0)
        return stage_fail(&s.st, &e);
    open_device(&s);
    stage_ready(&s.st);
    status = stage_run(&s.st);
    device_close(&s.device);
    status = stage_close(&s.st, status);
    device_free(&s.device);
    return status;
}
