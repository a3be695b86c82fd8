#include <string.h>
#include <unistd.h>

#include "sub.h"
#include "supervisor.h"

enum { LINES_DEFAULT = 100, STOP_AFTER_MS = 20 /* so that the answer is out before we end */ };

/* ---- status ---- */

static void put_command(struct buf *b, const struct conf_cmd *cmd) {
    mp_put_str(b, "command");
    mp_put_array(b, (uint32_t)cmd->argc);
    for (size_t i = 0; i < cmd->argc; i++)
        mp_put_str(b, cmd->argv[i]);
}

static void put_report(struct buf *b, const struct child_report *r) {
    mp_kv_double(b, "in_per_s", r->in_per_s);
    mp_kv_double(b, "out_per_s", r->out_per_s);
    mp_kv_double(b, "cpu_percent", r->cpu_percent);
    mp_put_str(b, "report");
    if (buf_len(&r->body))
        buf_put(b, buf_data(&r->body), buf_len(&r->body));
    else
        mp_put_nil(b);
}

/* A stage that runs knows best what ails it. */
static void put_cause(struct buf *b, const struct child *c) {
    char cause[24], text[200];
    const uint8_t *p = buf_data(&c->report.body);
    size_t n = buf_len(&c->report.body);
    bool says = c->state == STATE_READY && n && mp_get_cstr(p, n, "cause", cause, sizeof cause) &&
                mp_get_cstr(p, n, "cause_text", text, sizeof text);
    mp_kv_str(b, "cause", says ? cause : cause_name(c->cause));
    mp_kv_str(b, "cause_text", says ? text : c->cause_text);
}

/* As declared on the command line; of a program that is not ours only its pipes are known. */
static void put_ends(struct buf *b, const char *key, const struct plan_stage *s, char letter,
                     const char *option, bool piped) {
    const char *name[SUB_INPUTS];
    uint32_t n = 0;
    size_t at = 1;
    for (const char *t; s->own && n < SUB_INPUTS && (t = plan_option(s->cmd, &at, letter, option));)
        name[n++] = t;
    if (!n && piped)
        name[n++] = "-";
    mp_put_str(b, key);
    mp_put_array(b, n);
    for (uint32_t i = 0; i < n; i++)
        mp_put_str(b, name[i]);
}

static void put_stage(struct buf *b, const struct child *c) {
    uint64_t up_ms = c->pid ? (clock_mono_ns() - c->started_ns) / 1000000u : 0;
    mp_put_map(b, 18);
    mp_kv_str(b, "name", c->plan->name);
    mp_kv_str(b, "section", c->plan->section->conf->name);
    mp_kv_uint(b, "run_index", c->plan->place);
    put_ends(b, "inputs", c->plan, 'i', "input", plan_piped_in(c->plan));
    put_ends(b, "outputs", c->plan, 'o', "output", plan_piped_out(c->plan));
    mp_kv_str(b, "program", c->plan->program);
    put_command(b, c->plan->cmd);
    mp_kv_str(b, "state", state_name(c->state));
    put_cause(b, c);
    mp_kv_uint(b, "pid", (uint64_t)c->pid);
    mp_kv_uint(b, "uptime_ms", up_ms);
    mp_kv_uint(b, "restarts", c->restarts);
    mp_kv_str(b, "last_exit", c->last_exit);
    put_report(b, &c->report);
}

static void answer_status(struct supervisor *s, struct rpc_call *call) {
    wires_look(s);
    struct buf *b = rpc_reply_begin(call, 11);
    mp_kv_str(b, "pipeline", s->plan.name);
    mp_kv_str(b, "description", s->plan.description ? s->plan.description : "");
    mp_kv_str(b, "open", s->plan.open ? s->plan.open : "");
    mp_kv_str(b, "file", s->file);
    mp_kv_str(b, "version", TAPLINE_VERSION);
    mp_kv_uint(b, "pid", (uint64_t)getpid());
    mp_kv_uint(b, "uptime_ms", (clock_mono_ns() - s->started_ns) / 1000000u);
    mp_kv_str(b, "state", supervisor_state(s));
    mp_put_str(b, "stages");
    mp_put_array(b, (uint32_t)s->children);
    for (size_t i = 0; i < s->children; i++)
        put_stage(b, &s->child[i]);
    mp_put_str(b, "wires");
    wires_put(b, &s->wires);
    mp_put_str(b, "balance");
    wires_put_balance(b, &s->wires);
    rpc_reply_end(call);
}

