/* Fuzz: what strangers send to the tag hub: a JSON object taken apart, and a JPEG's headers.
 *
 * Data: taken as a text and as a picture; and once more as choices of members of an object, each
 * byte one, with a byte of its own thrown in where the two upper bits say so.
 * Checked: members lie in the text, in order; put together again they are taken apart into the
 * same; what the scanner takes is JSON for jansson, too; a picture that tells its size begins as
 * one.
 */
#include "json_scan.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../cmd/dispatch/espcam_jpeg.c"
#include "buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* For the random inputs of main.c. */
const char *const fuzz_words[] = {"{\"a\":1}",
                                  "{",
                                  "}",
                                  "{\"event\":\"apriltag_data\",",
                                  "\"data\":{",
                                  "[",
                                  "]",
                                  ",",
                                  ":",
                                  "\"x_cm\":",
                                  "\"ev\\u0065nt\":",
                                  "1.50",
                                  "-0",
                                  "1e5",
                                  "null",
                                  "true",
                                  "NaN",
                                  "\"\\ud83d\\ude00\"",
                                  "\"\\u12\"",
                                  " ",
                                  "\n",
                                  "\\",
                                  "\"",
                                  "\xff\xd8",
                                  "\xff\xd8\xff\xc0",
                                  "\xff\xe1",
                                  "\xff\xc2",
                                  "\xff\xff",
                                  NULL};

static void require(bool ok) {
    if (!ok)
        abort();
}

static void check_raw(const struct json_raw *v, const char *text, size_t n) {
    char out[64];
    double d;
    require(v->p >= text && v->n > 0 && v->p + v->n <= text + n);
    if (json_raw_text(v, out, sizeof out))
        require(v->kind == RAW_STRING && strlen(out) < sizeof out && strlen(out) <= v->n);
    if (json_raw_number(v, &d))
        require(v->kind == RAW_NUMBER && d == d);
}

static void check_members(const struct json_object *o, const char *text, size_t n) {
    const char *at = text;
    require(o->n <= JSON_SCAN_KEYS);
    for (size_t i = 0; i < o->n; i++) {
        const struct json_member *m = &o->item[i];
        require(m->key > at && m->key_len >= 2 && m->value.p > m->key + m->key_len - 1);
        check_raw(&m->value, text, n);
        json_key_is(m, "event");
        at = m->value.p + m->value.n - 1;
    }
}

/* The members alone, as they are sent on. */
static void check_again(const struct json_object *o) {
    static struct json_object again;
    static struct buf b;
    buf_clear(&b);
    buf_putc(&b, '{');
    for (size_t i = 0; i < o->n; i++) {
        const struct json_member *m = &o->item[i];
        buf_puts(&b, i ? "," : "");
        buf_put(&b, m->key, m->key_len);
        buf_putc(&b, ':');
        buf_put(&b, m->value.p, m->value.n);
    }
    buf_putc(&b, '}');
    require(json_scan(&again, (const char *)buf_data(&b), buf_len(&b), NULL) == 0);
    require(again.n == o->n);
    for (size_t i = 0; i < o->n; i++)
        require(again.item[i].value.n == o->item[i].value.n &&
                memcmp(again.item[i].value.p, o->item[i].value.p, o->item[i].value.n) == 0);
}

/* What jansson objects to although it is JSON: numbers beyond a double or 64 bits, half a pair of
 * surrogates, NUL, in keys even escaped. */
static bool jansson_may_object(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (text[i] == '\\' || text[i] == 'e' || text[i] == 'E')
            return true;
    size_t digits = 0;
    for (size_t i = 0; i < n; i++) {
        digits = text[i] >= '0' && text[i] <= '9' ? digits + 1 : 0;
        if (digits > 17)
            return true;
    }
    return false;
}

static void check_text(const char *text, size_t n) {
    static struct json_object o, inner;
    struct err e = {0};
    if (json_scan(&o, text, n, &e) < 0) {
        require(e.text[0] && o.n == 0);
        return;
    }
    check_members(&o, text, n);
    check_again(&o);
    const struct json_raw *data = json_get(&o, "data");
    if (data && data->kind == RAW_OBJECT && json_scan(&inner, data->p, data->n, &e) == 0)
        check_members(&inner, data->p, data->n);
    json_t *j = json_loadb(text, n, 0, NULL);
    require(j || jansson_may_object(text, n));
    json_decref(j);
}

static void check_picture(const uint8_t *p, size_t n) {
    unsigned width = 0, height = 0;
    if (cam_jpeg_size(p, n, &width, &height))
        require(n >= 11 && p[0] == 0xff && p[1] == 0xd8 && width < 65536 && height < 65536);
}

static const char *const members[] = {"\"event\":\"apriltag_data\"",
                                      "\"x_cm\":10.50",
                                      "\"y_cm\": -0",
                                      "\"z_cm\":null",
                                      "\"data\":{\"a\":[1,{},\"x\"],\"b\":true}",
                                      "\"\":\"\\u00e9\\n\"",
                                      "\"ev\\u0065nt\":1e5",
                                      "\"t\" : [ ]",
                                      "\"p\":\"\\ud83d\\ude00\"",
                                      "\"n\":[[[[-1.25]]]]",
                                      "\"k\":false"};

static void check_made(const uint8_t *data, size_t n) {
    static struct buf b;
    buf_clear(&b);
    buf_putc(&b, '{');
    for (size_t i = 0; i < n; i++) {
        buf_puts(&b, i ? "," : "");
        buf_puts(&b, members[(data[i] & 63) % (sizeof members / sizeof *members)]);
        if (data[i] >> 6 == 3 && i + 1 < n)
            buf_putc(&b, (char)data[++i]);
    }
    buf_putc(&b, '}');
    check_text((const char *)buf_data(&b), buf_len(&b));
}

/* A block of its own, so that AddressSanitizer sees a read past its end. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    uint8_t *block = malloc(n ? n : 1);
    memcpy(block, data, n);
    check_text((const char *)block, n);
    check_picture(block, n);
    check_made(block, n < 24 ? n : 24);
    free(block);
    return 0;
}
