#include "secret.h"

#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static const char *write_file(const char *text) {
    static char path[] = "/tmp/tl.secret.XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    return path;
}

static bool is(const struct secret *s, const char *given) {
    return secret_is(s, given, strlen(given));
}

TEST(the_first_line_of_a_file_without_blanks_around_it) {
    struct secret s;
    const char *file = write_file("  one two\t\r\nthree\n");
    CHECK_INT(secret_load(&s, file, NULL, "the token", 1, NULL), 0);
    unlink(file);
    CHECK(s.set);
    CHECK(is(&s, "one two"));
    CHECK(!is(&s, "one"));
    CHECK(!is(&s, "one two "));
    CHECK(!is(&s, ""));
}

TEST(the_environment_when_there_is_no_file) {
    struct secret s;
    setenv("TL_SECRET", "from there", 1);
    CHECK(secret_given(NULL, "TL_SECRET"));
    CHECK_INT(secret_load(&s, NULL, "TL_SECRET", "the token", 1, NULL), 0);
    CHECK(is(&s, "from there"));
    setenv("TL_SECRET", "", 1);
    CHECK(!secret_given(NULL, "TL_SECRET"));
    CHECK_INT(secret_load(&s, NULL, "TL_SECRET", "the token", 1, NULL), 0);
    CHECK(!s.set);
    CHECK(!is(&s, ""));
    CHECK(!is(&s, "from there"));
}

TEST(an_unset_secret_is_nothing_not_even_its_digest_of_zeros) {
    struct secret s = {.set = false};
    CHECK(!is(&s, ""));
}

TEST(too_short_too_long_and_not_there_are_errors_that_do_not_tell_it) {
    struct secret s;
    struct err e;
    char large[SECRET_MAX + 10];
    setenv("TL_SECRET", "hunter2", 1);
    CHECK_INT(secret_load(&s, NULL, "TL_SECRET", "the token", 8, &e), -1);
    CHECK_STR(e.text, "TL_SECRET: the token has 7 bytes, at least 8 are needed");
    CHECK_INT(e.cause, CAUSE_USAGE);
    memset(large, 'x', sizeof large);
    large[SECRET_MAX + 1] = 0;
    setenv("TL_SECRET", large, 1);
    CHECK_INT(secret_load(&s, NULL, "TL_SECRET", "the token", 8, &e), -1);
    CHECK_INT(secret_load(&s, "/none/such", NULL, "the token", 8, &e), -1);
    CHECK_STR(e.text, "cannot read the token in /none/such: No such file or directory");
}

TEST(a_derived_word_depends_on_secret_and_purpose) {
    struct secret a, b;
    char one[SECRET_DERIVED], two[SECRET_DERIVED];
    setenv("A", "secret a", 1);
    setenv("B", "secret b", 1);
    secret_load(&a, NULL, "A", "x", 1, NULL);
    secret_load(&b, NULL, "B", "x", 1, NULL);
    CHECK_INT(strlen(secret_derive(&a, "cookie", one)), 64);
    CHECK_STR(secret_derive(&a, "cookie", two), one);
    CHECK(strcmp(secret_derive(&b, "cookie", two), one) != 0);
    CHECK(strcmp(secret_derive(&a, "else", two), one) != 0);
}
