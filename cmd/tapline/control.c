/* tapline down, restart, list. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "commands.h"
#include "opt.h"
#include "pick.h"
#include "rpc.h"

enum { GONE_STEP_MS = 10, GONE_LIMIT_MS = 15000 };

static const struct opt_program down_program = {.name = "tapline down",
                                                .summary = "stop a running pipeline",
                                                .synopsis = "[NAME]",
                                                .tables = {pick_options, NULL}};
static const struct opt_program restart_program = {.name = "tapline restart",
                                                   .summary = "start a stage, or all, again",
                                                   .synopsis = "[STAGE]",
                                                   .tables = {pick_options, NULL}};
static const struct opt_program list_program = {
    .name = "tapline list", .summary = "the pipelines that are running", .tables = {NULL}};

static int wait_until_gone(const struct running *r, int lock) {
    for (int waited = 0; runlock_watched(lock); waited += GONE_STEP_MS) {
        if (waited >= GONE_LIMIT_MS) {
            fprintf(stderr, "tapline: pipeline %s does not end (kill -9 %ld)\n", r->info.name,
                    r->info.pid);
            return 1;
        }
        poll(NULL, 0, GONE_STEP_MS);
    }
    printf("pipeline %s is down\n", r->info.name);
    return 0;
}

int down_main(int argc, char **argv) {
    struct buf request = {0}, reply = {0};
    struct running r;
    struct err e;
    int n, status = opt_parse(&down_program, argc, argv, &n);
    if (status >= 0)
        return status;
    if (n > 1)
        return opt_usage_error(&down_program, "unexpected argument \"%s\"", argv[2]);
    if (pick_pipeline(n ? argv[1] : NULL, &r, &e) < 0)
        return pick_fail(&e);
    int lock = runlock_watch(r.dir);
    rpc_request_begin(&request, "stop", 0);
    status = pick_ask(&request, &reply) < 0 ? 1 : wait_until_gone(&r, lock);
    if (lock >= 0)
        close(lock);
    buf_free(&request);
    buf_free(&reply);
    return status;
}

int restart_main(int argc, char **argv) {
    struct buf request = {0}, reply = {0};
    struct running r;
    struct err e;
    uint64_t stages = 0;
    int n, status = opt_parse(&restart_program, argc, argv, &n);
    if (status >= 0)
        return status;
    if (n > 1)
        return opt_usage_error(&restart_program, "unexpected argument \"%s\"", argv[2]);
    if (pick_pipeline(NULL, &r, &e) < 0)
        return pick_fail(&e);
    rpc_request_begin(&request, "restart", n ? 1 : 0);
    if (n)
        mp_kv_str(&request, "stage", argv[1]);
    status = pick_ask(&request, &reply) < 0;
    mp_get_uint(buf_data(&reply), buf_len(&reply), "stages", &stages);
    if (status == 0)
        printf("pipeline %s: %llu %s again\n", r.info.name, (unsigned long long)stages,
               stages == 1 ? "stage starts" : "stages start");
    buf_free(&request);
    buf_free(&reply);
    return status;
}

int list_main(int argc, char **argv) {
    int n, status = opt_parse(&list_program, argc, argv, &n);
    if (status >= 0)
        return status;
    struct running *all = mem_alloc(PICK_MAX * sizeof *all);
    size_t count = pick_all(all, PICK_MAX);
    for (size_t i = 0; i < count; i++)
        printf("%-12s %8ld  %s  %s\n", all[i].info.name, all[i].info.pid, all[i].dir,
               all[i].info.file);
    char closed[64];
    bool hidden = pick_closed(NULL, closed, sizeof closed);
    if (hidden)
        fprintf(stderr, PICK_CLOSED "\n", closed, closed);
    else if (!count)
        fprintf(stderr, "no pipeline is running\n");
    free(all);
    return 0;
}
