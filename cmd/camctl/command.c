#include "command.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"

static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || c == '_';
}

/* 1.0 and not 1, as the camera programs' own help writes it. */
static bool put_number(struct buf *b, const char *name, size_t n, const struct command_values *v) {
    const struct camsettings *s = &v->settings;
    const struct {
        const char *name;
        double value;
        char how; /* d whole, 2 two decimals, r as short as can be */
    } all[] = {{"shutter", s->shutter_us, 'd'},  {"gain", s->gain, 'd'},
               {"awb_red", s->awb_red, '2'},     {"awb_blue", s->awb_blue, '2'},
               {"contrast", s->contrast, 'r'},   {"brightness", s->brightness, 'r'},
               {"width", (double)v->width, 'd'}, {"height", (double)v->height, 'd'},
               {"fps", (double)v->fps, 'd'},     {"preview_step", (double)v->preview_step, 'd'}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strncmp(all[i].name, name, n) != 0 || all[i].name[n])
            continue;
        if (all[i].how == 'r')
            json_put_double(b, all[i].value);
        else
            buf_printf(b, all[i].how == 'd' ? "%.0f" : "%.2f", all[i].value);
        return true;
    }
    return false;
}

static bool put_value(struct buf *b, const char *name, size_t n, const struct command_values *v) {
    if (n == 3 && memcmp(name, "url", 3) == 0)
        buf_puts(b, v->url);
    else if (n == 6 && memcmp(name, "camera", 6) == 0)
        buf_puts(b, v->camera);
    else if (n == 4 && memcmp(name, "size", 4) == 0)
        buf_printf(b, "%dx%d", (int)v->width, (int)v->height);
    else
        return put_number(b, name, n, v);
    return true;
}

/* One word; a dollar is doubled in what conf_split gives. */
static int put_word(struct buf *b, const char *w, const struct command_values *v, struct err *e) {
    while (*w) {
        size_t n = 0;
        if (w[0] == '$' && w[1] != '$')
            return err_set(e, CAUSE_USAGE,
                           "there are no variables with $ (%%shutter and the like)");
        if ((w[0] == '$' || w[0] == '%') && w[1] == w[0])
            w++;
        else if (w[0] == '%') {
            while (is_name(w[1 + n]))
                n++;
            if (!put_value(b, w + 1, n, v))
                return err_set(e, CAUSE_USAGE, "unknown value %.*s (a percent sign is %%%%)",
                               (int)n + 1, w);
            w += 1 + n;
            continue;
        }
        buf_putc(b, *w++);
    }
    return 0;
}

static int fill(struct conf_cmd *c, const struct command_values *v, struct err *e) {
    struct buf b = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < c->argc; i++) {
        r = put_word(&b, c->argv[i], v, e);
        buf_putc(&b, 0);
        if (r == 0 && buf_len(&b) > COMMAND_WORD)
            r = err_set(e, CAUSE_LIMIT, "a word of more than %d bytes", COMMAND_WORD);
        free(c->argv[i]);
        c->argv[i] = mem_strdup((const char *)buf_data(&b));
        buf_clear(&b);
    }
    buf_free(&b);
    return r;
}

int command_make(const char *text, const struct command_values *v, struct conf_argv *out,
                 struct err *e) {
    if (conf_split(text, out, e) < 0)
        return -1;
    int r = out->n == 1 ? fill(&out->cmd[0], v, e)
                        : err_set(e, CAUSE_USAGE,
                                  "one program, without | (what it writes is taken "
                                  "from its standard output)");
    if (r < 0)
        conf_argv_free(out);
    return r;
}

static size_t login_len(const char *p, const char *end) {
    const char *at = NULL;
    for (const char *c = p; c < end && !strchr("/ '\"", *c); c++)
        at = *c == '@' ? c + 1 : at;
    return at ? (size_t)(at - p) : 0;
}

size_t command_hide_logins(char *text, size_t n) {
    size_t out = 0;
    for (size_t i = 0; i < n; i++) {
        text[out++] = text[i];
        if (out >= 3 && memcmp(text + out - 3, "://", 3) == 0)
            i += login_len(text + i + 1, text + n);
    }
    return out;
}

int command_check(const char *text, const char *option, struct err *e) {
    static const struct command_values some = {.url = "", .camera = "camera"};
    struct conf_argv a;
    struct err why;
    if (command_make(text, &some, &a, &why) < 0)
        return err_set(e, CAUSE_USAGE, "%s \"%.100s\": %.150s", option, text, why.text);
    conf_argv_free(&a);
    return 0;
}
