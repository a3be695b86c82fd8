#include <string.h>

#include "hevbcast.h"

/* How soon a client that has not read is looked at again. Everybody is looked at twice before the
 * next text, which then need not wait for that: soon, and while the cheap answer of unread.c still
 * counts. */
enum { RETRY_MS = 1, RETRY_MAX_MS = 32, SETTLE_MS = 2, SETTLE_LAST_MS = 15 };

static const char keepalive[] = "{\"type\": \"keepalive\"}";

/* What clients of D3 know (section 2.2); LOGMSG and LOOP_STATUS stay inside. */
static const bool passed_on[HEV_TYPES] = {
    [HEV_DATA] = true,   [HEV_READBACK] = true, [HEV_CYCLE] = true,   [HEV_THRESHOLDS] = true,
    [HEV_CMD] = true,    [HEV_ALARM] = true,    [HEV_DEBUG] = true,   [HEV_IVT] = true,
    [HEV_TARGET] = true, [HEV_BATTERY] = true,  [HEV_PERSONAL] = true};

static bool shared(const struct hevbcast *h) {
    return h->batch && buf_len(&h->batch->text);
}

/* ---- D1 and D2: the newest state, to whoever has read the one before ---- */

static void render(struct hevbcast *h) {
    if (shared(h) && h->batch_number == h->state_number)
        return;
    h->n.left_out += text_state(h, &frame_fresh(&h->batch)->text);
    h->batch_number = h->state_number;
}

static void on_retry(uv_timer_t *t);

/* Unless the timer runs out sooner anyway. */
static void look_again(struct hevbcast *h, uint64_t at_ms) {
    uint64_t now = hevbcast_ms(h);
    if (uv_is_active((uv_handle_t *)&h->retry) && h->retry_at_ms <= at_ms)
        return;
    h->retry_at_ms = at_ms;
    uv_timer_start(&h->retry, on_retry, at_ms > now ? at_ms - now : 0, 0);
}

static void owe(struct client *c) {
    if (c->owed)
        return;
    c->owed = true;
    c->progress_ms = hevbcast_ms(c->h);
    c->look_wait_ms = RETRY_MS;
    c->look_at_ms = c->progress_ms + RETRY_MS;
    look_again(c->h, c->look_at_ms);
}

/* Whether the client was sent it, or has gone. */
static bool deliver(struct client *c) {
    if (c->count || !unread_none(c))
        return false;
    c->owed = false;
    unread_send(c, c->h->batch);
    return true;
}

/* Each client has a pause of its own, so that one which stands still delays nobody. */
static void try_owed(struct client *c, uint64_t now) {
    if (c->look_at_ms <= now) {
        unsigned next = 2 * c->look_wait_ms;
        render(c->h);
        if (deliver(c))
            return;
        c->look_wait_ms = next < RETRY_MAX_MS ? next : RETRY_MAX_MS;
        c->look_at_ms = now + c->look_wait_ms;
    }
    look_again(c->h, c->look_at_ms);
}

static void on_retry(uv_timer_t *t) {
    struct hevbcast *h = t->data;
    uint64_t now = hevbcast_ms(h);
    bool settle = h->settle_at_ms && h->settle_at_ms <= now, all = true;
    for (size_t i = h->client_count; i-- > 0;)
        if (h->client[i]->owed)
            try_owed(h->client[i], now);
        else if (settle && !unread_none(h->client[i]))
            all = false;
    if (settle)
        h->settle_at_ms = !all && now < h->settle_last_ms ? h->settle_last_ms : 0;
    if (h->settle_at_ms)
        look_again(h, h->settle_at_ms);
}

static void send_state(struct hevbcast *h) {
    uint64_t now = hevbcast_ms(h);
    render(h);
    for (size_t i = h->client_count; i-- > 0;) {
        struct client *c = h->client[i];
        bool late = c->owed;
        if ((late && c->look_at_ms > now) || !deliver(c)) {
            c->coalesced += late;
            h->n.coalesced += late;
            owe(c);
        }
    }
    h->due = false;
    h->settle_at_ms = now + SETTLE_MS;
    h->settle_last_ms = now + SETTLE_LAST_MS;
    look_again(h, h->settle_at_ms);
}

/* ---- D3: a stream of texts ---- */

static void send_batch(struct hevbcast *h) {
    for (size_t i = h->client_count; i-- > 0;)
        out_send(h->client[i], h->batch);
    frame_fresh(&h->batch);
}

static void add_payload(struct hevbcast *h, enum hev_type type) {
    if (!h->batch)
        frame_fresh(&h->batch);
    text_payload(h, type, &h->batch->text);
    if (buf_len(&h->batch->text) > BATCH_BYTES)
        send_batch(h);
}

