#include <string.h>

#include "hevbcast.h"

/* How soon a client that has not read is looked at again; and everybody, while the cheap answer of
 * unread.c still counts, so that the next text need not wait for the dear one. */
enum { RETRY_MS = 1, RETRY_MAX_MS = 16, SETTLE_MS = 15 };

static const char keepalive[] = "{\"type\": \"keepalive\"}";

/* What newer servers pass on (section 4); LOGMSG and LOOP_STATUS stay inside. */
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

static void look_again(struct hevbcast *h, unsigned ms) {
    h->retry_ms = ms;
    uv_timer_start(&h->retry, on_retry, ms, 0);
}

static void owe(struct client *c) {
    if (c->owed)
        return;
    c->owed = true;
    c->progress_ms = hevbcast_ms(c->h);
    if (!c->h->owing)
        look_again(c->h, RETRY_MS);
    c->h->owing = true;
}

/* Whether the client was sent it, or has gone. */
static bool deliver(struct client *c) {
    if (c->count || !unread_none(c))
        return false;
    c->owed = false;
    unread_sent(c);
    out_send(c, c->h->batch);
    return true;
}

static void on_retry(uv_timer_t *t) {
    struct hevbcast *h = t->data;
    h->owing = false;
    for (size_t i = h->client_count; i-- > 0;) {
        struct client *c = h->client[i];
        if (!c->owed) {
            unread_none(c);
            continue;
        }
        render(h);
        if (!deliver(c))
            h->owing = true;
    }
    unsigned next = 2 * h->retry_ms;
    if (h->owing)
        look_again(h, next < RETRY_MAX_MS ? next : RETRY_MAX_MS);
}

static void send_state(struct hevbcast *h) {
    render(h);
    for (size_t i = h->client_count; i-- > 0;) {
        struct client *c = h->client[i];
        if (deliver(c))
            continue;
        c->coalesced += c->owed;
        h->n.coalesced += c->owed;
        owe(c);
    }
    h->due = false;
    if (!h->owing)
        look_again(h, SETTLE_MS);
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
        if (h->waiting[i] == type)
            return;
    h->waiting[h->waiting_count++] = (uint8_t)type;
}

/* ---- when ---- */

void cast_payload(struct hevbcast *h, enum hev_type type, uint64_t time_ns) {
    bool d3 = h->dialect == DIALECT_D3;
    if (d3 ? !passed_on[type] : type != HEV_DATA && type != HEV_ALARM)
        return;
    h->newest_time = time_ns;
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
    unread_sent(c);
    out_send(c, f);
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
