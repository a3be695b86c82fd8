#include "hev_tcp.h"

#include <string.h>

#include "json.h"

enum { TEXT_MAX = 1 << 20 /* of one message */ };

static int receive(struct tcp *t, struct err *e) {
    if (buf_len(&t->in) >= TEXT_MAX)
        return err_set(e, CAUSE_PROTOCOL, "%s: a message of more than %d bytes", t->where,
                       TEXT_MAX);
    return tcp_receive(t, e);
}

/* A message that is whole: 1 and out has grown; 0 = not yet. Damaged ones are passed over. */
static int take(struct tcp *t, struct buf *out) {
    while (buf_len(&t->in)) {
        const uint8_t *start = buf_data(&t->in), *nul = memchr(start, 0, buf_len(&t->in));
        size_t n = nul ? (size_t)(nul - start) : buf_len(&t->in);
        bool whole = n && json_to_mp(out, (const char *)start, n, NULL) == 0;
        if (!whole && !nul)
            return 0;
        buf_consume(&t->in, n + (nul != NULL));
        if (whole)
            return 1;
    }
    return 0;
}

int hev_tcp_next(struct tcp *t, struct buf *out, struct err *e) {
    buf_clear(out);
    while (!take(t, out))
        if (receive(t, e) < 0)
            return -1;
    return 0;
}
