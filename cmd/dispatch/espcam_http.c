/* Requests: of httpd and of people (tapline req rules cameras). */
#include <string.h>

#include "ask.h"
#include "espcam.h"
#include "json.h"

static void on_cameras(struct rpc_call *call) {
    struct buf *b = rpc_reply_begin(call, 1);
    mp_put_str(b, "body");
    cam_page_put(b);
    rpc_reply_end(call);
}

/* As a key of the request, or of the JSON that a page has posted. */
static bool get_seconds(const uint8_t *body, size_t n, uint64_t *seconds) {
    static struct buf json;
    const char *text;
    size_t len;
    *seconds = 0;
    if (mp_get_uint(body, n, "seconds", seconds))
        return true;
    buf_clear(&json);
    return mp_get_str(body, n, "text", &text, &len) && json_to_mp(&json, text, len, NULL) == 0 &&
           mp_get_uint(buf_data(&json), buf_len(&json), "seconds", seconds);
}

static bool get_mac(const uint8_t *body, size_t n, char mac[CAM_MAC]) {
    struct mp_value params;
    struct mp_cursor at;
    const char *text;
    size_t len;
    if (!mp_find(body, n, "params", &params, &at))
        return false;
    return mp_get_str(at.at, (size_t)(at.end - at.at), "mac", &text, &len) &&
           cam_mac(text, len, mac);
}

static void on_sleep(struct rpc_call *call, const uint8_t *body, size_t n) {
    char mac[CAM_MAC];
    uint64_t seconds;
    unsigned status = 400;
    const char *why = NULL;
    if (ask_from_stranger(body, n))
        why = ask_stranger_text;
    else if (!get_mac(body, n, mac))
        why = "mac: is no hardware address, as 24:6f:28:a1:b2:c3";
    else if (!get_seconds(body, n, &seconds))
        why = "seconds: a whole number from 1 to 86400";
    else
        why = cam_command_sleep(mac, seconds, &status);
    if (why) {
        ask_refuse(call, ask_is_http(body, n), status, why);
        return;
    }
    struct buf *b = rpc_reply_begin(call, 2);
    mp_kv_uint(b, "status", 202);
    mp_put_str(b, "body");
    mp_put_map(b, 2);
    mp_kv_bool(b, "ok", true);
    mp_kv_uint(b, "waiting", cams.sleeps.n);
    rpc_reply_end(call);
    cams_changed();
}

void cam_http_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                      size_t n) {
    (void)ctx;
    if (strcmp(op, "cameras") == 0)
        on_cameras(call);
    else if (strcmp(op, "sleep") == 0)
        on_sleep(call, body, n);
    else if (strcmp(op, "saved") == 0)
        cam_saved_request(call, body, n);
    else
        rpc_reply_error(call, "dispatch espcam does not know the request \"%s\"", op);
}
