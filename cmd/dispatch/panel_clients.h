/* panel_clients: which browsers have been sent what plays, so that only they can end it.
 *
 * A browser says only "ended, id 5". That may be the end of this play of 5, or of an earlier one
 * whose report was under way while 5 was pressed again. wsfanout tells for each text the last run
 * this browser was sent (`sent`) and the last it has confirmed (`seen`).
 */
#ifndef DISPATCH_PANEL_CLIENTS_H
#define DISPATCH_PANEL_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "panel_state.h"

enum { PANEL_CLIENTS = 8192, PANEL_LEFT = 64 };

struct panel_client {
    uint64_t number;
    uint64_t joined_run;     /* the run that was current when it joined */
    uint64_t joined_confirm; /* nothing it says can be older than this */
    char address[48];        /* without port */
};

struct panel_clients {
    struct panel_client *client; /* owned */
    size_t n, cap;
    /* Browsers that left while the current run played to them: when one comes back and its sound
     * has ended meanwhile, that is a true end. */
    char left[PANEL_LEFT][48];
    size_t left_n;
    uint64_t left_run;
};

void panel_clients_free(struct panel_clients *c);
void panel_clients_open(struct panel_clients *c, const struct panel_state *s, uint64_t number,
                        const char *peer);
void panel_clients_closed(struct panel_clients *c, const struct panel_state *s, uint64_t number);

/* What an "ended" of id from this browser means. */
enum panel_end { PANEL_END_NOW, PANEL_END_OTHER /* another id plays */, PANEL_END_LATE };
enum panel_end panel_clients_ended(const struct panel_clients *c, const struct panel_state *s,
                                   uint64_t number, uint64_t id, uint64_t sent, uint64_t seen);

#endif
