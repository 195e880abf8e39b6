/*
 * Records what a process does to the files below one folder, in the order it happens, so that the
 * disk can be rebuilt as a power cut at any moment might leave it. Loaded with LD_PRELOAD; stands in
 * for the C library's file calls and makes the system calls itself.
 *
 *   REC_ROOT     the folder, absolute and without symbolic links
 *   REC_LOG      the recording, appended to; it must lie outside the folder
 *   REC_SWALLOW  optional, "fdatasync:NAME" or "fsync:NAME": that call on files whose path ends in
 *                NAME returns success and does nothing. This is how a missing sync is played.
 *   REC_LAST     optional: after this many records of this process it ends at once, as by kill -9, so
 *                that no effect is left unrecorded.
 *   REC_FROM     optional: a file; REC_LAST counts from when it is there.
 *
 * One record: op (1 byte), path length (u32), a, b, data length (u64 each), path, data; little
 * endian. Paths are relative to the folder, "" is the folder itself. Each record is one append, so
 * that another process may append its own records (acknowledgements) to the same recording.
 *
 *   C path            a file came into being          M path     a folder came into being
 *   W path a=offset   data was written                T path a   the file was cut or grown to a
 *   F path a=offset b=length data=mode                space was allocated
 *   Y path a=call     a sync began                    Z path a=call   that sync succeeded
 *   N path data=to    was renamed                     U path     the name was removed
 *   L path data=to    got a second name
 *   X path data=call  something this recorder cannot follow: the recording is useless
 *
 * A sync covers the writes recorded before it began and counts from where it ended: other threads
 * go on in between. All other calls are made under one lock, so that records stand in the order of
 * their effects. Record after effect: a process killed in between leaves one effect unrecorded,
 * one that ends by itself or by REC_LAST none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PATH_ROOM (PATH_MAX + 64)
#define CALL_SYNC "fsync"
#define CALL_DATA_SYNC "fdatasync"

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static const char *root;
static size_t root_bytes;
static const char *swallow;
static uint32_t sync_calls;
static uint64_t records_left = UINT64_MAX;
static const char *counts_from;

__attribute__((constructor)) static void start(void) {
    const char *log = getenv("REC_LOG");
    root = getenv("REC_ROOT");
    swallow = getenv("REC_SWALLOW");
    const char *last = getenv("REC_LAST");
    if (last) {
        records_left = strtoull(last, NULL, 10);
    }
    counts_from = getenv("REC_FROM");
    if (!log || !root) {
        return;
    }
    root_bytes = strlen(root);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) {
        abort();
    }
    log_fd = fd;
}

static void lock(void) { pthread_mutex_lock(&turn); }
static void unlock(void) { pthread_mutex_unlock(&turn); }

/* A process may end while its other threads write: what is under way is recorded, and no more is done. */
__attribute__((destructor)) static void end(void) { lock(); }

/* ---- paths ---- */

/* The path below the folder, NULL for any other. */
static const char *below(const char *path) {
    if (log_fd < 0 || strncmp(path, root, root_bytes) != 0) {
        return NULL;
    }
    if (path[root_bytes] == '\0') {
        return "";
    }
    return path[root_bytes] == '/' ? path + root_bytes + 1 : NULL;
}

/* Where an open file lies now, NULL if elsewhere or if its name is gone. */
static const char *path_of(int fd, char room[PATH_ROOM]) {
    if (log_fd < 0) {
        return NULL;
    }
    int saved = errno;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long bytes = syscall(SYS_readlinkat, AT_FDCWD, link, room, PATH_ROOM - 1);
    errno = saved;
    if (bytes < 0) {
        return NULL;
    }
    room[bytes] = '\0';
    static const char gone[] = " (deleted)";
    size_t tail = sizeof gone - 1;
    if ((size_t)bytes > tail && strcmp(room + bytes - tail, gone) == 0) {
        return NULL;
    }
    return below(room);
}

