#include "conf.h"
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#include "buf.h"

/* Each test runs in a process of its own; its one file is named after that. */
static const char *path(void) {
    static char name[64];
    snprintf(name, sizeof name, "/tmp/test_conf.%d", (int)getpid());
    return name;
}

static void write_bytes(const char *text, size_t n) {
    FILE *f = fopen(path(), "w");
    CHECK(f && fwrite(text, 1, n, f) == n && fclose(f) == 0);
}

static int load_with(struct conf *c, const char *text, const struct conf_var *v, size_t n,
                     struct err *e) {
    write_bytes(text, strlen(text));
    int r = conf_load(c, path(), v, n, e);
    unlink(path());
    return r;
}

static void load(struct conf *c, const char *text) {
    struct err e = {0};
    if (load_with(c, text, NULL, 0, &e))
        test_fail(__FILE__, __LINE__, "%s", e.text);
}

static void check_text(const struct err *e, unsigned line, const char *why) {
    char want[100];
    snprintf(want, sizeof want, "%s:%u: ", path(), line);
    if (strncmp(e->text, want, strlen(want)) != 0 || !strstr(e->text, why))
        test_fail(__FILE__, __LINE__, "error \"%s\" without \"%s\" and \"%s\"", e->text, want, why);
    CHECK_INT(e->cause, CAUSE_USAGE);
    CHECK(!strpbrk(e->text, "\n\r\t\x1b"));
}

static void check_error(const char *text, unsigned line, const char *why) {
    struct conf c;
    struct err e = {0};
    if (load_with(&c, text, NULL, 0, &e) != -1)
        test_fail(__FILE__, __LINE__, "accepted: %s", text);
    CHECK(!c.section && !c.path && !c.n);
    check_text(&e, line, why);
}

static void check_value(const struct conf *c, const char *section, const char *key,
                        const char *want) {
    const struct conf_section *s = conf_find(c, section);
    CHECK(s);
    CHECK_STR(conf_get(s, key), want);
}

/* ---- the file ---- */

TEST(loads_sections_in_order) {
    struct conf c;
    load(&c, "# comment\n"
             "[pipeline]\n"
             "DEVICE = /dev/x\n"
             "\n"
             "[ serial ]   ; comment\n"
             "run = serialcat --device $DEVICE\n"
             "; comment\n"
             "restart: always ; comment\n"
             "env.A=a;b # c\n"
             "[empty]\r\n"
             "[decode]\r\n"
             "run = framedecode\r\n"
             "none =\r\n");
    CHECK_INT(c.n, 3);
    CHECK_STR(c.section[0].name, "serial");
    CHECK_STR(c.section[1].name, "empty");
    CHECK_STR(c.section[2].name, "decode");
    CHECK_INT(c.section[1].n, 0);
    CHECK_INT(c.section[0].n, 3);
    check_value(&c, "serial", "run", "serialcat --device $DEVICE");
    check_value(&c, "serial", "restart", "always");
    check_value(&c, "serial", "env.A", "a;b # c");
    check_value(&c, "decode", "run", "framedecode");
    check_value(&c, "decode", "none", "");
    CHECK_INT(c.vars.line, 2);
    CHECK_INT(conf_section_line(&c.section[0], NULL), 5);
    CHECK_INT(conf_section_line(&c.section[0], "restart"), 8);
    CHECK_INT(conf_section_line(&c.section[0], "missing"), 5);
    CHECK(!conf_get(&c.section[0], "missing") && !conf_find(&c, "pipeline"));
    conf_free(&c);
    conf_free(&c);
}

TEST(loads_an_empty_file_and_a_byte_order_mark) {
    struct conf c;
    load(&c, "");
    CHECK_INT(c.n, 0);
    conf_free(&c);
    load(&c, "\xef\xbb\xbf[a]\nb = 1");
    check_value(&c, "a", "b", "1");
    conf_free(&c);
}

