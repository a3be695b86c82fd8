/* devsim: the simulated devices.
 *
 * A device is one file with a `const struct sim`, named in the table of main.c, and a model of its
 * own. What devices on a serial line share is simdev, with simtty (the line), script (timed
 * commands) and simcmd (commands every such device knows) below it.
 */
#ifndef DEVSIM_DEVSIM_H
#define DEVSIM_DEVSIM_H

struct sim {
    const char *name; /* the word after devsim */
    const char *summary;
    /* As a main of its own; argv[0] is the device's name. */
    int (*run)(int argc, char **argv);
};

extern const struct sim sim_panel, sim_espcam, sim_hev, sim_hub;

#endif