/* Where a name lies, by way of its folder, since the name itself may not exist (any more). */
static const char *path_of_name(int folder, const char *name, char room[PATH_ROOM]) {
    if (log_fd < 0) {
        return NULL;
    }
    char copy[PATH_MAX];
    size_t bytes = strlen(name);
    while (bytes > 1 && name[bytes - 1] == '/') {
        bytes--;
    }
    if (bytes == 0 || bytes >= sizeof copy) {
        return NULL;
    }
    memcpy(copy, name, bytes);
    copy[bytes] = '\0';
    char *slash = strrchr(copy, '/');
    const char *last = slash ? slash + 1 : copy;
    const char *parent = slash ? copy : ".";
    if (slash == copy) {
        parent = "/";
    } else if (slash) {
        *slash = '\0';
    }
    int saved = errno;
    int fd = (int)syscall(SYS_openat, folder, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        errno = saved;
        return NULL;
    }
    const char *inner = path_of(fd, room);
    syscall(SYS_close, fd);
    errno = saved;
    if (!inner) {
        return NULL;
    }
    size_t length = strlen(room);
    if (length + 1 + strlen(last) >= PATH_ROOM) {
        abort();
    }
    room[length] = '/';
    strcpy(room + length + 1, last);
    return below(room);
}

/* ---- records ---- */

static void record(char op, const char *path, uint64_t a, uint64_t b, const struct iovec *data,
                   int parts, uint64_t data_bytes) {
    int saved = errno;
    uint32_t path_bytes = (uint32_t)strlen(path);
    char head[29];
    head[0] = op;
    memcpy(head + 1, &path_bytes, 4);
    memcpy(head + 5, &a, 8);
    memcpy(head + 13, &b, 8);
    memcpy(head + 21, &data_bytes, 8);
    /* One buffer and one write: an append is whole or, when cut by a kill, seen as cut. */
    size_t whole = sizeof head + path_bytes + data_bytes;
    char *bytes = malloc(whole);
    if (!bytes) {
        abort();
    }
    memcpy(bytes, head, sizeof head);
    memcpy(bytes + sizeof head, path, path_bytes);
    size_t at = sizeof head + path_bytes;
    for (int part = 0; part < parts && at < whole; part++) {
        size_t take = data[part].iov_len < whole - at ? data[part].iov_len : whole - at;
        memcpy(bytes + at, data[part].iov_base, take);
        at += take;
    }
    if (syscall(SYS_write, log_fd, bytes, whole) != (long)whole) {
        abort();
    }
    free(bytes);
    if (counts_from && syscall(SYS_faccessat, AT_FDCWD, counts_from, F_OK) == 0) {
        counts_from = NULL;
    }
    if (!counts_from && --records_left == 0) {
        syscall(SYS_exit_group, 137);
    }
    errno = saved;
}

static void record_text(char op, const char *path, const char *text) {
    struct iovec data = {(void *)text, strlen(text)};
    record(op, path, 0, 0, &data, 1, data.iov_len);
}

static void record_mark(char op, const char *path, uint64_t a) { record(op, path, a, 0, NULL, 0, 0); }

/* ---- opening ---- */

static int open_recorded(int folder, const char *name, int flags, mode_t mode) {
    if (log_fd < 0 || !(flags & (O_CREAT | O_TRUNC))) {
        return (int)syscall(SYS_openat, folder, name, flags, mode);
    }
    lock();
    struct stat before;
    int saved = errno;
    int existed = fstatat(folder, name, &before, 0) == 0;
    errno = saved;
    int fd = (int)syscall(SYS_openat, folder, name, flags, mode);
    char room[PATH_ROOM];
    const char *path = fd < 0 ? NULL : path_of(fd, room);
    if (path && (flags & O_TMPFILE) == O_TMPFILE) {
        record_text('X', path, "open with O_TMPFILE");
    } else if (path && !existed) {
        record_mark('C', path, 0);
    } else if (path && (flags & O_TRUNC) && before.st_size > 0) {
        record_mark('T', path, 0);
    }
    unlock();
    return fd;
}

#define OPTIONAL_MODE(flags)                                                                       \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                         \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode = va_arg(rest, mode_t);                                                               \
        va_end(rest);                                                                              \
    }

