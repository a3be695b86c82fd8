#include "serial.h"

static void word(const struct msg *m, const char *key, char *out, size_t size) {
    if (!mp_get_cstr(m->body, m->body_len, key, out, size))
        out[0] = 0;
}

void serial_take(struct serial *s, const struct msg *m, struct stage *st, const char *absent) {
    mp_get_bool(m->body, m->body_len, "connected", &s->connected);
    word(m, "device", s->device, sizeof s->device);
    word(m, "path", s->path, sizeof s->path);
    word(m, "cause", s->cause, sizeof s->cause);
    stage_cause(st, s->connected ? CAUSE_OK : CAUSE_ABSENT, s->connected ? "" : absent);
}

const char *serial_cause(const struct serial *s) {
    return s->cause[0] ? s->cause : "absent";
}