TEST(continues_values_on_indented_lines) {
    struct conf c;
    load(&c, "[a]\n"
             "run = one   ; comment\n"
             "   --two   ; comment\n"
             "\n"
             "  # comment\n"
             "\t[three] = 3\n"
             "b =\n"
             "  first\n"
             "  second\n");
    CHECK_STR(c.section[0].entry[0].raw, "one --two [three] = 3");
    check_value(&c, "a", "b", "first second");
    CHECK_INT(conf_section_line(&c.section[0], "b"), 7);
    conf_free(&c);
}

TEST(holds_long_values_in_continued_lines) {
    struct buf b = {0}, want = {0};
    buf_puts(&b, "[a]\nv =");
    for (int i = 0; i < 40; i++) {
        char word[191];
        memset(word, 'a' + i % 26, sizeof word);
        word[190] = 0;
        buf_printf(&b, "\n  %s", word);
        buf_printf(&want, i ? " %s" : "%s", word);
    }
    buf_putc(&b, 0);
    buf_putc(&want, 0);
    struct conf c;
    load(&c, (char *)buf_data(&b));
    check_value(&c, "a", "v", (char *)buf_data(&want));
    conf_free(&c);
    b.end--;
    for (int i = 0; i < 100; i++)
        buf_printf(&b, "\n %0100d", 0);
    buf_putc(&b, 0);
    struct err e;
    CHECK_INT(load_with(&c, (char *)buf_data(&b), NULL, 0, &e), -1);
    CHECK(strstr(e.text, "too long"));
    buf_free(&b);
    buf_free(&want);
}

/* 150 to 450 bytes: inih reads 197 at most. */
TEST(a_line_is_as_long_as_it_likes) {
    for (size_t n = 150; n < 450; n++) {
        char value[451], text[3000];
        memset(value, 'x', n);
        value[n] = 0;
        value[n / 2] = '=';
        value[n / 3] = ' ';
        value[n / 4] = '#';
        snprintf(text, sizeof text,
                 "[a]\nk = %s \t\nz:%s ; note\n \t%s ;note\n#%s\n%*s\nlast = 1\n", value, value,
                 value, value, (int)n, "");
        struct conf c;
        load(&c, text);
        check_value(&c, "a", "k", value);
        snprintf(text, sizeof text, "%s %s", value, value);
        check_value(&c, "a", "z", text);
        check_value(&c, "a", "last", "1");
        CHECK_INT(c.section[0].n, 3);
        conf_free(&c);
    }
}

TEST(what_is_wrong_in_a_long_line_is_said) {
    char text[20000];
    snprintf(text, sizeof text, "[a]\n%0300d\n", 0);
    check_error(text, 2, "neither");
    snprintf(text, sizeof text, "[a]\n%0300d = 1\n", 0);
    check_error(text, 2, "neither");
    snprintf(text, sizeof text, "[a]\n%060d = %0300d\n", 0, 0);
    check_error(text, 2, "longer than 49");
    snprintf(text, sizeof text, "[a]\nk = %0*d\n", CONF_VALUE_MAX + 1, 0);
    check_error(text, 2, "too long");
    snprintf(text, sizeof text, "[a]%0300d\n", 0);
    check_error(text, 1, "text after ]");
    struct conf c;
    snprintf(text, sizeof text, "[a]\nx =\n [::]:1 %0300d\n", 0);
    load(&c, text);
    CHECK_INT(strlen(conf_get(&c.section[0], "x")), 307);
    conf_free(&c);
    snprintf(text, sizeof text, "[a] ;%0300d\nx = 1\n", 0);
    load(&c, text);
    check_value(&c, "a", "x", "1");
    conf_free(&c);
}

