/* recorder_file: the part of the recorder that touches the disk. It runs in a thread of libuv's,
 * one job at a time; the loop meanwhile leaves the first chunk and the file alone.
 */
#ifndef TAPLINE_RECORDER_FILE_H
#define TAPLINE_RECORDER_FILE_H

#include "recorder.h"

bool recorder_to_stdout(const struct recorder *r);
/* Open what path, number and exists say. -1 with errno. */
int recorder_open_file(struct recorder *r);
/* Sync and close. */
void recorder_close_file(struct recorder *r);
/* Write the first chunk as far as it goes (error is set when it does not), sync when it is time. */
void recorder_work(struct recorder *r);

#endif