int open(const char *name, int flags, ...) {
    OPTIONAL_MODE(flags)
    return open_recorded(AT_FDCWD, name, flags, mode);
}
int open64(const char *name, int flags, ...) {
    OPTIONAL_MODE(flags)
    return open_recorded(AT_FDCWD, name, flags | O_LARGEFILE, mode);
}
int openat(int folder, const char *name, int flags, ...) {
    OPTIONAL_MODE(flags)
    return open_recorded(folder, name, flags, mode);
}
int openat64(int folder, const char *name, int flags, ...) {
    OPTIONAL_MODE(flags)
    return open_recorded(folder, name, flags | O_LARGEFILE, mode);
}
int creat(const char *name, mode_t mode) {
    return open_recorded(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int creat64(const char *name, mode_t mode) { return creat(name, mode); }

/* ---- writing ---- */

/* With offset < 0 the write goes where the file stands, or to its end. */
static ssize_t write_recorded(int fd, const struct iovec *data, int parts, off_t offset) {
    char room[PATH_ROOM];
    lock();
    const char *path = path_of(fd, room);
    ssize_t written = offset < 0 ? syscall(SYS_writev, fd, data, parts)
                                 : syscall(SYS_pwritev, fd, data, parts, offset, 0);
    if (path && written > 0) {
        int saved = errno;
        int flags = (int)syscall(SYS_fcntl, fd, F_GETFL);
        if (offset >= 0 && (flags & O_APPEND)) {
            record_text('X', path, "pwrite to a file opened for appending");
        } else {
            off_t at = offset >= 0 ? offset : (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) - written;
            record('W', path, (uint64_t)at, 0, data, parts, (uint64_t)written);
        }
        errno = saved;
    }
    unlock();
    return written;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    char room[PATH_ROOM];
    if (!path_of(fd, room)) {
        /* Pipes and sockets may block, and none of that is ours. */
        return syscall(SYS_write, fd, bytes, count);
    }
    struct iovec data = {(void *)bytes, count};
    return write_recorded(fd, &data, 1, -1);
}
ssize_t writev(int fd, const struct iovec *data, int parts) {
    char room[PATH_ROOM];
    if (!path_of(fd, room)) {
        return syscall(SYS_writev, fd, data, parts);
    }
    return write_recorded(fd, data, parts, -1);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    struct iovec data = {(void *)bytes, count};
    return write_recorded(fd, &data, 1, offset);
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    return pwrite64(fd, bytes, count, offset);
}
ssize_t pwritev64(int fd, const struct iovec *data, int parts, off64_t offset) {
    return write_recorded(fd, data, parts, offset);
}
ssize_t pwritev(int fd, const struct iovec *data, int parts, off_t offset) {
    return write_recorded(fd, data, parts, offset);
}

int ftruncate64(int fd, off64_t length) {
    char room[PATH_ROOM];
    lock();
    const char *path = path_of(fd, room);
    int done = (int)syscall(SYS_ftruncate, fd, length);
    if (path && done == 0) {
        record_mark('T', path, (uint64_t)length);
    }
    unlock();
    return done;
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int allocate_recorded(int fd, int mode, off64_t offset, off64_t length) {
    char room[PATH_ROOM];
    lock();
    const char *path = path_of(fd, room);
    int done = (int)syscall(SYS_fallocate, fd, mode, offset, length);
    if (path && done == 0) {
        uint32_t kept = (uint32_t)mode;
        struct iovec data = {&kept, sizeof kept};
        record('F', path, (uint64_t)offset, (uint64_t)length, &data, 1, sizeof kept);
    }
    unlock();
    return done;
}
int fallocate64(int fd, int mode, off64_t offset, off64_t length) {
    return allocate_recorded(fd, mode, offset, length);
}
int fallocate(int fd, int mode, off_t offset, off_t length) {
    return allocate_recorded(fd, mode, offset, length);
}
/* Unlike fallocate, returns the error and leaves errno alone. */
int posix_fallocate64(int fd, off64_t offset, off64_t length) {
    int saved = errno;
    int outcome = allocate_recorded(fd, 0, offset, length) == 0 ? 0 : errno;
    errno = saved;
    return outcome;
}
int posix_fallocate(int fd, off_t offset, off_t length) {
    return posix_fallocate64(fd, offset, length);
}

/* ---- syncing ---- */

static int is_swallowed(const char *call, const char *path) {
    if (!swallow || strncmp(swallow, call, strlen(call)) != 0 || swallow[strlen(call)] != ':') {
        return 0;
    }
    const char *name = swallow + strlen(call) + 1;
    size_t name_bytes = strlen(name), path_bytes = strlen(path);
    return path_bytes >= name_bytes && strcmp(path + path_bytes - name_bytes, name) == 0;
}

static int sync_recorded(int fd, const char *call, long number) {
    char room[PATH_ROOM];
    lock();
    const char *path = path_of(fd, room);
    if (!path) {
        unlock();
        return (int)syscall(number, fd);
    }
    if (is_swallowed(call, path)) {
        unlock();
        return 0;
    }
    uint64_t this_call = (uint64_t)getpid() << 32 | ++sync_calls;
    record_mark('Y', path, this_call);
    unlock();
    int done = (int)syscall(number, fd);
    if (done == 0) {
        lock();
        record_mark('Z', path, this_call);
        unlock();
    }
    return done;
}

int fsync(int fd) { return sync_recorded(fd, CALL_SYNC, SYS_fsync); }
int fdatasync(int fd) { return sync_recorded(fd, CALL_DATA_SYNC, SYS_fdatasync); }

/* ---- names ---- */

static int rename_recorded(int from_folder, const char *from, int to_folder, const char *to,
                           unsigned flags) {
    char from_room[PATH_ROOM], to_room[PATH_ROOM];
    lock();
    const char *from_path = path_of_name(from_folder, from, from_room);
    const char *to_path = path_of_name(to_folder, to, to_room);
    int done = (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    if (done == 0 && (from_path || to_path)) {
        if (from_path && to_path && !(flags & ~1u)) {
            record_text('N', from_path, to_path);
        } else {
            record_text('X', from_path ? from_path : to_path, "rename across the folder's border");
        }
    }
    unlock();
    return done;
}
int rename(const char *from, const char *to) {
    return rename_recorded(AT_FDCWD, from, AT_FDCWD, to, 0);
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return rename_recorded(from_folder, from, to_folder, to, 0);
}
int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    return rename_recorded(from_folder, from, to_folder, to, flags);
}

static int unlink_recorded(int folder, const char *name, int flags) {
    char room[PATH_ROOM];
    lock();
    const char *path = path_of_name(folder, name, room);
    int done = (int)syscall(SYS_unlinkat, folder, name, flags);
    if (path && done == 0) {
        record_mark('U', path, 0);
    }
    unlock();
    return done;
}
int unlink(const char *name) { return unlink_recorded(AT_FDCWD, name, 0); }
int unlinkat(int folder, const char *name, int flags) { return unlink_recorded(folder, name, flags); }
int rmdir(const char *name) { return unlink_recorded(AT_FDCWD, name, AT_REMOVEDIR); }

static int mkdir_recorded(int folder, const char *name, mode_t mode) {
    char room[PATH_ROOM];
    lock();
    int done = (int)syscall(SYS_mkdirat, folder, name, mode);
    const char *path = done == 0 ? path_of_name(folder, name, room) : NULL;
    if (path) {
        record_mark('M', path, 0);
    }
    unlock();
    return done;
}
int mkdir(const char *name, mode_t mode) { return mkdir_recorded(AT_FDCWD, name, mode); }
int mkdirat(int folder, const char *name, mode_t mode) { return mkdir_recorded(folder, name, mode); }

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    char from_room[PATH_ROOM], to_room[PATH_ROOM];
    lock();
    int done = (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
    const char *from_path = done == 0 ? path_of_name(from_folder, from, from_room) : NULL;
    const char *to_path = done == 0 ? path_of_name(to_folder, to, to_room) : NULL;
    if (from_path && to_path) {
        record_text('L', from_path, to_path);
    } else if (from_path || to_path) {
        record_text('X', from_path ? from_path : to_path, "a second name across the folder's border");
    }
    unlock();
    return done;
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

/* ---- what cannot be followed ---- */

static void refuse(int fd, const char *call) {
    char room[PATH_ROOM];
    lock();
    const char *path = path_of(fd, room);
    if (path) {
        record_text('X', path, call);
    }
    unlock();
}

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset) {
    if ((flags & MAP_SHARED) && (protection & PROT_WRITE) && fd >= 0) {
        refuse(fd, "mmap for shared writing");
    }
    return (void *)syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}
void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
    return mmap64(at, length, protection, flags, fd, offset);
}
ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t length,
                        unsigned flags) {
    refuse(to, "copy_file_range");
    return syscall(SYS_copy_file_range, from, from_at, to, to_at, length, flags);
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t count) {
    refuse(to, "sendfile");
    return syscall(SYS_sendfile, to, from, at, count);
}
ssize_t sendfile(int to, int from, off_t *at, size_t count) { return sendfile64(to, from, at, count); }
