#include "ledger.h"

#include <stdbool.h>

#include "log.h"
#include "statefile.h"

static const uint64_t MAGIC = 0x696d677772697465u;

static struct ledger own;

/* By hand any number of us may run side by side, under one name. */
struct ledger *ledger_open(const char *stage, uint64_t *lost) {
    struct ledger *l = log_supervised() ? statefile_open(stage, sizeof *l) : &own;
    bool known = l->magic == MAGIC && l->taken > l->over;
    *lost = known ? l->taken - l->over : 0;
    l->magic = MAGIC;
    l->taken = 0;
    l->over = 0;
    return l;
}

void ledger_close(struct ledger *l) {
    if (l != &own)
        statefile_close(l, sizeof *l);
}
