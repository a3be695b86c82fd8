#include "words.h"
#include "test.h"

#include <stdlib.h>

#include "buf.h"

/* Words between <>, those that fade between (), commands between |, so that a table can hold the
 * result. */
static char *shown(const struct conf_argv *a) {
    struct buf b = {0};
    for (size_t i = 0; i < a->n; i++) {
        buf_puts(&b, i ? "|" : "");
        for (size_t k = 0; k < a->cmd[i].argc; k++)
            buf_printf(&b, a->cmd[i].fades[k] ? "(%s)" : "<%s>", a->cmd[i].argv[k]);
        CHECK(a->cmd[i].argv[a->cmd[i].argc] == NULL);
    }
    buf_putc(&b, 0);
    return (char *)buf_data(&b);
}

static void check_split(const char *line, const char *want) {
    struct conf_argv a;
    struct err e = {0};
    if (conf_split(line, &a, &e))
        test_fail(__FILE__, __LINE__, "%s: %s", line, e.text);
    char *got = shown(&a);
    CHECK_STR(got, want);
    free(got);
    conf_argv_free(&a);
}

static void check_refused(const char *line, const char *why) {
    struct conf_argv a;
    struct err e = {0};
    if (conf_split(line, &a, &e) != -1)
        test_fail(__FILE__, __LINE__, "accepted: %s", line);
    CHECK(a.n == 0 && a.cmd == NULL);
    CHECK_INT(e.cause, CAUSE_USAGE);
    if (!strstr(e.text, why))
        test_fail(__FILE__, __LINE__, "%s: error \"%s\" without \"%s\"", line, e.text, why);
}

TEST(splits_plain_words) {
    check_split("a", "<a>");
    check_split("  serialcat\t--baud 115200  -o  - ", "<serialcat><--baud><115200><-o><->");
    check_split("x a=b --c=d,e:f@g%h+i/j^k !l m! n~ o#p ]",
                "<x><a=b><--c=d,e:f@g%h+i/j^k><!l><m!><n~><o#p><]>");
    check_split("x \xc3\xa4\xf0\x9f\x98\x80", "<x><\xc3\xa4\xf0\x9f\x98\x80>");
}

TEST(words_of_a_text_that_may_be_left_out) {
    check_split("x ${A:+-i name}", "<x>(${A:+-i})(${A:+name})");
    check_split("x ${A:+ -i  $B${C} }|y", "<x>(${A:+-i})(${A:+$B${C}})|<y>");
    check_split("x ${A:+} ${A:+  } y", "<x><y>");
    check_split("x ${A:+-v}${B:+-w}", "<x>(${A:+-v}${B:+-w})");
    check_split("x -${A:+v} ${A:+v}= ${A:+v}$B", "<x><-${A:+v}><${A:+v}=><${A:+v}${B}>");
    check_split("x \"${A:+-i name}\" \"\"${A:+v}", "<x><${A:+-i name}><${A:+v}>");
    check_split("x ${A:+${B:-b} ${B:+$C}}", "<x>(${A:+${B:-b}})(${A:+${B:+$C}})");
    check_refused("x a${A:+b c}", "quote it");
    check_refused("x ${A:+b c}d", "quote it");
    check_refused("x ${A:+b ${B:-c d}}", "quote it");
    check_refused("x ${A:+*}", "quote it");
    check_refused("x ${A:+'b c'}", "quote around it");
    check_refused("x ${A:+b", "not closed");
    check_refused("${A:+ }", "no command");
}

TEST(splits_quoted_words) {
    check_split("x 'a b' \"c d\"", "<x><a b><c d>");
    check_split("x '' \"\" ''\"\"", "<x><><><>");
    check_split("x a'b c'd\"e f\"g\\ h", "<x><ab cde fg h>");
    check_split("x '\"' \"'\" '\\'", "<x><\"><'><\\>");
    check_split("x \"\\\" \\\\ \\` \\n\"", "<x><\" \\ ` \\n>");
    check_split("x \\\\ \\| \\' \\\" \\> \\* \\~ \\#", "<x><\\><|><'><\"><>><*><~><#>");
    check_split("x '> < ; & ( ) ` * ? [ { } ~ # | !'", "<x><> < ; & ( ) ` * ? [ { } ~ # | !>");
    check_split("x \"> < ; & ( ) * ? [ { } ~ # | !\"", "<x><> < ; & ( ) * ? [ { } ~ # | !>");
    check_split("x '1\n2'", "<x><1\n2>");
    check_split("'A'=b", "<A=b>");
}

