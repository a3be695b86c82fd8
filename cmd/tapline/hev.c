/* tapline hev: a ventilator's values, alarms and commands, as one of its TCP clients sees them.
 *
 * In:   the broadcast and request ports of hevbcast, or of another server of these dialects.
 * Out:  one line of JSON for each thing asked for.
 * Ends: 0 done, 1 a nack, no server, nothing in time; 2 bad usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "hev_tcp.h"
#include "json.h"
#include "opt.h"

static const char *host = "127.0.0.1", *type = "DATA";
static int64_t webui_port = 54320, query_port = 54321, timeout_ms = 5000;
static bool follow, nul;

static const struct opt options[] = {
    {"host", 0, OPT_TEXT, &host, "ADDRESS", "where the server is", 0, 0},
    {"webui-port", 0, OPT_INT, &webui_port, "PORT", "its broadcast port", 1, 65535},
    {"query-port", 0, OPT_INT, &query_port, "PORT", "its request port", 1, 65535},
    {"follow", 'f', OPT_FLAG, &follow, NULL, "go on: values as they come, alarms as they change", 0,
     0},
    {"type", 0, OPT_TEXT, &type, "T", "D3: the payload that values shows, such as CYCLE", 0, 0},
    {"nul", '0', OPT_FLAG, &nul, NULL, "ask as a D3 client does: CMD, and a NUL behind it", 0, 0},
    {"timeout", 't', OPT_DURATION, &timeout_ms, "TIME",
     "wait this long for the server; without -f, also for what is asked for", 1, 3600000},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static const struct opt_program program = {
    .name = "tapline hev",
    .summary = "values, alarms and commands of a ventilator, over its TCP service",
    .synopsis = "values|alarms|ack [TYPE] NAME|cmd TYPE NAME [PARAM]",
    .details = "  tapline hev values -f\n"
               "  tapline hev cmd GENERAL START\n"
               "  tapline hev ack APNEA                 (D3: ack PRIORITY_HIGH APNEA)\n"
               "Exit status: 0 done or ack, 1 nack or no answer, 2 bad usage.\n",
    .tables = {options},
};

static int fail(const struct err *e) {
    fprintf(stderr, "tapline hev: %s\n", e->text);
    return 1;
}

/* ---- broadcasts ---- */

/* The value of a key as JSON; false when it is missing or null. */
static bool value_text(const struct buf *message, const char *key, struct buf *text) {
    struct mp_value v;
    struct mp_cursor at;
    buf_clear(text);
    if (!mp_find(buf_data(message), buf_len(message), key, &v, &at) || v.type == MP_NIL)
        return false;
    return json_from_mp(text, &at, NULL) == 1;
}

/* D1 has "sensors"; D3 says the type and has the payload under that name. */
static bool values_of(const struct buf *message, struct buf *text) {
    char told[64];
    if (value_text(message, "sensors", text))
        return true;
    return mp_get_cstr(buf_data(message), buf_len(message), "type", told, sizeof told) &&
           strcmp(told, type) == 0 && value_text(message, type, text);
}

/* null means that there are none; a message without the key says nothing about them. */
static bool alarms_of(const struct buf *message, struct buf *text) {
    struct mp_value v;
    if (!mp_find(buf_data(message), buf_len(message), "alarms", &v, NULL))
        return false;
    if (!value_text(message, "alarms", text))
        buf_puts(text, "[]");
    return true;
}

static bool print_line(const struct buf *text) {
    printf("%.*s\n", (int)buf_len(text), (const char *)buf_data(text));
    return fflush(stdout) == 0;
}

static bool same(const struct buf *a, const struct buf *b) {
    return buf_len(a) == buf_len(b) && memcmp(buf_data(a), buf_data(b), buf_len(a)) == 0;
}

/* The server says other things all the time. */
static int out_of_time(const struct tcp *t, const char *what, struct err *e) {
    return err_set(e, CAUSE_TIMEOUT, "%s: no %s within %lld ms", t->where, what,
                   (long long)timeout_ms);
}

