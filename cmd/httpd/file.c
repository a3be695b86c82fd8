#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cond.h"
#include "mime.h"
#include "reply.h"

struct file {
    int fd;
    struct cond_file is;
    const struct mime *mime;
    bool gzip;   /* it is the .gz beside the file asked for */
    bool varies; /* there is one */
};

/* Non-blocking, so that a named pipe in the directory does not hold us. */
enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

/* Without openat2 (kernels before 5.6, some sandboxes): open, then see where it led. */
static int open_checked(int dir, const char *path) {
    char link[32], root[PATH_MAX], at[PATH_MAX];
    int fd = openat(dir, path, OPEN_FLAGS);
    if (fd < 0)
        return -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
    ssize_t n = readlink(link, root, sizeof root - 1);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t m = readlink(link, at, sizeof at - 1);
    if (n > 0 && m > n && memcmp(root, at, (size_t)n) == 0 && (at[n] == '/' || n == 1))
        return fd;
    close(fd);
    errno = EXDEV;
    return -1;
}

static int open_beneath(int dir, const char *path) {
    static bool absent;
    struct open_how how = {.flags = OPEN_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    if (absent)
        return open_checked(dir, path);
    int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
        return fd;
    absent = true;
    return open_checked(dir, path);
}

/* 0, or the status to answer with. */
static unsigned file_open(struct file *f, int dir, const char *path, bool beneath) {
    struct stat st;
    f->fd = beneath ? open_beneath(dir, path) : openat(dir, path, OPEN_FLAGS);
    if (f->fd < 0)
        return errno == EACCES ? 403 : errno == EMFILE || errno == ENFILE ? 503 : 404;
    if (fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode)) {
        f->is.mtime_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
        f->is.size = (uint64_t)st.st_size;
        return 0;
    }
    close(f->fd);
    f->fd = -1;
    return S_ISDIR(st.st_mode) ? 403 : 404;
}

/* A part of a packed file is of no use to anybody, so a range is always of the plain one. */
static void prefer_gzip(struct request *q, struct file *f, int dir, const char *path,
                        bool beneath) {
    char name[PATH_BYTES + 4];
    struct file gz = {.mime = f->mime, .gzip = true, .varies = true};
    int n = snprintf(name, sizeof name, "%s.gz", path);
    if (!f->mime->text || n >= (int)sizeof name || file_open(&gz, dir, name, beneath) != 0)
        return;
    f->varies = true;
    bool wanted = !request_header(q, "Range") && request_has_token(q, "Accept-Encoding", "gzip");
    close(wanted ? f->fd : gz.fd);
    if (wanted)
        *f = gz;
}

static struct MHD_Response *make(const struct file *f, const struct cond_part *part) {
    struct MHD_Response *r;
    if (part->status == 304 || part->status == 416 || part->len == 0)
        r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    else
        r = MHD_create_response_from_fd_at_offset64(part->len, f->fd, part->at);
    if (!r || part->status == 304 || part->status == 416 || part->len == 0)
        close(f->fd);
    return r;
}

static void content_range(struct MHD_Response *r, const struct file *f,
                          const struct cond_part *part) {
    char text[80];
    unsigned long long size = f->is.size, first = part->at, last = part->at + part->len - 1;
    if (part->status == 206)
        snprintf(text, sizeof text, "bytes %llu-%llu/%llu", first, last, size);
    else
        snprintf(text, sizeof text, "bytes */%llu", size);
    reply_header(r, "Content-Range", text);
}

static void describe(struct MHD_Response *r, const struct file *f, const struct cond_part *part) {
    char text[COND_TEXT];
    if (f->varies)
        reply_header(r, "Vary", "Accept-Encoding");
    reply_header(r, "X-Content-Type-Options", "nosniff");
    if (part->status == 206 || part->status == 416)
        content_range(r, f, part);
    if (part->status == 416)
        return;
    reply_header(r, "Accept-Ranges", "bytes");
    reply_header(r, "ETag", cond_etag(&f->is, text));
    reply_header(r, "Last-Modified", cond_date(&f->is, text));
    if (part->status == 304)
        return;
    reply_header(r, "Content-Type", f->mime->type);
    if (f->gzip)
        reply_header(r, "Content-Encoding", "gzip");
}

void file_serve(struct request *q, int dir, const char *path, bool beneath) {
    struct file f = {.mime = mime_of(path)};
    struct cond_ask ask = {request_header(q, "If-None-Match"),
                           request_header(q, "If-Modified-Since"), request_header(q, "If-Range"),
                           request_header(q, "Range")};
    struct cond_part part;
    unsigned status = file_open(&f, dir, path, beneath);
    if (status) {
        reply_error(q, status, NULL);
        return;
    }
    prefer_gzip(q, &f, dir, path, beneath);
    if (strcmp(q->method, "GET") != 0) /* ranges are defined for GET only */
        ask.range = NULL;
    cond_decide(&f.is, &ask, &part);
    struct MHD_Response *r = make(&f, &part);
    describe(r, &f, &part);
    request_answer(q, part.status, r, part.len);
}
