/* dispatch: the rules between devices and people: what a press plays, who may speak, who hears
 * what.
 *
 * In:   messages of the device (panel.*, espcam.*, hev.*, cam.*, serial.state) and of the people's
 * side (ws.*). Out:  what to send to them (panel.play, ws.join, serial.tx ...); answers requests of
 * httpd. Ends: at the end of standard input, on SIGTERM.
 */
#include <stdio.h>
#include <string.h>

#include "rules.h"

static const struct rules *const all_rules[] = {&rules_panel, &rules_espcam, &rules_hev, &rules_hub,
                                                &rules_camera};
enum { RULES = sizeof all_rules / sizeof *all_rules };

static struct opt_program program = {
    .name = "dispatch",
    .summary = "the rules between devices and people",
};

static const struct rules *rules_find(const char *name) {
    for (int i = 0; i < RULES; i++)
        if (name && strcmp(name, all_rules[i]->name) == 0)
            return all_rules[i];
    return NULL;
}

/* `dispatch RULES OPTION...`: the word in front chooses the option table. */
static const struct rules *choose(int *argc, char ***argv) {
    const struct rules *r = rules_find(*argc > 1 ? (*argv)[1] : NULL);
    program.tables[0] = stage_common_options;
    program.synopsis =
        "after the name of the rules (panel, espcam, hev, hub, camera): dispatch panel [OPTION]...";
    program.words = "panel espcam hev hub camera ";
    if (!r)
        return NULL;
    static char name[64];
    snprintf(name, sizeof name, "dispatch %s", r->name);
    program.name = name;
    program.summary = r->summary;
    program.synopsis = program.words = NULL;
    program.details = r->details;
    program.tables[0] = r->options;
    program.tables[1] = stage_common_options;
    (*argc)--;
    (*argv)++;
    return r;
}

static int no_rules(int argc, char **argv) {
    int operands, status = opt_parse(&program, argc, argv, &operands);
    if (status >= 0)
        return status;
    return operands
               ? opt_usage_error(
                     &program, "no rules named \"%s\" (there are: panel, espcam, hev, hub, camera)",
                     argv[1])
               : opt_usage_error(&program,
                                 "which rules? (there are: panel, espcam, hev, hub, camera)");
}

int main(int argc, char **argv) {
    static struct stage st;
    struct err e = {0};
    const struct rules *rules = choose(&argc, &argv);
    if (!rules)
        return no_rules(argc, argv);
    st.on_msg = rules->on_msg;
    st.on_request = rules->on_request;
    int status = stage_options(&st, &program, argc, argv, NULL);
    if (status >= 0)
        return status;
    if (rules->check && rules->check(&e) < 0)
        return opt_usage_error(&program, "%s", e.text);
    if (stage_open(&st, &e) < 0 || rules->open(&st, &e) < 0)
        return stage_fail(&st, &e);
    stage_ready(&st);
    status = stage_run(&st);
    rules->close(&st);
    return stage_close(&st, status);
}
