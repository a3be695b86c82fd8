#include <string.h>

#include "play.h"

int play_edit_rename(struct play_edit *d, const char *text, struct err *e) {
    const char *eq = strchr(text, '=');
    if (!eq || eq == text || !endpoint_prefix_valid(eq + 1))
        return err_set(e, CAUSE_USAGE, "--rename %s: must be OLD=NEW, beginnings of topics", text);
    if (d->renames == PLAY_RENAMES)
        return err_set(e, CAUSE_USAGE, "--rename: at most %d", PLAY_RENAMES);
    d->rename[d->renames++] = (struct play_rename){text, eq + 1, (size_t)(eq - text)};
    return 0;
}

/* The first that fits; "" when what comes out is no topic. */
static size_t new_topic(const struct play_edit *d, const struct msg *m,
                        char out[MSG_TOPIC_MAX + 1]) {
    const char *to = "";
    size_t skip = 0;
    for (size_t i = 0; i < d->renames && !skip; i++)
        if (m->topic_len >= d->rename[i].from_len &&
            memcmp(m->topic, d->rename[i].from, d->rename[i].from_len) == 0) {
            to = d->rename[i].to;
            skip = d->rename[i].from_len;
        }
    size_t n = strlen(to), rest = m->topic_len - skip;
    if (n + rest > MSG_TOPIC_MAX)
        return 0;
    memcpy(out, to, n);
    memcpy(out + n, m->topic + skip, rest);
    return msg_topic_valid(out, n + rest) ? n + rest : 0;
}

/* How far the sequence of its source has moved since the message before. */
static uint64_t step(struct play_edit *d, const char *source, const struct msg *m) {
    struct topic *t = topics_find(&d->in, source, m->topic, m->topic_len);
    if (!t)
        return 1;
    uint64_t before = t->seq;
    t->seq = m->seq;
    if (before && m->seq >= before)
        return m->seq - before; /* 0: the same message again, as state topics are */
    return before ? m->seq : 0;
}

static uint64_t next_seq(struct play_edit *d, const char *source, const struct msg *m,
                         const char *topic, size_t n) {
    struct topic *in = topics_find(&d->in, source, m->topic, m->topic_len);
    bool first = !in || !in->seq;
    uint64_t by = step(d, source, m);
    struct topic *out = topics_find(&d->out, "", topic, n);
    if (!out)
        return m->seq;
    if (first)
        by = out->value ? 1 : m->seq;
    return out->value += by;
}

bool play_edit(struct play_edit *d, const char *source, const struct msg *m, uint64_t time_ns,
               struct msg *out) {
    char topic[MSG_TOPIC_MAX + 1];
    size_t n = new_topic(d, m, topic);
    if (!n)
        return false;
    uint64_t seq = next_seq(d, source, m, topic, n);
    buf_clear(&d->buf);
    msg_put_head(&d->buf, topic, n, d->keep_time ? m->time : time_ns, seq);
    buf_put(&d->buf, m->body, m->body_len);
    return msg_parse(buf_data(&d->buf), buf_len(&d->buf), out) > 0;
}

void play_edit_restart(struct play_edit *d) {
    for (size_t i = 0; i < d->in.n; i++)
        d->in.row[i]->seq = 0;
}

void play_edit_free(struct play_edit *d) {
    topics_free(&d->in);
    topics_free(&d->out);
    buf_free(&d->buf);
}