/* ---- restart, stop, logs ---- */

static bool known_stage(struct supervisor *s, const char *name) {
    for (size_t i = 0; i < s->children; i++)
        if (strcmp(s->child[i].plan->name, name) == 0)
            return true;
    return false;
}

/* A section's name stands for all its stages. */
static bool is_meant(const struct child *c, const char *name) {
    return !*name || strcmp(c->plan->name, name) == 0 ||
           strcmp(c->plan->section->conf->name, name) == 0;
}

static void answer_restart(struct supervisor *s, struct rpc_call *call, const char *stage) {
    uint64_t n = 0;
    if (s->stopping) {
        rpc_reply_error(call, "the pipeline is stopping");
        return;
    }
    for (size_t i = 0; i < s->children; i++)
        if (is_meant(&s->child[i], stage)) {
            child_event(&s->child[i], EVENT_RESTART);
            n++;
        }
    if (!n) {
        rpc_reply_error(call, "there is no stage \"%s\" in pipeline %s", stage, s->plan.name);
        return;
    }
    mp_kv_uint(rpc_reply_begin(call, 1), "stages", n);
    rpc_reply_end(call);
}

static void on_stop_asked(uv_timer_t *t) {
    supervisor_stop(t->data, 0);
}

static void answer_stop(struct supervisor *s, struct rpc_call *call) {
    if (!s->stopping && !uv_is_active((uv_handle_t *)&s->stop_timer))
        uv_timer_start(&s->stop_timer, on_stop_asked, STOP_AFTER_MS, 0);
    rpc_reply_ok(call);
}

static void answer_logs(struct supervisor *s, struct rpc_call *call, const char *stage,
                        const uint8_t *body, size_t n) {
    uint64_t most = LINES_DEFAULT, level = LOG_TRACE, since = 0;
    mp_get_uint(body, n, "lines", &most);
    mp_get_uint(body, n, "level", &level);
    mp_get_uint(body, n, "since", &since);
    if (*stage && strcmp(stage, "supervisor") != 0 && !known_stage(s, stage)) {
        rpc_reply_error(call, "there is no stage \"%s\" in pipeline %s", stage, s->plan.name);
        return;
    }
    struct buf *b = rpc_reply_begin(call, 1);
    mp_put_str(b, "lines");
    struct logs_wanted w = {.stage = *stage ? stage : NULL,
                            .level = level > LOG_TRACE ? LOG_TRACE : (int)level,
                            .since_ns = since,
                            .most = most};
    logs_put(&s->logs, b, &w);
    rpc_reply_end(call);
}

/* The stage named in a request; "" when there is none. False, and answered, when it is no name. */
static bool get_stage(struct rpc_call *call, const uint8_t *body, size_t n, char *stage,
                      size_t size) {
    struct mp_value v;
    stage[0] = 0;
    if (!mp_find(body, n, "stage", &v, NULL) || v.type == MP_NIL ||
        mp_get_cstr(body, n, "stage", stage, size))
        return true;
    rpc_reply_error(call, "\"stage\" is no name of a stage");
    return false;
}

static void on_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                       size_t n) {
    struct supervisor *s = ctx;
    char stage[PLAN_NAME];
    if (!get_stage(call, body, n, stage, sizeof stage))
        return;
    if (strcmp(op, "status") == 0)
        answer_status(s, call);
    else if (strcmp(op, "restart") == 0)
        answer_restart(s, call, stage);
    else if (strcmp(op, "stop") == 0)
        answer_stop(s, call);
    else if (strcmp(op, "logs") == 0)
        answer_logs(s, call, stage, body, n);
    else if (strcmp(op, "ping") == 0)
        rpc_reply_ok(call);
    else
        rpc_reply_error(call,
                        "supervisor does not know the request \"%s\" (status, restart, stop, logs,"
                        " ping)",
                        op);
}

int requests_open(struct supervisor *s, struct err *e) {
    pub_init(&s->pub, &s->loop);
    if (pub_add(&s->pub, "supervisor", e) < 0)
        return -1;
    rpc_server_init(&s->rpc, &s->loop);
    s->rpc.ctx = s;
    s->rpc.on_request = on_request;
    return rpc_server_add(&s->rpc, &s->pub.out[0]->ep, e);
}

void requests_close(struct supervisor *s) {
    rpc_server_close(&s->rpc);
    if (s->pub.loop)
        pub_close(&s->pub, 0);
}
