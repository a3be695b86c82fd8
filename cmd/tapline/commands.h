/* commands: the subcommands of tapline. argv[0] is the subcommand's own name; the result is the
 * exit status.
 */
#ifndef TAPLINE_COMMANDS_H
#define TAPLINE_COMMANDS_H

int up_main(int argc, char **argv);
int down_main(int argc, char **argv);
int check_main(int argc, char **argv);
int graph_main(int argc, char **argv);
int list_main(int argc, char **argv);
int status_main(int argc, char **argv);
int restart_main(int argc, char **argv);
int logs_main(int argc, char **argv);
int tap_main(int argc, char **argv);
int record_main(int argc, char **argv);
int play_main(int argc, char **argv);
int info_main(int argc, char **argv);
int put_main(int argc, char **argv);
int req_main(int argc, char **argv);
int hev_main(int argc, char **argv);
int camera_main(int argc, char **argv);
int sim_main(int argc, char **argv);

#endif
