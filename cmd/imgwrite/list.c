/* The request list: {mac?, before?, after?, limit?} -> {ok, images: [{name, path, mac, time,
 * bytes},
 * ...], more, total}, newest first. Times are nanoseconds since the Unix epoch, as everywhere. */
#include <string.h>

#include "mac.h"
#include "store.h"

enum {
    LIMIT = 50,
    LIMIT_MAX = 1000,
    REPLY_BYTES = 2 << 20, /* well below RPC_MAX, however long the paths are */
    LOOKED_AT = 2000000    /* entries of other cameras passed over by one request */
};

static bool read_query(struct store_query *q, const uint8_t *body, size_t n) {
    const char *mac;
    size_t len;
    uint64_t v;
    *q = (struct store_query){.before_us = UINT64_MAX, .limit = LIMIT};
    if (mp_get_uint(body, n, "before", &v))
        q->before_us = (v + 999) / 1000;
    if (mp_get_uint(body, n, "after", &v))
        q->after_us = v / 1000 + 1;
    if (mp_get_uint(body, n, "limit", &v))
        q->limit = v < LIMIT_MAX ? v : LIMIT_MAX;
    q->one_camera = mp_get_str(body, n, "mac", &mac, &len) && len > 0;
    return !q->one_camera || mac_parse(mac, len, &q->mac);
}

static bool put_entry(const struct store *s, size_t i, struct buf *b) {
    const struct index_entry *e = index_at(&s->index, i);
    char name[NAME_BYTES], path[SAVE_PATH], mac[MAC_TEXT];
    if (!index_name(&s->index, i, name))
        return false;
    snprintf(path, sizeof path, "%s/%s", s->place->dir, name);
    mp_put_map(b, 5);
    mp_kv_str(b, "name", name);
    mp_kv_str(b, "path", path);
    mp_kv_str(b, "mac", mac_text(e->mac, mac));
    mp_kv_uint(b, "time", e->time_us * 1000);
    mp_kv_uint(b, "bytes", e->bytes);
    return true;
}

/* Entries into b; *more: there are others that match. */
static uint32_t put_entries(const struct store *s, const struct store_query *q, struct buf *b,
                            bool *more) {
    size_t i = index_older(&s->index, q->before_us), looked = 0;
    uint32_t count = 0;
    *more = false;
    while (i-- > 0 && index_at(&s->index, i)->time_us >= q->after_us && looked++ < LOOKED_AT) {
        if (q->one_camera && index_at(&s->index, i)->mac != q->mac)
            continue;
        if (count >= q->limit || buf_len(b) > REPLY_BYTES) {
            *more = true;
            break;
        }
        count += put_entry(s, i, b);
    }
    return count;
}

static void answer(const struct store *s, struct rpc_call *call, const struct store_query *q) {
    static struct buf entries;
    bool more;
    buf_clear(&entries);
    uint32_t count = put_entries(s, q, &entries, &more);
    struct buf *b = rpc_reply_begin(call, 3);
    mp_put_str(b, "images");
    mp_put_array(b, count);
    buf_put(b, buf_data(&entries), buf_len(&entries));
    mp_kv_bool(b, "more", more);
    mp_kv_uint(b, "total", s->index.n);
    rpc_reply_end(call);
}

void store_list(struct store *s, struct rpc_call *call, const uint8_t *body, size_t n) {
    struct store_query q;
    if (!read_query(&q, body, n))
        rpc_reply_error(call, "\"mac\" is no hardware address (such as 24:6f:28:a1:b2:c3)");
    else if (s->scanned)
        answer(s, call, &q);
    else if (s->questions == STORE_WAITING)
        rpc_reply_error(call, "%s is still being looked through", s->place->dir);
    else
        s->question[s->questions++] = (struct store_question){call, q};
}

void store_list_waiting(struct store *s, const char *why_not) {
    for (size_t i = 0; i < s->questions; i++) {
        if (why_not)
            rpc_reply_error(s->question[i].call, "%s", why_not);
        else
            answer(s, s->question[i].call, &s->question[i].query);
    }
    s->questions = 0;
}
