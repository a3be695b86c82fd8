/* espcam_cameras: what is known of every camera. Plain memory without pointers, kept in a state
 * file (statefile.h), so that names of last pictures, values and counts survive the process.
 */
#ifndef DISPATCH_ESPCAM_CAMERAS_H
#define DISPATCH_ESPCAM_CAMERAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CAM_TABLE = 256, /* room for cameras; --cameras is at most this */
    CAM_MAC = 18,    /* "24:6f:28:a1:b2:c3" and NUL */
    CAM_NAME = 64,
    CAM_RING = 32,  /* pictures that the rate is taken from */
    CAM_FILE = 400, /* name of a saved picture below the directory */
    CAM_WORD = 24
};

/* Times are wall-clock nanoseconds since the epoch, 0 = never. Values that were never told or could
 * not be measured are NAN. */
struct cam_camera {
    char mac[CAM_MAC];
    char name[CAM_NAME]; /* "" = none was given */
    uint64_t heard_ns;   /* when the newest message of any kind came */
    uint64_t messages;   /* of any kind */
    /* The last picture. */
    uint64_t picture_ns, bytes, frames;
    unsigned width, height; /* 0 = not known */
    char verified[CAM_WORD];
    uint64_t good, unverified, good_bytes; /* unverified ones are not among the good */
    struct {
        uint64_t ns, bytes;
    } ring[CAM_RING]; /* by arrival, of all pictures; ring_next % CAM_RING is the oldest */
    uint64_t ring_next;
    /* The last broken one. */
    uint64_t broken, broken_ns, broken_bytes;
    char broken_reason[CAM_WORD];
    /* Sensors. */
    uint64_t sensor_ns;
    double voltage_percent, temperature_c, tds_v;
    char camera_time[32];
    /* The last saved file. */
    uint64_t saved, saved_ns;
    char saved_name[CAM_FILE];
    /* The last sleep command. */
    uint64_t sleep_ns, sleep_s;
    /* In this process only. */
    uint64_t auto_due_ms; /* loop time at which --auto-sleep acts; 0 = not */
    bool auto_by_picture; /* that is after a picture, not after values alone */
    bool was_silent;
};

struct cam_table {
    uint64_t magic;
    uint64_t n;
    uint64_t evicted;
    uint64_t last_command_ns; /* when a command was last sent to the gateway */
    uint64_t pages;           /* 1 since a page has said hello, until every one has left */
    struct cam_camera camera[CAM_TABLE];
};

enum cam_is { CAM_LIVE, CAM_SILENT, CAM_ASLEEP };

/* What an earlier process left; emptied when it makes no sense. */
void cam_table_check(struct cam_table *t);

/* "24:6F:28:a1-b2-c3" or "246f28a1b2c3" to lower case with colons; false when it is no MAC. */
bool cam_mac(const char *s, size_t n, char out[CAM_MAC]);

/* By canonical MAC; NULL when it is not known. */
struct cam_camera *cam_find(struct cam_table *t, const char *mac);
/* The same, added when new. Above `most` cameras the one that was silent longest makes room, those
 * with a name last. */
struct cam_camera *cam_get(struct cam_table *t, const char *mac, size_t most);

/* A wrong bit in an address makes a camera that does not exist. One without name and picture that
 * was heard only once is forgotten after a day. Whether there was any. */
bool cam_forget_strangers(struct cam_table *t, uint64_t now_ns);

void cam_add_picture(struct cam_camera *c, uint64_t now_ns, uint64_t bytes);
/* Pictures a minute and bytes a second, from the last pictures of at most an hour; they fall when
 * the next picture is overdue. 0 = fewer than two. */
void cam_rate(const struct cam_camera *c, uint64_t now_ns, double *per_min, double *bytes_per_s);

enum cam_is cam_is(const struct cam_camera *c, uint64_t now_ns, uint64_t silent_ns);
/* When a camera that was sent to sleep is back; 0 = it was not, or has been heard since. */
uint64_t cam_sleeps_until(const struct cam_camera *c);

/* Seconds that --auto-sleep tells a camera with this charge at this local hour. */
unsigned cam_sleep_rule(double voltage_percent, int hour);

#endif