TEST(names_file_and_line_of_what_is_wrong) {
    check_error("a = 1\n", 1, "above the first section");
    check_error("[a]\nx = 1\n[b]\n[a]\n", 4, "first in line 1");
    check_error("[pipeline]\n[a]\n[pipeline]\n", 3, "first in line 1");
    check_error("[a]\nx = 1\ny = 2\nx = 3\n", 4, "first in line 2");
    check_error("[]\n", 1, "empty section name");
    check_error("[ ]\n", 1, "empty section name");
    check_error("[a\n", 1, "without ]");
    check_error("[a ;b]\n", 1, "no section name");
    check_error("[a/b]\n", 1, "no section name");
    check_error("[a] x = 1\n", 1, "text after ]");
    check_error("[a]\n= 1\n", 2, "empty key name");
    check_error("[a]\nx y = 1\n", 2, "no key name");
    check_error("[a]\nx\x1b[2J = 1\n", 2, "no key name");
    check_error("[a]\n--opt=1\n --more\n-x/y=2\n", 4, "continues a value");
    check_error("[a]\n\nnothing\nx = 1\n", 3, "neither");
    check_error("[a]\nnothing\n\n[a]\n", 2, "neither");
    check_error("[a]\nx = 1\n[a]\nnothing\n", 3, "first in line 1");
    check_error("[a]\n x = 1\n", 2, "no value above");
    check_error(" [a]\n", 1, "no value above");
    check_error("[pipeline]\nA.B = 1\n", 2, "no variable");
    check_error("[pipeline]\n1A = 1\n", 2, "no variable");
}

TEST(names_are_never_cut) {
    char text[200], name[51];
    memset(name, 'n', 50);
    name[50] = 0;
    struct conf c;
    snprintf(text, sizeof text, "[%.49s]\n%.49s = 1\n  2\n", name, name);
    load(&c, text);
    CHECK_INT(strlen(c.section[0].name), 49);
    CHECK_INT(strlen(c.section[0].entry[0].key), 49);
    CHECK_STR(c.section[0].entry[0].value, "1 2");
    conf_free(&c);
    snprintf(text, sizeof text, "[%s]\n", name);
    check_error(text, 1, "longer than 49");
    snprintf(text, sizeof text, "[a]\n%s = 1\n", name);
    check_error(text, 2, "longer than 49");
}

TEST(refuses_files_that_are_none) {
    struct conf c;
    struct err e = {0};
    CHECK_INT(conf_load(&c, "/nonexistent/x.conf", NULL, 0, &e), -1);
    CHECK_INT(e.cause, CAUSE_ABSENT);
    CHECK(strstr(e.text, "/nonexistent/x.conf"));
    CHECK_INT(conf_load(&c, "/tmp", NULL, 0, &e), -1);
    CHECK(strstr(e.text, "irectory"));
    write_bytes("[a]\nb\0 = 1\n", 11);
    CHECK_INT(conf_load(&c, path(), NULL, 0, &e), -1);
    CHECK(strstr(e.text, "NUL"));
    CHECK_INT(conf_load(&c, "/dev/zero", NULL, 0, &e), -1);
    CHECK_INT(e.cause, CAUSE_LIMIT);
    unlink(path());
}

TEST(bounds_sections_and_keys) {
    struct buf b = {0};
    for (int i = 0; i <= CONF_NAMES_MAX; i++)
        buf_printf(&b, "[s%d]\n", i);
    buf_putc(&b, 0);
    check_error((char *)buf_data(&b), CONF_NAMES_MAX + 1, "too many sections");
    buf_clear(&b);
    buf_puts(&b, "[a]\n");
    for (int i = 0; i <= CONF_NAMES_MAX; i++)
        buf_printf(&b, "k%d=\n", i);
    buf_putc(&b, 0);
    check_error((char *)buf_data(&b), CONF_NAMES_MAX + 2, "too many keys");
    buf_free(&b);
}

/* ---- variables ---- */

TEST(expands_variables_of_the_pipeline) {
    struct conf c;
    load(&c, "[pipeline]\n"
             "A = a\n"
             "B = ${A}b$A\n"
             "EMPTY =\n"
             "[s]\n"
             "v = $A-$B.${B}_$EMPTY$$A $${A}\n"
             "d = ${T_NONE:-def} ${T_NONE:-} ${EMPTY:-x} ${A:-y} ${T_NONE:-$A ${T_NONE:-${B}}}\n");
    check_value(&c, "s", "v", "a-aba.aba_$A ${A}");
    check_value(&c, "s", "d", "def  x a a aba");
    CHECK_STR(conf_variable(&c, "B"), "aba");
    CHECK(!conf_variable(&c, "T_NONE"));
    conf_free(&c);
}

