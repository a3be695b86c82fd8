#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

/* ---- rates ---- */

struct rate {
    int64_t baud;
    speed_t code;
};

#define RATE(n)                                                                                    \
    { n, B##n }
static const struct rate rates[] = {
    RATE(50),      RATE(75),      RATE(110),     RATE(134),     RATE(150),     RATE(200),
    RATE(300),     RATE(600),     RATE(1200),    RATE(1800),    RATE(2400),    RATE(4800),
    RATE(9600),    RATE(19200),   RATE(38400),   RATE(57600),   RATE(115200),  RATE(230400),
    RATE(460800),  RATE(500000),  RATE(576000),  RATE(921600),  RATE(1000000), RATE(1152000),
    RATE(1500000), RATE(2000000), RATE(2500000), RATE(3000000), RATE(3500000), RATE(4000000)};
enum { RATES = sizeof rates / sizeof *rates };

static const struct rate *rate_find(int64_t baud) {
    for (size_t i = 0; i < RATES; i++)
        if (rates[i].baud == baud)
            return &rates[i];
    return NULL;
}

bool port_baud_known(int64_t baud) {
    return rate_find(baud) != NULL;
}

const char *port_baud_list(void) {
    static char list[RATES * 10];
    int n = 0;
    for (size_t i = 0; i < RATES; i++)
        n += snprintf(list + n, sizeof list - (size_t)n, "%s%lld", i ? ", " : "",
                      (long long)rates[i].baud);
    return list;
}

/* ---- why it cannot be opened ---- */

static const char *own_name(void) {
    const struct passwd *pw = getpwuid(geteuid());
    return pw ? pw->pw_name : "";
}

static int refuse_permission(const char *path, struct err *e) {
    struct stat st = {0};
    const struct group *gr = stat(path, &st) == 0 ? getgrgid(st.st_gid) : NULL;
    if (gr && (st.st_mode & 060) == 060 && st.st_gid != 0)
        return err_set(e, CAUSE_PERMISSION,
                       "cannot open %s: Permission denied (add the user %s to group %s and log in "
                       "again)",
                       path, own_name(), gr->gr_name);
    return err_set(e, CAUSE_PERMISSION,
                   "cannot open %s: Permission denied for the user %s (its mode is %04o: a udev "
                   "rule can give it to a group)",
                   path, own_name(), (unsigned)(st.st_mode & 07777));
}

/* The process that holds a flock on the file; 0 when unknown. */
static int lock_holder(const struct stat *st) {
    char line[200];
    int found = 0;
    FILE *f = fopen("/proc/locks", "re");
    while (f && !found && fgets(line, sizeof line, f)) {
        unsigned major_no, minor_no;
        unsigned long inode;
        int pid;
        if (sscanf(line, "%*s FLOCK %*s %*s %d %x:%x:%lu", &pid, &major_no, &minor_no, &inode) ==
                4 &&
            makedev(major_no, minor_no) == st->st_dev && inode == st->st_ino)
            found = pid;
    }
    if (f)
        fclose(f);
    return found;
}

static int refuse_busy(const char *path, struct err *e) {
    struct stat st;
    char file[64], name[32] = "";
    int pid = stat(path, &st) == 0 ? lock_holder(&st) : 0;
    if (pid <= 0)
        return err_set(e, CAUSE_BUSY,
                       "cannot open %s: another program has it (fuser -v %s shows which)", path,
                       path);
    snprintf(file, sizeof file, "/proc/%d/comm", pid);
    FILE *f = fopen(file, "re");
    if (f) {
        if (!fgets(name, sizeof name, f))
            name[0] = 0;
        fclose(f);
    }
    name[strcspn(name, "\n")] = 0;
    return err_set(e, CAUSE_BUSY, "cannot open %s: process %d (%s) has it; stop that one first",
                   path, pid, name[0] ? name : "of another user");
}

static int refuse(const char *path, int no, struct err *e) {
    if (no == EACCES || no == EPERM)
        return refuse_permission(path, e);
    if (no == EBUSY || no == EWOULDBLOCK)
        return refuse_busy(path, e);
    err_errno(e, no, "cannot open %s", path);
    if (no == EIO) /* the device is going away at this moment */
        e->cause = CAUSE_ABSENT;
    return -1;
}

/* ---- opening ---- */

static int set_raw(int fd, speed_t speed) {
    struct termios t;
    if (tcgetattr(fd, &t) < 0)
        return -1;
    t.c_iflag = 0;
    t.c_oflag &= ~(tcflag_t)OPOST;
    t.c_lflag &= ~(tcflag_t)(ICANON | ISIG | ECHO | ECHONL | IEXTEN);
    t.c_cflag &= ~(tcflag_t)(CSIZE | PARENB | CSTOPB | CRTSCTS);
    t.c_cflag |= CS8 | CREAD | CLOCAL;
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    cfsetspeed(&t, speed);
    if (tcsetattr(fd, TCSANOW, &t) < 0 || tcgetattr(fd, &t) < 0)
        return -1;
    errno = EINVAL; /* a driver that cannot do the rate picks another and reports success */
    return cfgetospeed(&t) == speed ? 0 : -1;
}

/* Both firmwares of the panel wait for DTR. The kernel raises DTR and RTS together at open unless
 * the port was left at rate 0; setting DTR alone would reset some boards, so it is both. */
static void raise_dtr(int fd) {
    int lines = 0, both = TIOCM_DTR | TIOCM_RTS;
    if (ioctl(fd, TIOCMGET, &lines) == 0 && !(lines & TIOCM_DTR))
        ioctl(fd, TIOCMBIS, &both);
}

static int not_serial(const char *path, struct err *e) {
    return err_set(e, CAUSE_FAILED,
                   "%s is no serial device (ls -l /dev/serial/by-id shows what is plugged in)",
                   path);
}

static int set_up(int fd, const char *path, int64_t baud, struct err *e) {
    if (!isatty(fd))
        return not_serial(path, e);
    /* The lock first: settings of a port that another process owns are not ours to change. */
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return refuse(path, errno, e);
    if (set_raw(fd, rate_find(baud)->code) < 0)
        return err_errno(e, errno, "cannot set %s to %lld baud", path, (long long)baud);
    ioctl(fd, TIOCEXCL);
    raise_dtr(fd);
    return 0;
}

int port_open(const char *path, int64_t baud, struct err *e) {
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISCHR(st.st_mode))
        return not_serial(path, e); /* whether we might open it or not */
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return refuse(path, errno, e);
    if (set_up(fd, path, baud, e) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

size_t port_unsent(int fd) {
    int n = 0;
    return ioctl(fd, TIOCOUTQ, &n) == 0 && n > 0 ? (size_t)n : 0;
}

void port_close(int fd) {
    /* close() of a real port waits up to 30 s for a device that takes nothing. */
    if (port_unsent(fd))
        tcflush(fd, TCOFLUSH);
    /* A pseudo-terminal keeps the flag for as long as its other side lives. */
    ioctl(fd, TIOCNXCL);
    close(fd);
}
