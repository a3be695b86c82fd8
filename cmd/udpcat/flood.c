#include "flood.h"

#include "allowance.h"

bool flood_takes(struct flood *f, uint64_t who, uint64_t now_ns) {
    uint64_t *place = &f->place_ns[who * UINT64_C(0x9e3779b97f4a7c15) >> 54];
    if (f->each && !allowance_left(allowance_a_second(f->each), *place, now_ns))
        return false;
    if (f->all && !allowance_take(allowance_a_second(f->all), &f->all_ns, now_ns))
        return false;
    if (f->each)
        *place = allowance_less(allowance_a_second(f->each), *place, now_ns);
    return true;
}