TEST(a_text_is_there_when_its_variable_is) {
    struct conf c;
    load(&c, "[pipeline]\n"
             "A = a\n"
             "EMPTY =\n"
             "B = ${EMPTY:+b}${A:+<${A}>}\n"
             "[s]\n"
             "v = ${A:+x $B}|${EMPTY:+$T_NONE}|${T_NONE:+x}|${A:+}|${A:+${EMPTY:-$A}}\n");
    check_value(&c, "s", "v", "x <a>||||a");
    conf_free(&c);
}

static const char precedence[] = "[pipeline]\n"
                                 "T_PLAIN = file\n"
                                 "T_SELF = ${T_SELF:-file}\n"
                                 "T_WRAP = <${T_WRAP:-none}>\n"
                                 "T_AFTER = $T_SELF\n"
                                 "[s]\n"
                                 "v = $T_PLAIN $T_SELF $T_WRAP $T_AFTER\n";

static void check_precedence(const struct conf_var *v, size_t n, const char *want) {
    struct conf c;
    struct err e = {0};
    CHECK_INT(load_with(&c, precedence, v, n, &e), 0);
    check_value(&c, "s", "v", want);
    conf_free(&c);
}

TEST(command_line_beats_environment_beats_file) {
    static const struct conf_var line[] = {{"T_PLAIN", "line"}, {"T_SELF", "line"}},
                                 empty[] = {{"T_PLAIN", ""}, {"T_SELF", ""}},
                                 twice[] = {{"T_SELF", "first"}, {"T_SELF", "last"}};
    check_precedence(NULL, 0, "file file <none> file");
    check_precedence(line, 2, "line line <none> line");
    check_precedence(empty, 2, " file <none> file");
    check_precedence(twice, 2, "file last <none> last");
    setenv("T_PLAIN", "env", 1);
    setenv("T_SELF", "env", 1);
    setenv("T_WRAP", "env", 1);
    check_precedence(NULL, 0, "env env <env> env");
    check_precedence(line, 2, "line line <env> line");
}

TEST(values_from_outside_are_not_expanded_again) {
    static const struct conf_var v[] = {{"T_A", "$T_B ${T_C} $$ 'x' | y"}};
    struct conf c;
    struct err e;
    CHECK_INT(load_with(&c, "[s]\nv = $T_A\n", v, 1, &e), 0);
    check_value(&c, "s", "v", "$T_B ${T_C} $$ 'x' | y");
    conf_free(&c);
}

TEST(a_variable_that_is_not_set_is_an_error) {
    check_error("[s]\n\nv = a$T_NONE\n", 3, "$T_NONE is not set (give T_NONE=VALUE");
    check_error("[s]\nv = ${T_NONE}\n", 2, "$T_NONE is not set");
    check_error("[pipeline]\nA = $B\nB = 1\n", 2, "$B is not set");
    check_error("[pipeline]\nT_OWN = $T_OWN\n", 2, "$T_OWN is not set");
    check_error("[s]\nv = ${T_NONE:-$T_OTHER}\n", 2, "$T_OTHER is not set");
}

TEST(what_looks_like_a_variable_must_be_one) {
    static const char *const bad[] = {"$",      "$1",     "a$ b",    "$(x)",   "${}",
                                      "${A",    "${A-b}", "${A:=b}", "${1}",   "${A:-${B}",
                                      "${A b}", "${:-x}", "${A:+b",  "${A+b}", "${:+b}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[60];
        snprintf(text, sizeof text, "[pipeline]\nA = 1\nB = 1\n[s]\nv = %s\n", bad[i]);
        check_error(text, 5, "is no variable");
    }
}

