#include "hub_video.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A pause longer than SILENT seconds, and than two intervals, is an end: fps falls from then on. A
 * frame is late when its interval is LATE times the median, and a pause of more than PAUSE of them
 * was no loss of single frames. */
static const double SILENT = 3, LATE = 1.5, PAUSE = 20;

/* ---- windows ---- */

static void push(struct hub_window *w, unsigned cap, double v) {
    if (w->n == cap)
        memmove(w->v, w->v + 1, --w->n * sizeof *w->v);
    w->v[w->n++] = v;
}

static double mean(const struct hub_window *w) {
    double sum = 0;
    for (unsigned i = 0; i < w->n; i++)
        sum += w->v[i];
    return w->n ? sum / w->n : 0;
}

static double least(const struct hub_window *w) {
    double x = w->n ? w->v[0] : 0;
    for (unsigned i = 1; i < w->n; i++)
        x = fmin(x, w->v[i]);
    return x;
}

static double greatest(const struct hub_window *w) {
    double x = w->n ? w->v[0] : 0;
    for (unsigned i = 1; i < w->n; i++)
        x = fmax(x, w->v[i]);
    return x;
}

static double deviation(const struct hub_window *w) {
    double m = mean(w), sum = 0;
    for (unsigned i = 0; i < w->n; i++)
        sum += (w->v[i] - m) * (w->v[i] - m);
    return w->n ? sqrt(sum / w->n) : 0;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Element number floor(n / 2), from 0, of the sorted values. */
static double median(const struct hub_window *w) {
    double v[HUB_FRAMES];
    memcpy(v, w->v, w->n * sizeof *v);
    qsort(v, w->n, sizeof *v, compare);
    return w->n ? v[w->n / 2] : 0;
}

double hub_round(double v, int decimals) {
    double scale = pow(10, decimals);
    return round(v * scale) / scale;
}

/* ---- frames ---- */

static void judge(struct hub_video *v, double interval) {
    double m = median(&v->interval);
    if (v->unjudged) {
        v->unjudged--;
        return;
    }
    if (v->interval.n < HUB_STEADY || interval <= LATE * m)
        return;
    v->late++;
    if (m > 0 && interval <= PAUSE * m)
        v->lost += (uint64_t)(round(interval / m) - 1);
}

void hub_video_frame(struct hub_video *v, double at, size_t bytes) {
    double interval = at - v->last;
    v->frames++;
    push(&v->arrival, HUB_ARRIVALS, at);
    push(&v->size, HUB_FRAMES, (double)bytes);
    if (v->frames > 1 && interval >= 0) {
        judge(v, interval);
        push(&v->interval, HUB_FRAMES, interval);
    }
    v->last = at;
}

void hub_video_processed(struct hub_video *v, double ms) {
    push(&v->processing, HUB_FRAMES, ms);
}

void hub_video_changed(struct hub_video *v) {
    v->unjudged = HUB_FRAMES;
}

/* ---- figures ---- */

static double rate(const struct hub_video *v, double now) {
    unsigned n = v->arrival.n;
    double first = v->arrival.v[0], last = n ? v->arrival.v[n - 1] : 0;
    if (n < 2 || last <= first)
        return 0;
    double usual = (last - first) / (n - 1), silent = now - last;
    return (n - 1) / ((silent > SILENT && silent > 2 * usual ? now : last) - first);
}

static void aim(const struct hub_video *v, struct hub_figures *f) {
    double m = median(&v->interval);
    f->steady = v->interval.n >= HUB_STEADY;
    if (!f->steady)
        m = f->avg_interval;
    f->target_fps = m > 0 ? 1 / m : 0;
    f->efficiency = 50;
    if (f->steady && m > 0)
        f->efficiency = fmin(100, fmax(0, 100 * (1 - fabs(f->avg_interval - m) / m)));
}

static const char *recommend(const struct hub_figures *f) {
    if (f->efficiency > 95)
        return "OPTIMAL - System performing excellently";
    if (f->efficiency > 85)
        return "GOOD - Minor tuning could improve performance";
    if (f->efficiency > 70)
        return f->jitter > 0.5 ? "UNSTABLE - High jitter detected, consider increasing interval"
                               : "FAIR - Consider adjusting ESP32 send interval";
    if (f->avg_processing > 50)
        return "SLOW - Server processing bottleneck, optimize code";
    return f->jitter > 1.0 ? "UNSTABLE - Network issues, increase ESP32 interval significantly"
                           : "POOR - Check ESP32 configuration and network quality";
}

void hub_video_figures(const struct hub_video *v, double now, struct hub_figures *f) {
    *f = (struct hub_figures){.waiting = v->interval.n == 0, .recommendation = "WAITING_FOR_DATA"};
    if (f->waiting)
        return;
    f->fps = rate(v, now);
    f->avg_interval = mean(&v->interval);
    f->min_interval = least(&v->interval);
    f->max_interval = greatest(&v->interval);
    f->jitter = deviation(&v->interval);
    f->avg_fps = f->avg_interval > 0 ? 1 / f->avg_interval : 0;
    f->avg_size = mean(&v->size);
    f->min_size = least(&v->size);
    f->max_size = greatest(&v->size);
    f->avg_processing = mean(&v->processing);
    f->max_processing = greatest(&v->processing);
    aim(v, f);
    f->recommendation = recommend(f);
}
