/* save: one picture into one file, whole or not at all. Blocks: for worker threads.
 *
 * The bytes go to a file without a name (O_TMPFILE) where the file system knows that, else to a
 * locked file .imgwrite-*.part in the same directory; when they are complete, and synced, it gets
 * its name, which must be free.
 */
#ifndef IMGWRITE_SAVE_H
#define IMGWRITE_SAVE_H

#include <stdatomic.h>
#include <stddef.h>

#include "err.h"
#include "name.h"

enum { SAVE_DIR = 3072, SAVE_PATH = SAVE_DIR + NAME_BYTES };

enum save_sync {
    SAVE_SYNC_NONE, /* the system writes when it likes; a power cut may leave an empty file */
    SAVE_SYNC_FILE, /* after a power cut a file is whole or not there */
    SAVE_SYNC_FULL  /* and once reported, it is there */
};

#define SAVE_TEMPORARY ".imgwrite-" /* what the names of temporary files begin with */

struct save_place {
    char dir[SAVE_DIR];
    struct name_pattern pattern;
    enum save_sync sync;
    atomic_bool named;  /* temporary files need a name here */
    atomic_uint number; /* of the next one */
};

/* facts become those of the name it got, which is written to name. *remade: dir was missing and has
 * been made. -1 with a cause and a text that names the cure. */
int save_picture(struct save_place *place, struct name_facts *facts, const void *data, size_t n,
                 char name[NAME_BYTES], bool *remade, struct err *e);

/* Make a directory and what is above it. 1 = made, 0 = was there, -1 with errno. */
int save_make_dir(const char *path);

/* Describe the errno value of something that failed in dir, with what to do about it. */
int save_error(const char *dir, int error, struct err *e);

#endif
