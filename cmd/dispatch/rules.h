/* rules: what dispatch needs of a set of rules. A new one is one row of `all_rules` and its files.
 */
#ifndef DISPATCH_RULES_H
#define DISPATCH_RULES_H

#include "stage.h"

struct rules {
    const char *name;
    const char *summary;
    const struct opt *options;
    const char *details;
    /* Whether the options make sense, before anything is opened; NULL = they do. */
    int (*check)(struct err *e);
    int (*open)(struct stage *st, struct err *e);
    void (*on_msg)(void *ctx, const struct msg *m);
    void (*on_request)(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                       size_t n);
    void (*close)(struct stage *st);
};

extern const struct rules rules_panel, rules_espcam, rules_hev, rules_hub, rules_camera;

#endif