static int watch(struct tcp *t, bool alarms, struct err *e) {
    struct buf message = {0}, text = {0}, last = {0};
    bool (*pick)(const struct buf *, struct buf *) = alarms ? alarms_of : values_of;
    uint64_t until_ns = clock_mono_ns() + (uint64_t)timeout_ms * 1000000u;
    int r = 0;
    bool more = true;
    while (more && r == 0 && (r = hev_tcp_next(t, &message, e)) == 0) {
        if (!pick(&message, &text)) {
            if (!follow && clock_mono_ns() > until_ns)
                r = out_of_time(t, alarms ? "alarms" : type, e);
            continue;
        }
        if (alarms && buf_len(&last) && same(&text, &last))
            continue;
        more = print_line(&text) && follow;
        t->timeout_ms = -1; /* the server is there: from now on silence is no failure */
        buf_clear(&last);
        buf_put(&last, buf_data(&text), buf_len(&text));
    }
    buf_free(&message);
    buf_free(&text);
    buf_free(&last);
    return r;
}

static int broadcast(bool alarms) {
    struct tcp t;
    struct err e;
    if (tcp_open(&t, host, (int)webui_port, timeout_ms, "hevbcast", &e) < 0)
        return fail(&e);
    int r = watch(&t, alarms, &e);
    tcp_close(&t);
    return r < 0 ? fail(&e) : 0;
}

/* ---- requests ---- */

static void put_pair(struct buf *b, const char *key, const char *value) {
    buf_puts(b, ", ");
    json_put_str(b, key, strlen(key));
    buf_puts(b, ": ");
    if (value)
        json_put_str(b, value, strlen(value));
    else
        buf_puts(b, "null");
}

static int ask(const struct buf *request) {
    struct tcp t;
    struct err e;
    struct buf reply = {0}, text = {0};
    char word[16] = "";
    if (tcp_open(&t, host, (int)query_port, timeout_ms, "hevbcast", &e) < 0)
        return fail(&e);
    int r = tcp_send(&t, buf_data(request), buf_len(request), &e);
    if (r == 0)
        r = hev_tcp_next(&t, &reply, &e);
    tcp_close(&t);
    if (r < 0)
        return fail(&e);
    struct mp_cursor c = {buf_data(&reply), buf_data(&reply) + buf_len(&reply)};
    json_from_mp(&text, &c, NULL);
    bool printed = print_line(&text);
    mp_get_cstr(buf_data(&reply), buf_len(&reply), "type", word, sizeof word);
    buf_free(&reply);
    buf_free(&text);
    return printed && strcmp(word, "ack") == 0 ? 0 : 1;
}

static int send_request(struct buf *request, bool with_nul) {
    buf_putc(request, '}');
    if (with_nul)
        buf_putc(request, 0);
    int status = ask(request);
    buf_free(request);
    return status;
}

static int ack(char **word, int n) {
    struct buf b = {0};
    if (n < 1 || n > 2)
        return opt_usage_error(&program, "ack [TYPE] NAME, as in ack APNEA");
    buf_puts(&b, n == 1 ? "{\"type\": \"alarm\"" : "{\"type\": \"ALARM\"");
    if (n == 2)
        put_pair(&b, "alarm_type", word[0]);
    put_pair(&b, n == 1 ? "ack" : "alarm_code", word[n - 1]);
    if (n == 2)
        put_pair(&b, "param", NULL);
    return send_request(&b, n == 2 || nul);
}

static int cmd(char **word, int n) {
    struct buf b = {0}, number = {0};
    if (n < 2 || n > 3)
        return opt_usage_error(&program, "cmd TYPE NAME [PARAM], as in cmd GENERAL START");
    const char *param = n == 3 ? word[2] : "null";
    bool good = json_to_mp(&number, param, strlen(param), NULL) == 0;
    buf_free(&number);
    if (!good)
        return opt_usage_error(&program, "PARAM %s is no number", param);
    buf_puts(&b, nul ? "{\"type\": \"CMD\"" : "{\"type\": \"cmd\"");
    put_pair(&b, "cmdtype", word[0]);
    put_pair(&b, "cmd", word[1]);
    buf_printf(&b, ", \"param\": %s", param);
    return send_request(&b, nul);
}

int hev_main(int argc, char **argv) {
    int n, status = opt_parse(&program, argc, argv, &n);
    if (status >= 0)
        return status;
    const char *what = n ? argv[1] : "";
    if (n == 1 && strcmp(what, "values") == 0)
        return broadcast(false);
    if (n == 1 && strcmp(what, "alarms") == 0)
        return broadcast(true);
    if (strcmp(what, "ack") == 0)
        return ack(argv + 2, n - 1);
    if (strcmp(what, "cmd") == 0)
        return cmd(argv + 2, n - 1);
    return opt_usage_error(&program, "%s%s: there are values, alarms, ack and cmd", what,
                           n > 1 ? " ..." : "");
}
