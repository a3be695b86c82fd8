/* espcam: the parts of the camera wall's rules and what they share. */
#ifndef DISPATCH_ESPCAM_H
#define DISPATCH_ESPCAM_H

#include "espcam_cameras.h"
#include "espcam_sleep.h"
#include "rules.h"
#include "serial.h"

struct cam_options {
    int64_t cameras, silent_ms;
    struct opt_list names; /* MAC=NAME */
    const char *names_file, *saved;
    bool auto_sleep;
};

struct cam_rules {
    struct stage *st;
    struct cam_options opt;
    struct cam_table *table; /* survives a restart of this program */
    struct serial serial;
    struct cam_sleeps sleeps;
    uint64_t ws_clients;
    uv_timer_t sleep_timer, second;
    uint64_t strangers; /* lone frames of cameras that nothing else is known of */
    uint64_t pictures, broken, sensors, saved, sleeps_sent, sleeps_refused, bad_texts, bad_macs;
};

extern struct cam_rules cams;

/* Something that pages show has changed; they are told soon, at most five times a second. */
void cams_changed(void);

/* espcam_names.c: what cameras are called. */
int cam_names_open(struct err *e);
/* The file may have changed. */
void cam_names_reload(void);
/* The name of a camera, "" = none. */
const char *cam_name(const char *mac);
void cam_names_free(void);

/* espcam_page.c: the cameras as pages get them, and what browsers say. */
void cam_page_put(struct buf *b); /* one map */
void cam_page_broadcast(void);
void cam_page_text(const struct msg *m);

/* espcam_command.c: commands to cameras. NULL, or why it cannot be done. */
const char *cam_command_sleep(const char *mac, uint64_t seconds, unsigned *status);
void cam_command_open(uv_loop_t *loop);
/* A picture, or values alone, of a camera have come: --auto-sleep. */
void cam_command_cycle(struct cam_camera *c, bool picture, double voltage_percent);
void cam_command_second(void);
void cam_command_close(void);

/* espcam_saved.c: the saved pictures, which imgwrite knows. */
int cam_saved_open(struct err *e);
void cam_saved_request(struct rpc_call *call, const uint8_t *body, size_t n);
void cam_saved_close(void);

/* espcam_http.c */
void cam_http_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                      size_t n);

#endif
