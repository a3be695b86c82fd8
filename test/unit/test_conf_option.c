#include "conf_option.h"
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

static void read_file(struct conf *c, const char *text) {
    char path[64];
    struct err e = {0};
    snprintf(path, sizeof path, "/tmp/test_conf_option.%d", (int)getpid());
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
    if (conf_read(c, path, &e))
        test_fail(__FILE__, __LINE__, "%s", e.text);
    unlink(path);
}

static int read_one(const char *line, struct conf *c, struct conf_option *o, struct err *e) {
    char text[600];
    snprintf(text, sizeof text, "[pipeline]\n%s\n", line);
    read_file(c, text);
    CHECK_INT(c->vars.n, 1);
    return conf_option_read(c, &c->vars.entry[0], o, e);
}

static void check_option(const char *line, const char *name, char letter, const char *variable,
                         const char *text, const char *help) {
    struct conf c;
    struct conf_option o;
    struct err e = {0};
    if (read_one(line, &c, &o, &e))
        test_fail(__FILE__, __LINE__, "%s", e.text);
    CHECK_STR(o.name, name);
    CHECK_INT(o.letter, letter);
    CHECK_STR(o.variable, variable);
    CHECK_INT(o.flag, text != NULL);
    CHECK_STR(o.text, text ? text : "");
    CHECK_STR(o.help, help);
    conf_free(&c);
}

static void check_refused(const char *line, const char *why) {
    struct conf c;
    struct conf_option o;
    struct err e = {0};
    if (read_one(line, &c, &o, &e) != -1)
        test_fail(__FILE__, __LINE__, "accepted: %s", line);
    if (!strstr(e.text, why) || !strstr(e.text, ":2: option."))
        test_fail(__FILE__, __LINE__, "%s: error \"%s\" without \"%s\"", line, e.text, why);
    CHECK_INT(e.cause, CAUSE_USAGE);
    conf_free(&c);
}

TEST(options_that_take_a_value) {
    check_option("option.port = -p DEVICE serial port", "port", 'p', "DEVICE", NULL, "serial port");
    check_option("option.inputFile = -i  DUMP   play  FILE", "inputFile", 'i', "DUMP", NULL,
                 "play  FILE");
    check_option("option.a = -1 A", "a", '1', "A", NULL, "");
    check_option("option.use-dump-file=DUMP_FILE one\n  and two", "use-dump-file", 0, "DUMP_FILE",
                 NULL, "one and two");
}

TEST(flags) {
    check_option("option.debug = -d LOG=debug say more", "debug", 'd', "LOG", "debug", "say more");
    check_option("option.a = A=b=c", "a", 0, "A", "b=c", "");
    check_option("option.a = A= nothing", "a", 0, "A", "", "nothing");
}

TEST(what_is_no_option) {
    check_refused("option.help = A x", "not to be had");
    check_refused("option.version = A x", "not to be had");
    check_refused("option. = A x", "not to be had");
    check_refused("option.-x = A x", "not to be had");
    check_refused("option.no-x = A x", "not to be had");
    check_refused("option.a.b = A x", "not to be had");
    check_refused("option.a = -h A x", "letter or digit other than h");
    check_refused("option.a = -pA x", "letter or digit other than h");
    check_refused("option.a = -p", "letter or digit other than h");
    check_refused("option.a = - A", "letter or digit other than h");
    check_refused("option.a = -\xc3\xa4 A", "letter or digit other than h");
    check_refused("option.a =", "sets no variable");
    check_refused("option.a = -p ", "letter or digit other than h");
    check_refused("option.a = 1A x", "sets no variable");
    check_refused("option.a = A-B x", "sets no variable");
    check_refused("option.a = A=$B x", "sets no variable");
    check_refused("option.a = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA x",
                  "sets no variable");
    char line[300] = "option.a = A=";
    memset(line + 13, 'x', 180);
    check_option(line, "a", 0, "A", line + 13, "");
}

TEST(other_keys_are_no_options) {
    CHECK(!conf_option_name("DEVICE") && !conf_option_name("options") && !conf_option_name("open"));
    CHECK_STR(conf_option_name("option.x"), "x");
}

/* Nothing need be set, and an environment variable is none of an option's business. */
TEST(a_file_is_read_as_it_stands) {
    struct conf c;
    setenv("option.a", "from outside", 1);
    read_file(&c, "[pipeline]\noption.a = A x\nA = $T_NONE\n[s]\nonly_if = no\nrun = x $T_NONE\n");
    CHECK_INT(c.n, 1);
    CHECK_INT(c.absent, 0);
    CHECK_STR(c.vars.entry[0].raw, "A x");
    CHECK(!c.vars.entry[1].value && !c.section[0].entry[1].value);
    conf_free(&c);
    struct err e;
    CHECK_INT(conf_read(&c, "/nonexistent/x.conf", &e), -1);
    CHECK(!c.path);
}

TEST(a_comment_right_above_a_variable_is_its_note) {
    struct conf c;
    read_file(&c,
              "# the file\n[pipeline]\n# first \r\n#second\nA = 1\nB = 2\n# lost\n\nC = 3\n"
              "; other\nD = 4\n  # within\n  5\n#\nE = 5\n# last\n[s]\n# of a section\nrun = x\n");
    const struct conf_entry *v = c.vars.entry;
    CHECK_INT(c.vars.n, 5);
    CHECK_STR(v[0].note, "first second");
    CHECK(!v[1].note && !v[2].note && !v[3].note);
    CHECK_STR(v[4].note, "");
    CHECK(!c.section[0].entry[0].note);
    conf_free(&c);
}
