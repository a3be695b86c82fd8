/* Detections by UDP: one JSON object a datagram, no token (udpcat takes only those of the networks
 * it was told), answered to where it came from.
 */
#include <string.h>

#include "hub.h"
#include "log.h"

static void answer(const char *peer, uint64_t port, const struct json_object *o, uint64_t time_ns) {
    static struct buf text;
    const struct json_raw *id = json_get(o, "tag_id");
    buf_clear(&text);
    buf_puts(&text, "{\"event\":\"apriltag_ack\",\"status\":\"received\",\"tag_id\":");
    /* Cameras read at most 255 bytes. */
    if (id && id->n <= 64)
        buf_put(&text, id->p, id->n);
    else
        buf_puts(&text, "null");
    buf_printf(&text, ",\"server_timestamp\":%.6f}", (double)(time_ns / 1000) / 1e6);
    struct buf *b = stage_begin(hub.st, "udp.tx", time_ns, 3);
    mp_kv_str(b, "peer", peer);
    mp_kv_uint(b, "port", port);
    mp_kv_bin(b, "data", buf_data(&text), buf_len(&text));
    stage_end(hub.st);
}

void hub_udp_take(const struct msg *m) {
    static struct log_limit limit;
    static struct json_object o;
    const uint8_t *data;
    size_t n;
    char peer[HUB_ADDR];
    uint64_t port = 0;
    struct err e;
    struct hub_source from = {.via = "udp", .addr = peer, .time_ns = m->time, .own_addr = true};
    if (!mp_get_bin(m->body, m->body_len, "data", &data, &n) ||
        !mp_get_cstr(m->body, m->body_len, "peer", peer, sizeof peer))
        return;
    mp_get_uint(m->body, m->body_len, "port", &port);
    if (json_scan(&o, (const char *)data, n, &e) == 0 && hub_tag_take(&o, NULL, &from, &e) == 0) {
        answer(peer, port, &o, m->time);
        return;
    }
    hub.n.bad_texts++;
    log_limited(&limit, LOG_WARN, "datagram of %s ignored: %s", peer, e.text);
}
