/* conf_parse: the inside of conf; sections and entries as they stand in the file. */
#ifndef TAPLINE_CONF_PARSE_H
#define TAPLINE_CONF_PARSE_H

#include "conf.h"

/* Parse text (NUL-terminated, changed) into c->section and c->vars; values stay NULL. On -1 what
 * was read so far is in c. */
int conf_parse(struct conf *c, char *text, struct err *e);

/* Set the values of c->vars in the order of the file, then those of the sections. */
int conf_expand_all(struct conf *c, struct err *e);

#endif
