#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camctl.h"
#include "command.h"

static const char *const proc_topics[PROCS] = {"cam.process.camera", "cam.process.publisher",
                                               "cam.process.preview"};

static struct proc *proc_at(struct camctl *c, int i) {
    return i == 0 ? &c->video.camera : &c->video.feed[i - 1].proc;
}

/* ---- topics ---- */

enum { SETTINGS_KEYS = SETTINGS + 4 };

static void put_settings(struct buf *b, const struct camctl *c) {
    settings_put(b, &c->store.now);
    mp_kv_str(b, "source", c->store.source);
    mp_kv_uint(b, "changed", c->store.changed_ns);
    mp_kv_str(b, "file", c->cfg.settings_file ? c->cfg.settings_file : "");
    mp_kv_str(b, "error", c->store.problem);
}

void bus_settings(struct camctl *c) {
    put_settings(stage_begin(&c->st, "cam.settings", 0, SETTINGS_KEYS), c);
    stage_end(&c->st);
}

enum { PROC_KEYS = 9 };

static void put_lines(struct buf *b, const struct proc *p) {
    size_t n = p->lines < PROC_LINES ? p->lines : PROC_LINES;
    mp_put_str(b, "lines");
    mp_put_array(b, (uint32_t)n);
    for (size_t i = p->lines - n; i < p->lines; i++)
        mp_put_str(b, p->line[i % PROC_LINES]);
}

static void put_proc(struct buf *b, const struct proc *p) {
    mp_kv_str(b, "name", p->name);
    mp_kv_str(b, "state", proc_state_name(p->state));
    mp_kv_uint(b, "pid", (uint64_t)p->pid);
    mp_kv_str(b, "cause", cause_name(p->cause));
    mp_kv_str(b, "status", p->status);
    mp_kv_uint(b, "restarts", p->restarts);
    mp_kv_uint(b, "since", p->since_ns);
    mp_kv_strn(b, "command", (const char *)buf_data(&p->command), buf_len(&p->command));
    put_lines(b, p);
}

static void tell_proc(struct camctl *c, int i) {
    struct proc *p = proc_at(c, i);
    c->proc_changed[i] = p->lines_changed = false;
    put_proc(stage_begin(&c->st, proc_topics[i], 0, PROC_KEYS), p);
    stage_end(&c->st);
}

/* Why the whole is not well: the first of camera and publisher that is not. One that is being
 * started after a failure is not yet well again. */
static void tell_cause(struct camctl *c) {
    bool starting = false;
    for (int i = 0; i <= FEED_PUBLISHER + 1; i++) {
        const struct proc *p = proc_at(c, i);
        char text[sizeof c->st.cause_text];
        starting |= p->state == PROC_STARTING;
        if (p->cause == CAUSE_OK)
            continue;
        snprintf(text, sizeof text, "%s: %.120s", p->name, p->status);
        stage_cause(&c->st, p->cause, text);
        return;
    }
    if (!starting)
        stage_cause(&c->st, CAUSE_OK, "");
}

static void client_counts(struct camctl *c, size_t n[4]) {
    n[0] = c->viewers.n;
    n[1] = c->conns[PORT_SETTINGS].n;
    n[2] = c->conns[PORT_AUTH].n;
    n[3] = session_count(&c->kept->sessions, camctl_ms(c));
}

static void put_clients(struct buf *b, const size_t n[4]) {
    mp_kv_uint(b, "data", n[0]);
    mp_kv_uint(b, "settings", n[1]);
    mp_kv_uint(b, "auth", n[2]);
    mp_kv_uint(b, "authenticated", n[3]);
}

static void tell_clients(struct camctl *c) {
    size_t n[4];
    client_counts(c, n);
    if (c->clients_told && memcmp(n, c->told_clients, sizeof n) == 0)
        return;
    c->clients_told = true;
    memcpy(c->told_clients, n, sizeof n);
    put_clients(stage_begin(&c->st, "cam.clients", 0, 4), n);
    stage_end(&c->st);
}

void bus_tell(struct camctl *c) {
    bool any = false;
    for (int i = 0; i < PROCS; i++) {
        any |= c->proc_changed[i];
        if (c->proc_changed[i])
            tell_proc(c, i);
    }
    if (any)
        tell_cause(c);
    tell_clients(c);
}

void bus_lines(struct camctl *c) {
    for (int i = 0; i < PROCS; i++)
        if (proc_at(c, i)->lines_changed)
            tell_proc(c, i);
}

void bus_auth(struct camctl *c, const char *peer, bool ok, const char *reason) {
    struct buf *b = stage_begin(&c->st, "cam.auth", 0, 3);
    mp_kv_str(b, "peer", peer);
    mp_kv_bool(b, "ok", ok);
    mp_kv_str(b, "reason", reason);
    stage_end(&c->st);
}

void bus_data(struct camctl *c, uint8_t value, uint64_t time_ms) {
    struct buf *b = stage_begin(&c->st, "cam.data", 0, 2);
    mp_kv_uint(b, "value", value);
    mp_kv_uint(b, "time_ms", time_ms);
    stage_end(&c->st);
}

void bus_image(struct camctl *c, const uint8_t *p, size_t n, unsigned width, unsigned height) {
    struct buf *b = stage_begin(&c->st, "cam.image", 0, 4);
    mp_kv_str(b, "camera", "0");
    mp_kv_uint(b, "width", width);
    mp_kv_uint(b, "height", height);
    mp_put_str(b, "data");
    stage_end_bin(&c->st, p, n);
}

