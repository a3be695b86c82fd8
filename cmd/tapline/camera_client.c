#include "camera_client.h"

#include <stdio.h>
#include <string.h>

/* ---- packets ---- */

/* A whole packet is there: 1; 0 = not yet. */
static int take(struct tcp *t, struct camera_answer *a) {
    for (;;) {
        struct campacket p;
        size_t used = 0;
        enum campacket_found found =
            campacket_next(buf_data(&t->in), buf_len(&t->in), CAMERA_ANSWER, &p, &used);
        if (found == CAMPACKET_MORE)
            return 0;
        if (found == CAMPACKET_OK) {
            *a = (struct camera_answer){.id = p.id, .type = p.type, .len = p.len};
            memcpy(a->payload, p.payload, p.len);
        }
        buf_consume(&t->in, used);
        if (found == CAMPACKET_OK)
            return 1;
    }
}

int camera_next(struct tcp *t, uint8_t id, const char *refused, struct camera_answer *a,
                struct err *e) {
    do {
        while (buf_len(&t->in) == 0 || !take(t, a))
            if (tcp_receive(t, e) < 0)
                return -1;
    } while (a->id != id || a->type == CAMPACKET_REQUEST);
    if (a->type == CAMPACKET_ERROR)
        return err_set(e, CAUSE_PERMISSION, "%s refuses: %s", t->where, refused);
    return 0;
}

/* ---- settings ---- */

static const char UNKNOWN_ADDRESS[] =
    "this address has not authenticated (tapline camera auth, or AUTH_PASSWORD)";

static size_t put_read(uint8_t out[CAMPACKET_SHORT]) {
    return campacket_put(out, CAMPACKET_ID_SETTINGS, CAMPACKET_REQUEST, NULL, 0);
}

static int take_settings(struct tcp *t, const char *refused, struct camsettings *s, struct err *e) {
    struct camera_answer a;
    if (camera_next(t, CAMPACKET_ID_SETTINGS, refused, &a, e) < 0)
        return -1;
    if (a.len != CAMPACKET_SETTINGS)
        return err_set(e, CAUSE_PROTOCOL, "%s: %zu bytes of settings instead of %d", t->where,
                       a.len, CAMPACKET_SETTINGS);
    camsettings_get(a.payload, s);
    return 0;
}

int camera_settings_get(struct tcp *t, struct camsettings *s, struct err *e) {
    uint8_t packet[CAMPACKET_SHORT];
    size_t n = put_read(packet);
    return tcp_send(t, packet, n, e) < 0 ? -1 : take_settings(t, UNKNOWN_ADDRESS, s, e);
}

/* A server need not answer a command, but it answers the question behind it. */
int camera_settings_set(struct tcp *t, struct camsettings *s, struct err *e) {
    uint8_t payload[CAMPACKET_SETTINGS], packets[2 * CAMPACKET_SHORT];
    camsettings_put(payload, s);
    size_t n = campacket_put(packets, CAMPACKET_ID_SETTINGS, CAMPACKET_REQUEST, payload,
                             CAMPACKET_SETTINGS_SET);
    n += put_read(packets + n);
    if (tcp_send(t, packets, n, e) < 0)
        return -1;
    return take_settings(t, "the camera cannot do these settings", s, e);
}

/* ---- authentication ---- */

int camera_auth(struct tcp *t, const char *password, size_t n, struct err *e) {
    uint8_t packet[CAMPACKET_OVERHEAD + 512];
    struct camera_answer a;
    if (n == 0 || n > sizeof packet - CAMPACKET_OVERHEAD)
        return err_set(e, CAUSE_USAGE, "a password has 1 to 512 bytes, this one %zu", n);
    size_t bytes = campacket_put(packet, CAMPACKET_ID_AUTH, CAMPACKET_REQUEST, password, n);
    int r = tcp_send(t, packet, bytes, e);
    explicit_bzero(packet, sizeof packet);
    return r < 0 ? -1
                 : camera_next(t, CAMPACKET_ID_AUTH,
                               "a wrong password, or too many of them: try again in some seconds",
                               &a, e);
}
