/* panel_media: which of the files NNN.jpg and NNN.mp3 are there, checked at start and again
 * whenever the directory changes.
 */
#ifndef DISPATCH_PANEL_MEDIA_H
#define DISPATCH_PANEL_MEDIA_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "err.h"

enum panel_file { PANEL_FILE_THERE, PANEL_FILE_EMPTY, PANEL_FILE_ABSENT };
enum { PANEL_KINDS_OF_FILE = 2, PANEL_FILE_NAME = 24 };

struct panel_media {
    const char *dir;
    unsigned buttons;
    uint8_t *file;     /* enum panel_file by (id - 1) * 2 + (0 jpg, 1 mp3); owned */
    unsigned missing;  /* files absent or empty */
    unsigned complete; /* ids with both files */
    uv_fs_event_t watch;
    uv_timer_t recheck;
    bool watching;
    void (*on_change)(void);
};

/* Check and watch. A directory that does not exist counts as all files missing; it is looked for
 * again. on_change is called after each change of the result. */
void panel_media_open(struct panel_media *m, uv_loop_t *loop, const char *dir, unsigned buttons,
                      void (*on_change)(void));
void panel_media_close(struct panel_media *m);
void panel_media_free(struct panel_media *m);

/* Name of missing file i of m->missing in order: "007.jpg", "005.mp3 (leer)" when it is empty. */
bool panel_media_name(const struct panel_media *m, unsigned i, char name[PANEL_FILE_NAME]);
/* Whether one of the two files of id is absent (an empty one counts as there). */
bool panel_media_absent(const struct panel_media *m, unsigned id);

#endif
