#include "ask.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char ask_stranger_text[] =
    "the body must be JSON (header \"Content-Type: application/json\")";

bool ask_is_http(const uint8_t *body, size_t n) {
    char method[8];
    return mp_get_cstr(body, n, "method", method, sizeof method);
}

bool ask_from_stranger(const uint8_t *body, size_t n) {
    static const char json[] = "application/json";
    char type[128];
    if (!ask_is_http(body, n))
        return false;
    return !mp_get_cstr(body, n, "type", type, sizeof type) ||
           strncasecmp(type, json, sizeof json - 1) != 0;
}

void ask_refuse(struct rpc_call *call, bool http, unsigned status, const char *why) {
    if (!http) {
        rpc_reply_error(call, "%s", why);
        return;
    }
    struct buf *b = rpc_reply_begin(call, 2);
    mp_kv_uint(b, "status", status);
    mp_put_str(b, "body");
    mp_put_map(b, 2);
    mp_kv_bool(b, "ok", false);
    mp_kv_str(b, "error", why);
    rpc_reply_end(call);
}

static int hex(char c) {
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

bool ask_query(const char *query, const char *key, char *out, size_t size) {
    size_t n = strlen(key), o = 0;
    const char *s = query;
    while (strncmp(s, key, n) != 0 || s[n] != '=') {
        s = strchr(s, '&');
        if (!s++)
            return false;
    }
    for (s += n + 1; *s && *s != '&' && o + 1 < size; s++) {
        bool coded = *s == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0;
        out[o++] = coded ? (char)(hex(s[1]) * 16 + hex(s[2])) : *s;
        s += coded ? 2 : 0;
    }
    out[o] = 0;
    return !*s || *s == '&';
}

bool ask_query_number(const char *query, const char *key, uint64_t *v) {
    char text[24];
    if (!ask_query(query, key, text, sizeof text) || !*text || text[strspn(text, "0123456789")] ||
        strlen(text) > 18)
        return false;
    *v = strtoull(text, NULL, 10);
    return true;
}