TEST(splits_commands_at_pipes) {
    check_split("a | b", "<a>|<b>");
    check_split("a|b -c|d", "<a>|<b><-c>|<d>");
    check_split("a '|' b", "<a><|><b>");
    check_split("a x'y'|b", "<a><xy>|<b>");
}

TEST(keeps_variables_as_templates) {
    check_split("x $A-b $A_b1 \"$A\"b ${A}b", "<x><${A}-b><${A_b1}><${A}b><${A}b>");
    check_split("x ${A:-b} \"${A:-b c}\" ${A:-${B:-d}}", "<x><${A:-b}><${A:-b c}><${A:-${B:-d}}>");
    check_split("x '$A' \\$A \"\\$A\" $$ \"$$\"", "<x><$$A><$$A><$$A><$$><$$>");
    check_split("x 'a$'", "<x><a$$>");
    check_split("$A b", "<${A}><b>");
}

TEST(refuses_what_a_shell_would_interpret) {
    static const char *const signs[] = {">", "<", ";", "&", "(", ")", "`", "*", "?", "[", "{", "}"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        char line[20], why[20];
        snprintf(why, sizeof why, "quote it: '%s'", signs[i]);
        snprintf(line, sizeof line, "x a%s", signs[i]);
        check_refused(line, why);
        snprintf(line, sizeof line, "x %s", signs[i]);
        check_refused(line, why);
    }
    check_refused("x 2>&1", "'>'");
    check_refused("a && b", "'&'");
    check_refused("x ~/file", "'~'");
    check_refused("x #no", "'#'");
    check_refused("! x", "'!'");
    check_refused("x \"`y`\"", "'`'");
    check_refused("x $(y)", "$");
    check_refused("x \"$(y)\"", "$");
    check_refused("x $1", "$");
    check_refused("x $", "$");
    check_refused("x \"a$\"", "$");
    check_refused("x $'a'", "$");
    check_refused("A=b x", "env.A");
    check_refused("a | A= x", "env.A");
    check_refused("x a\nb", "line break");
}

TEST(refuses_what_is_incomplete) {
    check_refused("", "no command");
    check_refused(" \t", "no command");
    check_refused("|", "no command");
    check_refused("a |", "one side of |");
    check_refused("| a", "one side of |");
    check_refused("a || b", "one side of |");
    check_refused("x 'a", "' is not closed");
    check_refused("x \"a", "\" is not closed");
    check_refused("x \"a\\", "\" is not closed");
    check_refused("x a\\", "end of a line");
    check_refused("x ${A", "${ is not closed");
}

TEST(refuses_defaults_that_a_shell_would_take_apart) {
    check_refused("x ${A:-b c}", "quote it: \"${A:-b c}\"");
    check_refused("x ${A:-*}", "quote it");
    check_refused("x ${A:-~}", "quote it");
    check_refused("x ${A:-'b'}", "quote");
    check_refused("x \"${A:-\"b\"}\"", "quote");
    check_refused("x ${A:-`b`}", "quote");
}

TEST(bounds_the_words) {
    struct buf b = {0};
    for (int i = 0; i < CONF_WORDS_MAX; i++)
        buf_puts(&b, "a ");
    buf_putc(&b, 0);
    struct conf_argv a;
    struct err e;
    CHECK_INT(conf_split((char *)buf_data(&b), &a, &e), 0);
    CHECK_INT(a.cmd[0].argc, CONF_WORDS_MAX);
    conf_argv_free(&a);
    b.end--;
    buf_puts(&b, "a");
    buf_putc(&b, 0);
    CHECK_INT(conf_split((char *)buf_data(&b), &a, &e), -1);
    CHECK_INT(e.cause, CAUSE_LIMIT);
    buf_free(&b);
}

/* Every short line of these bytes: either refused or split, never a crash or a leak. */
TEST(survives_any_short_line) {
    static const char bytes[] = "aA'\"\\|${}:- =~";
    enum { KINDS = sizeof bytes - 1, LENGTH = 4 };
    for (int n = 0; n < KINDS * KINDS * KINDS * KINDS; n++) {
        char *line = calloc(1, LENGTH + 1);
        for (int i = 0, k = n; i < LENGTH; i++, k /= KINDS)
            line[i] = bytes[k % KINDS];
        struct conf_argv a;
        struct err e;
        if (conf_split(line, &a, &e) == 0)
            CHECK(a.n >= 1 && a.cmd[0].argc >= 1);
        conf_argv_free(&a);
        free(line);
    }
}
