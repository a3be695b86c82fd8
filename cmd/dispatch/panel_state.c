#include "panel_state.h"

#include "statefile.h"

static const uint64_t MAGIC = 0x7461706c00000000u | sizeof(struct panel_state);

struct panel_state *panel_state_open(const char *name) {
    struct panel_state *s = statefile_open(name, sizeof *s);
    if (s->magic != MAGIC || s->current > PANEL_BUTTONS_MAX || s->lit > PANEL_BUTTONS_MAX)
        *s = (struct panel_state){.magic = MAGIC};
    return s;
}

void panel_state_close(struct panel_state *s) {
    statefile_close(s, sizeof *s);
}

bool panel_state_play(struct panel_state *s, uint64_t id, uint64_t time_ns) {
    uint64_t run = ++s->run;
    bool confirm = s->played[id] != 0 && s->played[id] >= s->last_confirm;
    if (confirm)
        s->last_confirm = run;
    s->played[id] = run;
    s->current = s->lit = s->last_press = id;
    s->started_ns = time_ns;
    return confirm;
}
