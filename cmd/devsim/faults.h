/* faults: what goes wrong between a gateway and its host: frames damaged, lost, cut, doubled and
 * swapped, and what is no frame at all between them. Seeded. No I/O and no clock. */
#ifndef DEVSIM_FAULTS_H
#define DEVSIM_FAULTS_H

#include "camera.h"
#include "err.h"

enum { FAULTS_NOISE_MAX = 256 /* bytes between two frames */ };

struct fault_rates {
    double corrupt; /* one byte of the frame is another */
    double loss;    /* the frame is missing */
    double cut;     /* its end is missing */
    double twice;   /* it comes twice */
    double swap;    /* it comes after the next one of its camera; DATA only */
    double noise;   /* something else stands in front of it */
};

/* One camera's way to the host. */
struct fault_lane {
    struct frame held; /* waiting for its successor to overtake it */
    bool holding;
    bool damaged; /* some frame of this picture did not arrive as it was; the owner clears it */
};

struct faults {
    struct fault_rates rate;
    struct chance luck;
    void (*send)(void *ctx, const void *p, size_t n);
    void *ctx;
    uint64_t corrupted, lost, cut, doubled, swapped, noises;
};

/* "1%", "0.05%" to 0 .. 1. */
int fault_rate(const char *text, double *rate, struct err *e);

void faults_pass(struct faults *x, struct fault_lane *lane, const struct frame *f);

#endif
