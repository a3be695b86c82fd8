/* conf_option: what a pipeline file says about its own command line.
 *
 *     [pipeline]
 *     option.port = -p DEVICE serial port of the board      tapline up NAME -p X: DEVICE=X
 *     option.demo = SOURCE=demo play the sample             tapline up NAME --demo: SOURCE=demo
 *
 * A letter, when there is to be one; the variable that is set, with = and a word when the option is
 * a flag; and what the help says. Several options may set one variable. The word is taken as it
 * stands: what depends on a variable is written in [pipeline], where SOURCE is used.
 */
#ifndef TAPLINE_CONF_OPTION_H
#define TAPLINE_CONF_OPTION_H

#include "conf.h"

enum { CONF_OPTION_NAME = 50, CONF_OPTION_TEXT = 200 };

struct conf_option {
    const char *name; /* without dashes; in the entry */
    char letter;      /* 0 = none */
    bool flag;
    char variable[CONF_OPTION_NAME];
    char text[CONF_OPTION_TEXT]; /* of a flag: what the variable becomes */
    const char *help;            /* in the entry; "" = none */
};

/* NAME of a key option.NAME; NULL when it is another key. */
const char *conf_option_name(const char *key);

/* The option an entry of [pipeline] declares. -1 when it declares none, with a text that names file
 * and line; among the reasons is a letter or name that every command has (-h, help, version). */
int conf_option_read(const struct conf *c, const struct conf_entry *v, struct conf_option *out,
                     struct err *e);

#endif
