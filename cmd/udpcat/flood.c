#include "flood.h"

static const uint64_t SECOND_NS = 1000000000;

static bool is_full(uint64_t used_ns, uint64_t rate, uint64_t now_ns) {
    return rate && used_ns > now_ns && used_ns - now_ns + SECOND_NS / rate > SECOND_NS;
}

static void use(uint64_t *used_ns, uint64_t rate, uint64_t now_ns) {
    if (rate)
        *used_ns = (*used_ns > now_ns ? *used_ns : now_ns) + SECOND_NS / rate;
}

bool flood_takes(struct flood *f, uint64_t who, uint64_t now_ns) {
    uint64_t *place = &f->place_ns[who * UINT64_C(0x9e3779b97f4a7c15) >> 54];
    if (is_full(*place, f->each, now_ns) || is_full(f->all_ns, f->all, now_ns))
        return false;
    use(place, f->each, now_ns);
    use(&f->all_ns, f->all, now_ns);
    return true;
}
