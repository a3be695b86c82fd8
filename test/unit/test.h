/* test: the harness of the unit tests.
 *
 * TEST(name) { ... } defines a test; it is found by itself and runs in a process of its own, so a
 * crash is one failure. Output is TAP. `prog NAME...` runs only the tests named.
 */
#ifndef TAPLINE_TEST_H
#define TAPLINE_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};

void test_register(struct test *t);
void test_fail(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), noreturn));

#define TEST(name_)                                                                                \
    static void test_##name_(void);                                                                \
    static struct test reg_##name_ = {#name_, test_##name_, NULL};                                 \
    __attribute__((constructor)) static void add_##name_(void) {                                   \
        test_register(&reg_##name_);                                                               \
    }                                                                                              \
    static void test_##name_(void)

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond))                                                                               \
            test_fail(__FILE__, __LINE__, "not true: %s", #cond);                                  \
    } while (0)

#define CHECK_INT(got, want)                                                                       \
    do {                                                                                           \
        long long g_ = (long long)(got), w_ = (long long)(want);                                   \
        if (g_ != w_)                                                                              \
            test_fail(__FILE__, __LINE__, "%s is %lld, want %lld", #got, g_, w_);                  \
    } while (0)

#define CHECK_STR(got, want)                                                                       \
    do {                                                                                           \
        const char *g_ = (got), *w_ = (want);                                                      \
        if (!g_ || strcmp(g_, w_) != 0)                                                            \
            test_fail(__FILE__, __LINE__, "%s is \"%s\", want \"%s\"", #got, g_ ? g_ : "(null)",   \
                      w_);                                                                         \
    } while (0)

#define CHECK_MEM(got, got_len, want, want_len)                                                    \
    do {                                                                                           \
        size_t gl_ = (got_len), wl_ = (want_len);                                                  \
        if (gl_ != wl_ || memcmp((got), (want), wl_) != 0)                                         \
            test_fail(__FILE__, __LINE__, "%s: %zu bytes differ from the %zu wanted", #got, gl_,   \
                      wl_);                                                                        \
    } while (0)

#endif
