#include "panel_state.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"
#include "rundir.h"

static const uint64_t MAGIC = 0x7461706c00000000u | sizeof(struct panel_state);

static int open_file(const char *name) {
    char path[128];
    struct err e;
    if (rundir_file(path, sizeof path, name, "state", &e) < 0)
        return -1;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && ftruncate(fd, sizeof(struct panel_state)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static struct panel_state *map(int fd) {
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void *p = mmap(NULL, sizeof(struct panel_state), PROT_READ | PROT_WRITE, flags, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

struct panel_state *panel_state_open(const char *name) {
    int fd = open_file(name);
    struct panel_state *s = map(fd);
    if (!s)
        s = map(-1);
    if (fd >= 0)
        close(fd);
    else
        log_debug("no run directory: what plays is forgotten when this process ends");
    if (!s)
        abort();
    if (s->magic != MAGIC || s->current > PANEL_BUTTONS_MAX || s->lit > PANEL_BUTTONS_MAX)
        *s = (struct panel_state){.magic = MAGIC};
    return s;
}

void panel_state_close(struct panel_state *s) {
    munmap(s, sizeof *s);
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
