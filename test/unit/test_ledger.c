/* What a killed imgwrite took with it is known to the next one. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../../cmd/imgwrite/ledger.c"
#include "rundir_test.h"
#include "test.h"

static uint64_t lost;

TEST(what_was_not_over_is_lost_with_the_process) {
    make_test_dir();
    setenv("TAPLINE_STAGE", "saved", 1);
    struct ledger *l = ledger_open("saved", &lost);
    CHECK_INT(lost, 0);
    l->taken = 7;
    atomic_fetch_add(&l->over, 4);
    ledger_close(l); /* the file is all that a killed process leaves */
    l = ledger_open("saved", &lost);
    CHECK_INT(lost, 3);
    CHECK_INT(l->taken + l->over, 0);
    l->taken = l->over = 5;
    ledger_close(l);
    ledger_close(ledger_open("saved", &lost));
    CHECK_INT(lost, 0);
}

TEST(nonsense_in_the_file_is_not_believed) {
    make_test_dir();
    setenv("TAPLINE_STAGE", "saved", 1);
    struct ledger *l = ledger_open("saved", &lost);
    l->magic++;
    l->taken = 9;
    ledger_close(l);
    l = ledger_open("saved", &lost);
    CHECK_INT(lost, 0);
    l->over = 9;
    ledger_close(l);
    ledger_close(ledger_open("saved", &lost));
    CHECK_INT(lost, 0);
}

TEST(by_hand_nothing_is_left_behind) {
    char path[100];
    struct stat st;
    snprintf(path, sizeof path, "%s/imgwrite.state", make_test_dir());
    struct ledger *l = ledger_open("imgwrite", &lost);
    CHECK_INT(lost, 0);
    ledger_close(l);
    CHECK_INT(stat(path, &st), -1);
}