TEST(bounds_expanded_values_and_nested_defaults) {
    struct buf b = {0};
    buf_puts(&b, "[pipeline]\nV0 = 0123456789\n");
    for (int i = 1; i < 40; i++)
        buf_printf(&b, "V%d = $V%d$V%d\n", i, i - 1, i - 1);
    buf_putc(&b, 0);
    check_error((char *)buf_data(&b), 12, "more than 8192 bytes");
    check_error("[s]\nv = ${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-x}}}}}}}}}\n", 2,
                "in each other");
    buf_free(&b);
}

/* ---- sections that are not there ---- */

static const char optional[] = "[pipeline]\n"
                               "T_SIM = ${T_SIM:-}\n"
                               "[one]\n"
                               "run = one\n"
                               "[sim]\n"
                               "only_if = $T_SIM\n"
                               "run = sim $T_NONE\n"
                               "dir = ${T_SIM:+/}\n"
                               "env.X = ${T_SIM:+$T_MUST}\n"
                               "[always]\n"
                               "only_if = yes\n"
                               "[two]\n"
                               "only_if = ${T_SIM:-$T_SIM}\n"
                               "bad = $T_NOWHERE\n"
                               "[last]\n"
                               "run = last\n";

TEST(sections_are_there_only_if) {
    static const char *const no[] = {"", "no", "0", "No", "false", "off"};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        struct conf c;
        struct err e = {0};
        struct conf_var v = {"T_SIM", no[i]};
        if (load_with(&c, optional, &v, 1, &e))
            test_fail(__FILE__, __LINE__, "%s", e.text);
        CHECK_INT(c.n, 3);
        CHECK_INT(c.absent, 2);
        CHECK_STR(c.section[0].name, "one");
        CHECK_STR(c.section[1].name, "always");
        CHECK_STR(c.section[2].name, "last");
        CHECK(!conf_find(&c, "sim") && !conf_find(&c, "two"));
        CHECK(!c.section[2].absent && c.section[3].absent && c.section[4].absent);
        conf_free(&c);
    }
}

TEST(sections_that_are_there_are_as_any_other) {
    static const struct conf_var v[] = {{"T_SIM", "file.bin"}, {"T_MUST", "1"}, {"T_NOWHERE", "2"}};
    struct conf c;
    struct err e = {0};
    CHECK_INT(load_with(&c, optional, v, 3, &e), 0);
    CHECK_INT(c.n, 5);
    CHECK_INT(c.absent, 0);
    CHECK_STR(c.section[1].name, "sim");
    check_value(&c, "sim", "only_if", "file.bin");
    check_value(&c, "sim", "dir", "/");
    conf_free(&c);
    CHECK_INT(load_with(&c, optional, v, 1, &e), -1);
    check_text(&e, 9, "$T_MUST is not set");
    check_error("[s]\nonly_if = $T_NONE\n", 2, "$T_NONE is not set");
}

/* ---- run lines ---- */

static void check_run(const struct conf *c, const char *const *want, size_t n) {
    struct conf_argv a;
    struct err e = {0};
    if (conf_run(c, &c->section[0], &a, &e))
        test_fail(__FILE__, __LINE__, "%s", e.text);
    size_t at = 0;
    for (size_t i = 0; i < a.n; i++) {
        for (size_t k = 0; k < a.cmd[i].argc; k++, at++) {
            CHECK(at < n);
            CHECK_STR(a.cmd[i].argv[k], want[at]);
        }
        CHECK(a.cmd[i].argv[a.cmd[i].argc] == NULL);
    }
    CHECK_INT(at, n);
    conf_argv_free(&a);
}

TEST(run_lines_split_before_they_expand) {
    struct conf c;
    setenv("T_TRICKY", "a b | 'c' $T_NONE \\", 1);
    load(&c, "[pipeline]\n"
             "DEVICE = ${DEVICE:-/dev/ttyACM0}\n"
             "EMPTY =\n"
             "[s]\n"
             "run = serialcat --device $DEVICE 'single $DEVICE $$' \"double $DEVICE $$\" \\$x\n"
             "    $T_TRICKY x${T_TRICKY}x $EMPTY \"${T_NONE:-a b}\" |\n"
             "    next -o s\n");
    const char *want[] = {"serialcat",
                          "--device",
                          "/dev/ttyACM0",
                          "single $DEVICE $$",
                          "double /dev/ttyACM0 $",
                          "$x",
                          "a b | 'c' $T_NONE \\",
                          "xa b | 'c' $T_NONE \\x",
                          "",
                          "a b",
                          "next",
                          "-o",
                          "s"};
    check_run(&c, want, sizeof want / sizeof *want);
    conf_free(&c);
}

