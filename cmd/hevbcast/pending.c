/* pending: commands that were given to the serial line, until it is known what became of them.
 *
 * Whoever asked has its answer by then (section 3), and must not be surprised by a START that it
 * pressed long ago. So a command carries the time from which it is not sent any more, and one that
 * ends so, or of which nothing is heard, is told as refused on the bus.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hevbcast.h"
#include "log.h"

enum { SLACK_MS = 1000 /* for the news that it was not sent */ };

struct pending {
    uint64_t id, at_ms;
    struct answer asked;
    char client[64], from[8];
};

bool pending_room(const struct hevbcast *h) {
    uint64_t half = (uint64_t)h->opt.max_age_ms / 2;
    if (h->pending_count == 0 || !h->opt.max_age_ms)
        return true;
    bool stands_still = h->confirms && hevbcast_ms(h) - h->pending[0].at_ms > half;
    return h->pending_count < PENDING && !stands_still;
}

void pending_add(struct hevbcast *h, uint64_t id, const struct answer *a, const char *client,
                 const char *from) {
    if (!h->opt.max_age_ms)
        return;
    if (!h->pending)
        h->pending = mem_alloc(PENDING * sizeof *h->pending);
    struct pending *p = &h->pending[h->pending_count++];
    *p = (struct pending){.id = id, .at_ms = hevbcast_ms(h), .asked = *a};
    snprintf(p->client, sizeof p->client, "%s", client);
    snprintf(p->from, sizeof p->from, "%s", from);
}

static struct pending take(struct hevbcast *h, size_t i) {
    struct pending p = h->pending[i];
    memmove(&h->pending[i], &h->pending[i + 1], (--h->pending_count - i) * sizeof p);
    return p;
}

static void tell(struct hevbcast *h, struct pending *p, const char *why) {
    static struct log_limit limit;
    log_limited(&limit, LOG_WARN, "%s: %s %s: %s", p->client, p->asked.cmdtype, p->asked.cmd, why);
    p->asked.ack = false;
    snprintf(p->asked.reason, sizeof p->asked.reason, "%s", why);
    bus_command(h, &p->asked, p->client, p->from);
}

void pending_end(struct hevbcast *h, uint64_t id, bool ok, bool expired) {
    size_t i = 0;
    h->confirms = true;
    h->n.unanswered += !ok && !expired;
    h->n.expired += !ok && expired;
    while (i < h->pending_count && h->pending[i].id != id)
        i++;
    if (i == h->pending_count)
        return;
    struct pending p = take(h, i);
    if (!ok)
        tell(h, &p,
             expired ? "not sent in time: it has waited too long (--max-age)"
                     : "the ventilator did not acknowledge it");
}

void pending_watch(struct hevbcast *h) {
    uint64_t now = hevbcast_ms(h), most = (uint64_t)h->opt.max_age_ms + SLACK_MS;
    while (h->pending_count && now - h->pending[0].at_ms > most) {
        struct pending p = take(h, 0);
        h->n.expired++;
        tell(h, &p, "nothing was heard of it in time, and it is not sent later (--max-age)");
    }
}

void pending_free(struct hevbcast *h) {
    free(h->pending);
}
