#include "pages.h"

#include "json.h"
#include "log.h"

/* No text of a page is longer than 100 bytes; a longer one is not worth a parser's memory. */
enum { TEXT_MAX = 1024, SHOWN_BYTES = 50 };

static void tell_bad(uint64_t client, const char *text, size_t n) {
    static struct log_limit limit;
    char shown[SHOWN_BYTES * 4 + 8];
    log_quote(shown, sizeof shown, text, n < SHOWN_BYTES ? n : SHOWN_BYTES);
    log_limited(&limit, LOG_WARN, "browser %llu: a text that means nothing here: %s",
                (unsigned long long)client, shown);
}

const struct buf *pages_heard(const struct msg *m, uint64_t *client, uint64_t *bad) {
    static struct buf json;
    const char *text;
    size_t n;
    *client = 0;
    mp_get_uint(m->body, m->body_len, "client", client);
    if (!mp_get_str(m->body, m->body_len, "text", &text, &n))
        return NULL;
    buf_clear(&json);
    if (n <= TEXT_MAX && json_to_mp(&json, text, n, NULL) == 0)
        return &json;
    *bad += 1;
    tell_bad(*client, text, n);
    return NULL;
}

void pages_join(struct stage *st, uint64_t client, const char *group) {
    struct buf *b = stage_begin(st, "ws.join", 0, 2);
    mp_kv_uint(b, "client", client);
    mp_kv_str(b, "group", group);
    stage_end(st);
}

void pages_send(struct stage *st, const char *topic, uint64_t client, const char *group,
                const struct buf *text, uint64_t mark) {
    struct buf *b = stage_begin(st, topic, 0, 2 + (mark != 0));
    if (client)
        mp_kv_uint(b, "to", client);
    else
        mp_kv_str(b, "to", group);
    mp_kv_strn(b, "text", (const char *)buf_data(text), buf_len(text));
    if (mark)
        mp_kv_uint(b, "mark", mark);
    stage_end(st);
}