void bus_open(struct camctl *c) {
    pub_retain(&c->st.pub, "cam.settings");
    pub_retain(&c->st.pub, "cam.clients");
    for (int i = 0; i < PROCS; i++)
        pub_retain(&c->st.pub, proc_topics[i]);
}

/* ---- requests ---- */

static void put_limits(struct buf *b) {
    mp_put_str(b, "limits");
    mp_put_map(b, SETTINGS);
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting *t = &settings_table[i];
        mp_put_str(b, t->name);
        mp_put_map(b, 4);
        mp_kv_double(b, "min", t->min);
        mp_kv_double(b, "max", t->max);
        mp_kv_bool(b, "whole", t->step > 0);
        mp_kv_str(b, "unit", t->unit);
    }
}

static void put_standard(struct buf *b) {
    struct camsettings s;
    settings_standard(&s);
    mp_put_str(b, "defaults");
    mp_put_map(b, SETTINGS);
    settings_put(b, &s);
}

/* What the camera program that runs was started with; nil while none runs. */
static void put_shown(struct buf *b, const struct camctl *c) {
    mp_put_str(b, "applied");
    if (c->video.camera.pid == 0) {
        mp_put_nil(b);
        return;
    }
    mp_put_map(b, SETTINGS);
    settings_put(b, &c->video.shown);
}

static void answer_settings(struct camctl *c, struct rpc_call *call) {
    struct buf *b = rpc_reply_begin(call, 4);
    mp_put_str(b, "settings");
    mp_put_map(b, SETTINGS_KEYS);
    put_settings(b, c);
    put_shown(b, c);
    put_limits(b);
    put_standard(b);
    rpc_reply_end(call);
}

static void on_changed(void *ctx, const struct err *why) {
    struct rpc_call *call = ctx;
    if (why)
        rpc_reply_error(call, "%s", why->text);
    else
        rpc_reply_ok(call);
}

static void set(struct camctl *c, struct rpc_call *call, const uint8_t *body, size_t n) {
    struct camsettings want;
    unsigned mask;
    struct err e;
    if (settings_from_map(body, n, "op", &want, &mask, &e) < 0)
        rpc_reply_error(call, "%s", e.text);
    else if (mask == 0)
        rpc_reply_error(call, "no setting is given, as in gain=2");
    else if (!store_change(&c->store, &want, mask, on_changed, call))
        rpc_reply_error(call, "too many changes wait");
    else
        c->n.sets++;
}

static void restart(struct camctl *c, struct rpc_call *call, const uint8_t *body, size_t n) {
    char name[32] = "camera";
    struct mp_value v;
    if (mp_find(body, n, "name", &v, NULL) && !mp_get_cstr(body, n, "name", name, sizeof name))
        rpc_reply_error(call, "name must be camera, publisher or preview");
    else if (!video_restart(c, name))
        rpc_reply_error(call, "there is no \"%s\" (name: camera, publisher or preview)", name);
    else
        rpc_reply_ok(call);
}

/* Viewers have logins of their own. */
static void put_url(struct buf *b, const char *url) {
    char *shown = mem_strdup(url);
    mp_kv_strn(b, "rtsp_url", shown, command_hide_logins(shown, strlen(shown)));
    free(shown);
}

static void put_state(struct buf *b, struct camctl *c) {
    size_t n[4];
    client_counts(c, n);
    mp_kv_str(b, "mode", c->cfg.open ? "open" : "strict");
    mp_kv_bool(b, "password", c->password.set);
    mp_kv_str(b, "source", c->cfg.test ? "test" : "camera");
    put_url(b, c->cfg.rtsp_url);
    mp_kv_str(b, "host", c->cfg.host);
    mp_kv_uint(b, "data_port", (uint64_t)c->cfg.port[PORT_DATA]);
    mp_kv_uint(b, "settings_port", (uint64_t)c->cfg.port[PORT_SETTINGS]);
    mp_kv_uint(b, "auth_port", (uint64_t)c->cfg.port[PORT_AUTH]);
    mp_kv_str(b, "value", c->cfg.value ? c->cfg.value : "");
    mp_kv_uint(b, "rate_hz", RATE_HZ);
    mp_kv_uint(b, "width", (uint64_t)c->cfg.width);
    mp_kv_uint(b, "height", (uint64_t)c->cfg.height);
    mp_kv_uint(b, "fps", (uint64_t)c->cfg.fps);
    mp_kv_uint(b, "pictures", c->video.pictures);
    mp_put_str(b, "clients");
    mp_put_map(b, 4);
    put_clients(b, n);
    mp_put_str(b, "processes");
    mp_put_array(b, PROCS);
    for (int i = 0; i < PROCS; i++) {
        mp_put_map(b, PROC_KEYS);
        put_proc(b, proc_at(c, i));
    }
}

void bus_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body, size_t n) {
    struct camctl *c = ctx;
    if (strcmp(op, "settings") == 0) {
        answer_settings(c, call);
    } else if (strcmp(op, "set") == 0) {
        set(c, call, body, n);
    } else if (strcmp(op, "restart") == 0) {
        restart(c, call, body, n);
    } else if (strcmp(op, "state") == 0) {
        put_state(rpc_reply_begin(call, 16), c);
        rpc_reply_end(call);
    } else {
        rpc_reply_error(call,
                        "%s does not know the request \"%s\" (there are settings, set, "
                        "restart, state)",
                        c->st.name, op);
    }
}