static void check_optional(const char *set, const char *const *want, size_t n) {
    struct conf c;
    struct conf_var v = {"T_MORE", set};
    struct err e = {0};
    CHECK_INT(load_with(&c,
                        "[s]\nrun = a ${T_MORE:+-i more} ${T_MORE:+$T_MORE}\n"
                        "  \"${T_MORE:+x y}\" -${T_MORE:+z} | b ${T_MORE:+${T_NONE:-}}\n",
                        &v, 1, &e),
              0);
    check_run(&c, want, n);
    conf_free(&c);
}

TEST(words_that_are_nothing_fade) {
    static const char *const with[] = {"a", "-i", "more", "p q", "x y", "-z", "b"};
    static const char *const without[] = {"a", "", "-", "b"};
    check_optional("p q", with, 7);
    check_optional("", without, 4);
}

static void check_bad_run(const char *text, unsigned line, const char *why) {
    struct conf c;
    struct err e = {0};
    struct conf_argv a;
    load(&c, text);
    CHECK_INT(conf_run(&c, &c.section[0], &a, &e), -1);
    CHECK(a.n == 0 && !a.cmd);
    check_text(&e, line, why);
    conf_free(&c);
}

TEST(errors_of_run_lines_name_their_place) {
    check_bad_run("[s]\nrestart = no\n", 1, "[s] has no run line");
    check_bad_run("[s]\n\nrun = a > b\n", 3, "run: > has a meaning");
    check_bad_run("[s]\nrun = sh -c 'a ; b'\n", 2, "\" ;\" begins a comment");
    check_bad_run("[s]\nrun = a $T_NONE\n", 2, "$T_NONE is not set");
    check_bad_run("[s]\nrun = a ${T_NONE-x}\n", 2, "is no variable");
    check_bad_run("[s]\nrun =\n", 2, "no command");
    check_bad_run("[s]\nrun = a | ${T_NONE:+b c}\n", 2, "no command is left");
    check_bad_run("[s]\nrun = a ${HOME:+b $T_NONE c} d\n", 2, "$T_NONE is not set");
}

TEST(random_files_never_crash) {
    static const char bytes[] = "[]ab=: ;#$\n\n\n\t{}'|+:";
    unsigned seed = 1;
    for (int i = 0; i < 3000; i++) {
        char text[40] = "[a]\n";
        for (size_t k = i % 2 ? 4 : 0; k < sizeof text - 1; k++) {
            seed = seed * 1103515245 + 12345;
            text[k] = bytes[(seed >> 16) % (sizeof bytes - 1)];
        }
        struct conf c;
        struct err e = {0};
        if (load_with(&c, text, NULL, 0, &e) == 0)
            conf_free(&c);
        else
            CHECK(e.cause == CAUSE_USAGE && strstr(e.text, path()));
    }
}

TEST(random_run_lines_never_crash) {
    static const char bytes[] = "${}${:+A} :-T_NONE|\"'";
    unsigned seed = 2;
    setenv("A", "a b", 1);
    for (int i = 0; i < 3000; i++) {
        char text[48] = "[a]\nrun = x ${A:+-i ";
        for (size_t k = i % 2 ? 12 : 20; k < sizeof text - 1; k++) {
            seed = seed * 1103515245 + 12345;
            text[k] = bytes[(seed >> 16) % (sizeof bytes - 1)];
        }
        struct conf c;
        struct conf_argv a;
        struct err e = {0};
        load(&c, text);
        if (conf_run(&c, &c.section[0], &a, &e))
            check_text(&e, 2, "");
        conf_argv_free(&a);
        conf_free(&c);
    }
}
