/* devsim: the simulated devices.
 *
 * A device is one file with a `const struct sim`, named in the table of main.c, and a model of its
 * own. What devices on a serial line share: simtty (the line), script (timed commands), simcmd
 * (commands every such device knows).
 */
#ifndef DEVSIM_DEVSIM_H
#define DEVSIM_DEVSIM_H

struct sim {
    const char *name; /* the word after devsim */
    const char *summary;
    /* As a main of its own; argv[0] is the device's name. */
    int (*run)(int argc, char **argv);
};

extern const struct sim sim_panel, sim_espcam;

#endif
