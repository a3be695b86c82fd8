#include "reply.h"

#include <stdio.h>
#include <string.h>

#include "json.h"

void reply_header(struct MHD_Response *r, const char *name, const char *value) {
    if (r)
        MHD_add_response_header(r, name, value);
}

struct MHD_Response *reply_make(const char *type, const void *p, size_t n) {
    struct MHD_Response *r =
        MHD_create_response_from_buffer(n, (void *)(uintptr_t)p, MHD_RESPMEM_MUST_COPY);
    if (type)
        reply_header(r, "Content-Type", type);
    reply_header(r, "X-Content-Type-Options", "nosniff");
    return r;
}

void reply_bytes(struct request *q, unsigned status, const char *type, const void *p, size_t n) {
    request_answer(q, status, reply_make(type ? type : REPLY_TEXT, p, n), n);
}

static int error_text(char *out, size_t size, unsigned status, const char *detail) {
    int n = snprintf(out, size, "%u: %s%s%s%s", status, MHD_get_reason_phrase_for(status),
                     detail ? " (" : "", detail ? detail : "", detail ? ")" : "");
    return n < (int)size ? n : (int)size - 1;
}

void reply_error(struct request *q, unsigned status, const char *detail) {
    char text[600];
    int n = error_text(text, sizeof text, status, detail);
    reply_bytes(q, status, NULL, text, (size_t)n);
}

void reply_error_with(struct request *q, unsigned status, const char *header, const char *value) {
    char text[64];
    int n = error_text(text, sizeof text, status, NULL);
    struct MHD_Response *r = reply_make(REPLY_TEXT, text, (size_t)n);
    reply_header(r, header, value);
    request_answer(q, status, r, (uint64_t)n);
}

void reply_json(struct request *q, unsigned status, const void *p, size_t n) {
    struct MHD_Response *r = reply_make("application/json; charset=utf-8", p, n);
    reply_header(r, "Cache-Control", "no-store");
    request_answer(q, status, r, n);
}

void reply_json_error(struct request *q, unsigned status, const char *error) {
    struct buf b = {0};
    buf_puts(&b, "{\"error\":");
    json_put_str(&b, error, strlen(error));
    buf_puts(&b, "}\n");
    reply_bytes(q, status, "application/json", buf_data(&b), buf_len(&b));
    buf_free(&b);
}

void reply_refusal(struct request *q, unsigned status, const char *error) {
    struct buf b = {0};
    buf_puts(&b, "{\"ok\":false,\"error\":");
    json_put_str(&b, error, strlen(error));
    buf_putc(&b, '}');
    reply_json(q, status, buf_data(&b), buf_len(&b));
    buf_free(&b);
}
