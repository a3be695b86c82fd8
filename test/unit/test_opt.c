#include <stdlib.h>
#include <unistd.h>

#include "opt.h"
#include "test.h"

static bool flag;
static bool on = true;
static int count;
static const char *text;
static int64_t number = 7, duration = 1500, size = 64 << 10;
static struct opt_list list;

static const struct opt options[] = {
    {"flag", 'f', OPT_FLAG, &flag, NULL, "a flag", 0, 0},
    {"on", 0, OPT_FLAG, &on, NULL, "another", 0, 0},
    {"count", 'c', OPT_COUNT, &count, NULL, "counts", 0, 0},
    {"text", 't', OPT_TEXT, &text, "TEXT", "a text", 0, 0},
    {"number", 'n', OPT_INT, &number, "N", "a number", -5, 10},
    {"wait", 0, OPT_DURATION, &duration, "TIME", "a duration", 100, 60000},
    {"size", 0, OPT_SIZE, &size, "SIZE", "a size", 0, 0},
    {"item", 'i', OPT_LIST, &list, "ITEM", "a list", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};
static const struct opt_program program = {
    .name = "prog", .summary = "does it", .synopsis = "FILE", .tables = {options}};

static char said[4096];
static char *args[64];
static int operands;

/* Parse a line of words; what it prints (either way) is in `said`. */
static int parse(const char *line) {
    static char words[1024];
    int argc = 0, p[2];
    snprintf(words, sizeof words, "%s", line);
    args[argc++] = "prog";
    for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
        args[argc++] = strcmp(w, "''") == 0 ? "" : w;
    fflush(stdout);
    if (pipe(p) < 0)
        abort();
    int out = dup(1), err = dup(2);
    dup2(p[1], 1);
    dup2(p[1], 2);
    close(p[1]);
    int status = opt_parse(&program, argc, args, &operands);
    fflush(stdout);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    ssize_t n = read(p[0], said, sizeof said - 1);
    said[n < 0 ? 0 : n] = 0;
    close(p[0]);
    return status;
}

static void refused(const char *line, const char *why) {
    if (parse(line) != 2 || !strstr(said, why))
        test_fail(__FILE__, __LINE__, "\"%s\" says: %s, want: %s", line, said, why);
    CHECK(strchr(said, '\n') == said + strlen(said) - 1); /* one line */
}

TEST(every_kind_and_both_spellings) {
    CHECK_INT(parse("-f --no-on -cc --text=a=b --number -3 --wait 2s --size 1k -i x --item=y"), -1);
    CHECK(flag && !on);
    CHECK_INT(count, 2);
    CHECK_STR(text, "a=b");
    CHECK_INT(number, -3);
    CHECK_INT(duration, 2000);
    CHECK_INT(size, 1024);
    CHECK_INT(list.n, 2);
    CHECK_STR(list.item[0], "x");
    CHECK_STR(list.item[1], "y");
    CHECK_INT(operands, 0);
}

TEST(joined_letters_and_values) {
    CHECK_INT(parse("-fcctrest -n5"), -1);
    CHECK(flag);
    CHECK_INT(count, 2);
    CHECK_STR(text, "rest");
    CHECK_INT(number, 5);
}

TEST(operands_between_options_and_after_two_dashes) {
    CHECK_INT(parse("one -f - --text --help two -- -c --flag"), -1);
    CHECK_INT(operands, 5);
    CHECK_STR(args[1], "one");
    CHECK_STR(args[2], "-");
    CHECK_STR(args[3], "two");
    CHECK_STR(args[4], "-c");
    CHECK_STR(args[5], "--flag");
    CHECK_STR(text, "--help"); /* the value of --text, not a request for help */
    CHECK_INT(count, 0);
}

static int first_operand(const char *line) {
    int argc = 0;
    char *argv[16], words[200];
    snprintf(words, sizeof words, "%s", line);
    argv[argc++] = "prog";
    for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    return opt_first_operand(&program, argc, argv);
}

TEST(the_first_operand_is_found_before_parsing) {
    CHECK_INT(first_operand("FILE -f"), 1);
    CHECK_INT(first_operand("-f FILE x"), 2);
    CHECK_INT(first_operand("-t value FILE"), 3);
    CHECK_INT(first_operand("-tvalue --text=v --text v -cft v FILE"), 7);
    CHECK_INT(first_operand("--unknown -x -fx FILE"), 4);
    CHECK_INT(first_operand("- FILE"), 1);
    CHECK_INT(first_operand("-f -- -FILE"), 3);
    CHECK_INT(first_operand("-f --"), 3);
    CHECK_INT(first_operand("-f -t"), 3);
    CHECK_INT(first_operand("-f"), 2);
    CHECK_INT(first_operand(""), 1);
}

TEST(a_flag_may_be_given_a_word) {
    CHECK_INT(parse("--flag=Yes --on=no"), -1);
    CHECK(flag && !on);
}

TEST(empty_values_are_values) {
    CHECK_INT(parse("--text= -i ''"), -1);
    CHECK_STR(text, "");
    CHECK_STR(list.item[0], "");
    refused("--number=", "\"\" is not a whole number");
}

TEST(refusals_name_option_and_value) {
    refused("--nope", "prog: unknown option --nope (see prog --help)");
    refused("-fx", "unknown option -x");
    refused("--no-text", "unknown option --no-text");
    refused("--no-", "unknown option --no-");
    refused("--=x", "unknown option --=x");
    refused("--no-flag=1", "unknown option");
    refused("--flag=maybe", "--flag=maybe: must be yes or no");
    refused("--count=1", "--count takes no value");
    refused("--text", "--text needs a value TEXT");
    refused("-t", "-t needs a value TEXT");
    refused("--number=ten", "--number: \"ten\" is not a whole number");
    refused("--number=11", "--number: 11 is out of range (-5 to 10)");
    refused("--wait=1h", "--wait: 1h is out of range (100ms to 60000ms)");
    refused("--size=-1", "--size: -1 is too small, at least 0");
}

TEST(a_list_is_bounded) {
    char line[1024] = "";
    for (int i = 0; i < OPT_LIST_MAX; i++)
        strcat(line, "-i x ");
    memset(args, 0, sizeof args);
    for (int i = 0; i < OPT_LIST_MAX; i++)
        list.item[list.n++] = "x";
    refused("-i x", "given more than 64 times");
}

static int64_t value(enum opt_kind kind, const char *s) {
    struct err e;
    int64_t v = -999;
    CHECK_INT(opt_number(kind, s, &v, &e), 0);
    return v;
}

TEST(numbers_with_units) {
    CHECK_INT(value(OPT_DURATION, "5"), 5000);
    CHECK_INT(value(OPT_DURATION, "250ms"), 250);
    CHECK_INT(value(OPT_DURATION, "0.5s"), 500);
    CHECK_INT(value(OPT_DURATION, "2m"), 120000);
    CHECK_INT(value(OPT_DURATION, "1h"), 3600000);
    CHECK_INT(value(OPT_SIZE, "4096"), 4096);
    CHECK_INT(value(OPT_SIZE, "1.5k"), 1536);
    CHECK_INT(value(OPT_SIZE, "2G"), 2LL << 30);
    CHECK_INT(value(OPT_INT, "-9223372036854775808"), INT64_MIN);
}

TEST(what_is_no_number) {
    static const char *const bad[] = {"",     " 5",    "\v5",  "5 ",   "5x",  "1e400",
                                      "nan",  "inf",   "-inf", "s",    "5 s", "--5",
                                      "1e18", "9e15G", "5S",   "5sec", "1,5", "5ms5"};
    struct err e;
    int64_t v = 42;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (opt_number(OPT_DURATION, bad[i], &v, &e) == 0)
            test_fail(__FILE__, __LINE__, "\"%s\" taken as %lld", bad[i], (long long)v);
    CHECK_INT(opt_number(OPT_INT, "9223372036854775808", &v, &e), -1);
    CHECK_INT(opt_number(OPT_INT, "1.5", &v, &e), -1);
    CHECK_INT(opt_number(OPT_INT, "0x10", &v, &e), -1);
    CHECK_STR(e.text, "\"0x10\" is not a whole number");
}

TEST(help_shows_defaults_and_version_the_name) {
    CHECK_INT(parse("--help"), 0);
    CHECK(strstr(said, "usage: prog [OPTION]... FILE\n"));
    CHECK(strstr(said, "-n, --number N"));
    CHECK(strstr(said, "a number [7]"));
    CHECK(strstr(said, "a duration [1500ms]"));
    CHECK(strstr(said, "a size [64k]"));
    CHECK(strstr(said, "another [yes; --on=no or --no-on turns it off]"));
    CHECK(strstr(said, "--version"));
    CHECK_INT(parse("-fh"), 0);
    CHECK(strstr(said, "usage: prog"));
    CHECK_INT(parse("-x --help"), 2); /* in order: the first thing wrong counts */
    CHECK_INT(parse("--version"), 0);
    CHECK_STR(said, "prog (tapline) " TAPLINE_VERSION "\n");
}

TEST(page_and_completion_list_every_option) {
    CHECK_INT(parse("--help=words"), 0);
    CHECK_STR(said, "-f --flag --on -c --count -t --text -n --number --wait --size -i --item -h "
                    "--help --version \n");
    CHECK_INT(parse("--help=man"), 0);
    CHECK(strstr(said, ".TH \"tapline-prog\" 1"));
    CHECK(strstr(said, "\ntapline\\-prog \\- does it\n"));
    CHECK(strstr(said, ".B tapline prog\n[OPTION]... FILE\n"));
    CHECK(strstr(said, ".B \\-n, \\-\\-number N\n"));
}
