/* simdev: what every simulated device on a serial line has in common: options, commands from
 * standard input, scripts, messages (sim.do {text}) and requests (do, plug, unplug), the line and
 * what is told of it (sim.port {link, node, plugged, host}), and its life as a stage.
 *
 * A device is a struct that holds a simdev, fills the part "set by the device" and ends its main
 * with simdev_run.
 */
#ifndef DEVSIM_SIMDEV_H
#define DEVSIM_SIMDEV_H

#include "codec/lines.h"
#include "script.h"
#include "simcmd.h"
#include "simtty.h"
#include "stage.h"

/* What a device says to a command or request. */
enum simdev_answer {
    SIMDEV_ERROR = -1, /* the reason is told */
    SIMDEV_UNKNOWN,    /* it is not one of the device's own */
    SIMDEV_DONE,
    SIMDEV_REPLIED /* requests only: the device has replied itself */
};

struct simdev {
    /* Set by the device. Callbacks may be NULL where it is said. */
    void *ctx;
    struct opt_program *program; /* tables[0] is the device's own, the next two are filled in */
    const char *commands;        /* its own command words, with commas */
    const char *line_end;        /* follows `send TEXT` */
    bool no_line;                /* what it sends goes elsewhere; known after check */
    /* The options are read: -1 = go on; otherwise the exit status. Opens nothing. */
    int (*check)(void *ctx);
    /* The loop exists, the line does not yet. */
    int (*open)(void *ctx, struct err *e);
    void (*close)(void *ctx);
    /* dry: only say whether the command makes sense. */
    enum simdev_answer (*on_command)(void *ctx, const char *word, const char *rest, bool dry,
                                     struct err *e);
    enum simdev_answer (*on_request)(void *ctx, struct rpc_call *call, const char *op,
                                     const uint8_t *body, size_t n, struct err *e);
    /* As simtty.h says; sim.port is published after it. on_room may be NULL. */
    void (*on_bytes)(void *ctx, const uint8_t *p, size_t n);
    void (*on_power)(void *ctx, bool on);
    void (*on_host)(void *ctx, bool open);
    void (*on_room)(void *ctx);

    struct stage st;
    struct simtty tty;

    /* Its own. */
    struct script script;
    struct lines input;
};

#define SIMDEV_COMMANDS_HELP                                                                       \
    "  send TEXT, raw \\x00\\xff   a line, bytes (\\n \\r \\t \\\\ \\xNN)\n"                       \
    "  unplug [DURATION], plug   power and line off and on; the node changes\n"                    \
    "  stop-reading, start-reading\n"                                                              \
    "  quit\n"                                                                                     \
    "In a script in front of a command: at TIME (from the start), after TIME (from the\n"          \
    "command before); or alone: wait TIME, loop. # begins a remark.\n\n"

/* Be the device until the end; the exit status. d must be static or outlive the loop. */
int simdev_run(struct simdev *d, int argc, char **argv);

#endif
