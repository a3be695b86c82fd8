#include "json.h"

#include <jansson.h>
#include <string.h>

static int put_json(struct buf *out, json_t *v, int depth, struct err *e);

static int put_array(struct buf *out, json_t *v, int depth, struct err *e) {
    size_t n = json_array_size(v);
    mp_put_array(out, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        if (put_json(out, json_array_get(v, i), depth, e))
            return -1;
    return 0;
}

static int put_binary(struct buf *out, json_t *v, struct err *e) {
    struct buf bytes = {0};
    const char *s = json_string_value(v);
    bool ok = s && json_get_base64(&bytes, s, json_string_length(v));
    if (ok)
        mp_put_bin(out, buf_data(&bytes), buf_len(&bytes));
    buf_free(&bytes);
    return ok ? 0 : err_set(e, CAUSE_PROTOCOL, "JSON: \"$bin\" needs a string of padded base64");
}

static int put_object(struct buf *out, json_t *v, int depth, struct err *e) {
    json_t *bin = json_object_get(v, "$bin"), *item;
    const char *key;
    if (bin && json_object_size(v) == 1)
        return put_binary(out, bin, e);
    mp_put_map(out, (uint32_t)json_object_size(v));
    json_object_foreach(v, key, item) {
        mp_put_str(out, key);
        if (put_json(out, item, depth, e))
            return -1;
    }
    return 0;
}

static int put_container(struct buf *out, json_t *v, int depth, struct err *e) {
    if (depth == 0)
        return err_set(e, CAUSE_LIMIT, "JSON: nested deeper than %d levels", MP_DEPTH_MAX);
    return json_is_array(v) ? put_array(out, v, depth - 1, e) : put_object(out, v, depth - 1, e);
}

static int put_json(struct buf *out, json_t *v, int depth, struct err *e) {
    switch (json_typeof(v)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        return put_container(out, v, depth, e);
    case JSON_STRING:
        mp_put_strn(out, json_string_value(v), json_string_length(v));
        break;
    case JSON_INTEGER:
        mp_put_int(out, json_integer_value(v));
        break;
    case JSON_REAL:
        mp_put_double(out, json_real_value(v));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        mp_put_bool(out, json_is_true(v));
        break;
    case JSON_NULL:
        mp_put_nil(out);
        break;
    }
    return 0;
}

/* jansson quotes the text around the fault, which may hold anything. */
static int parse_error(struct err *e, json_error_t *why) {
    for (char *p = why->text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    return err_set(e, CAUSE_PROTOCOL, "JSON: line %d column %d: %s", why->line, why->column,
                   why->text);
}

int json_to_mp(struct buf *out, const char *text, size_t n, struct err *e) {
    if (n > JSON_TEXT_MAX)
        return err_set(e, CAUSE_LIMIT, "JSON: %zu bytes, more than %d", n, JSON_TEXT_MAX);
    json_error_t why;
    json_t *v = json_loadb(text, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (!v)
        return parse_error(e, &why);
    size_t before = buf_len(out);
    int r = put_json(out, v, MP_DEPTH_MAX, e);
    if (r)
        out->end = out->start + before;
    json_decref(v);
    return r;
}
