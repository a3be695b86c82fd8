#include "ledger.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int ledger_open(struct ledger *l, struct err *e) {
    l->page = tally_make(&l->fd);
    return l->page ? 0 : err_errno(e, errno, "cannot make memory to count in");
}

void ledger_close(struct ledger *l) {
    tally_unmap(l->page);
    if (l->page)
        close(l->fd);
    l->page = NULL;
    l->fd = -1;
}

static void add_in(struct tally_in *sum, const struct tally_in *c) {
    sum->received += c->received;
    sum->bytes += c->bytes;
    sum->skipped += c->skipped;
    sum->repeats += c->repeats;
    sum->lost += c->lost;
    sum->crashed += c->crashed;
    sum->before += c->before;
    sum->bad_bytes += c->bad_bytes;
    sum->waiting += c->waiting;
    sum->paused += c->paused;
}

static void add_out(struct tally_out *sum, const struct tally_out *c) {
    sum->sent += c->sent;
    sum->bytes += c->bytes;
    sum->repeats += c->repeats;
    sum->dropped += c->dropped;
    sum->queue += c->queue;
}

void ledger_start(struct ledger *l) {
    l->lives++;
    if (!l->page)
        return;
    memset(l->page->in, 0, sizeof l->page->in);
    memset(l->page->out, 0, sizeof l->page->out);
    l->page->inputs = l->page->outputs = 0;
    l->page->pid = 0;
}

/* Nothing waits in a process that is gone. */
void ledger_end(struct ledger *l) {
    l->deaths++;
    if (!l->page)
        return;
    l->known |= l->page->pid != 0;
    for (int i = 0; i < TALLY_INPUTS; i++) {
        l->page->in[i].waiting = l->page->in[i].paused = 0;
        add_in(&l->in[i], &l->page->in[i]);
    }
    for (int i = 0; i < TALLY_OUTPUTS; i++) {
        l->page->out[i].queue = 0;
        add_out(&l->out[i], &l->page->out[i]);
    }
    ledger_start(l);
    l->lives--;
}

static bool counts(struct ledger *l) {
    if (l->page && l->page->pid)
        l->known = true;
    return l->known;
}

bool ledger_in(struct ledger *l, int input, struct tally_in *sum) {
    *sum = (struct tally_in){0};
    if (!counts(l) || input < 0 || input >= TALLY_INPUTS)
        return false;
    *sum = l->in[input];
    add_in(sum, &l->page->in[input]);
    return true;
}

bool ledger_out(struct ledger *l, int output, struct tally_out *sum) {
    *sum = (struct tally_out){0};
    if (!counts(l) || output < 0 || output >= TALLY_OUTPUTS)
        return false;
    *sum = l->out[output];
    add_out(sum, &l->page->out[output]);
    return true;
}