static void send_waiting(struct hevbcast *h) {
    for (size_t i = 0; i < h->waiting_count; i++)
        add_payload(h, h->waiting[i]);
    h->waiting_count = 0;
    if (shared(h))
        send_batch(h);
}

static void wait_for_tick(struct hevbcast *h, enum hev_type type) {
    for (size_t i = 0; i < h->waiting_count; i++)
        if (h->waiting[i] == type) {
            h->n.joined++;
            return;
        }
    h->waiting[h->waiting_count++] = (uint8_t)type;
}

/* ---- when ---- */

void cast_payload(struct hevbcast *h, enum hev_type type, uint64_t time_ns) {
    bool d3 = h->dialect == DIALECT_D3;
    if (d3 ? !passed_on[type] : type != HEV_DATA && type != HEV_ALARM)
        return;
    h->newest_time = time_ns;
    h->n.joined += h->due;
    if (!d3)
        h->due = true;
    else if (h->opt.interval_ms)
        wait_for_tick(h, type);
    else
        add_payload(h, type);
}

static bool anything(const struct hevbcast *h) {
    if (h->dialect == DIALECT_D3)
        return h->waiting_count || shared(h);
    return h->due;
}

static void send_all(struct hevbcast *h) {
    if (h->dialect == DIALECT_D3)
        send_waiting(h);
    else
        send_state(h);
    h->n.texts++;
    h->last_cast_ms = hevbcast_ms(h);
    stage_latency(&h->st, h->newest_time);
}

static void on_tick(uv_timer_t *t) {
    struct hevbcast *h = t->data;
    if (anything(h))
        send_all(h);
}

/* After the events of a turn: several payloads that came together are one text (D1) or one send
 * (D3). */
static void on_check(uv_check_t *k) {
    struct hevbcast *h = k->data;
    uint64_t now = hevbcast_ms(h), next = h->last_cast_ms + (uint64_t)h->opt.interval_ms;
    if (!anything(h))
        return;
    if (h->opt.interval_ms == 0 || h->last_cast_ms == 0 || now >= next)
        send_all(h);
    else if (!uv_is_active((uv_handle_t *)&h->tick))
        uv_timer_start(&h->tick, on_tick, next - now, 0);
}

void cast_welcome(struct client *c) {
    struct hevbcast *h = c->h;
    if (h->dialect != DIALECT_D3 && h->due) {
        render(h);
        deliver(c);
    }
    if (h->waiting_count == 0)
        return;
    struct frame *f = frame_new();
    for (size_t i = 0; i < h->waiting_count; i++)
        text_payload(h, h->waiting[i], &f->text);
    out_send(c, f);
    frame_release(f);
}

/* ---- D2 and D3: a sign of life ---- */

static void send_keepalive(struct client *c, struct frame *f) {
    if (c->h->dialect == DIALECT_D2 && (c->count || !unread_none(c)))
        return;
    unread_send(c, f);
}

static void on_keepalive(uv_timer_t *t) {
    struct hevbcast *h = t->data;
    uint64_t now = hevbcast_ms(h), next = h->last_cast_ms + (uint64_t)h->opt.keepalive_ms;
    if (h->last_cast_ms && now < next) {
        uv_timer_start(t, on_keepalive, next - now, 0);
        return;
    }
    struct frame *f = frame_new();
    buf_put(&f->text, keepalive, sizeof keepalive - (h->dialect == DIALECT_D2));
    for (size_t i = h->client_count; i-- > 0;)
        send_keepalive(h->client[i], f);
    frame_release(f);
    uv_timer_start(t, on_keepalive, (uint64_t)h->opt.keepalive_ms, 0);
}

/* ---- opening and closing ---- */

void cast_open(struct hevbcast *h) {
    uv_timer_init(&h->st.loop, &h->tick);
    uv_timer_init(&h->st.loop, &h->retry);
    uv_timer_init(&h->st.loop, &h->keepalive);
    uv_check_init(&h->st.loop, &h->check);
    h->tick.data = h->retry.data = h->keepalive.data = h->check.data = h;
    uv_check_start(&h->check, on_check);
    if (h->opt.keepalive_ms)
        uv_timer_start(&h->keepalive, on_keepalive, (uint64_t)h->opt.keepalive_ms, 0);
}

void cast_close(struct hevbcast *h) {
    uv_close((uv_handle_t *)&h->tick, NULL);
    uv_close((uv_handle_t *)&h->retry, NULL);
    uv_close((uv_handle_t *)&h->keepalive, NULL);
    uv_close((uv_handle_t *)&h->check, NULL);
    frame_release(h->batch);
}
