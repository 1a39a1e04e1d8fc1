/* A machine on a bad day: loaded before the C library (LD_PRELOAD), it does what a test orders by a shared page.
 *
 * Files whose path ends as BADDAY_FILES says (endings, separated by colons) are watched: reads and writes fail with
 * the ordered errno, and with BADDAY_LOG every write, cut, removal and completed sync is written down in its order, so
 * that a test can say what a loss of power would have left. Names stop being looked up, or the wall clock jumps, on
 * order; names that end in ".test" are this machine. A call and its record are one step: what is not in the record had
 * not returned. Mapped memory (SQLite's -shm, which is made anew after a crash) is not watched.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MOST_FDS 4096
#define MOST_FILES 16
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

struct orders {
    int32_t write_errno, read_errno, names_gone, unused;
    int64_t clock_s;
};

static struct orders nothing, *orders = &nothing;
static const char *endings;
static int record_fd = -1;
static unsigned char watched[MOST_FDS]; /* the number of the file, 0 for none */
static char *paths[MOST_FILES + 1];
static pthread_mutex_t step = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *page = getenv("BADDAY_ORDERS"), *record = getenv("BADDAY_LOG");
    endings = getenv("BADDAY_FILES");
    if (page != NULL) {
        int fd = REAL(open)(page, O_RDONLY);
        void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof nothing, PROT_READ, MAP_SHARED, fd, 0);
        if (mapped != MAP_FAILED) orders = mapped;
        if (fd >= 0) REAL(close)(fd);
    }
    if (record != NULL) record_fd = REAL(open)(record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_watched(const char *path) {
    size_t length = path == NULL ? 0 : strlen(path);
    for (const char *at = endings; at != NULL && *at; at += strcspn(at, ":"), at += *at == ':') {
        size_t size = strcspn(at, ":");
        if (size && size <= length && memcmp(path + length - size, at, size) == 0) return 1;
    }
    return 0;
}

static void record(char kind, unsigned char file, uint64_t offset, const void *data, uint64_t size) {
    char head[18];
    if (record_fd < 0) return;
    head[0] = kind, head[1] = (char)file;
    memcpy(head + 2, &offset, 8), memcpy(head + 10, &size, 8);
    struct iovec parts[2] = {{head, sizeof head}, {(void *)data, data == NULL ? 0 : size}};
    if (REAL(writev)(record_fd, parts, 2) < 0) abort();
}

static unsigned char number_of(const char *path) {
    for (unsigned char file = 1; file <= MOST_FILES; file++) {
        if (paths[file] == NULL) {
            paths[file] = strdup(path);
            record('f', file, 0, path, strlen(path));
        }
        if (strcmp(paths[file], path) == 0) return file;
    }
    abort();
}

static int opened(int fd, const char *path) {
    if (fd >= 0 && fd < MOST_FDS && is_watched(path)) {
        pthread_mutex_lock(&step);
        watched[fd] = number_of(path);
        pthread_mutex_unlock(&step);
    }
    return fd;
}

#define OPEN(name)                                              \
    int name(const char *path, int flags, ...) {                \
        va_list rest;                                           \
        va_start(rest, flags);                                  \
        mode_t mode = va_arg(rest, mode_t);                     \
        va_end(rest);                                           \
        if (orders->read_errno && is_watched(path)) {           \
            errno = orders->read_errno;                         \
            return -1;                                          \
        }                                                       \
        return opened(REAL(name)(path, flags, mode), path);     \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    if (fd >= 0 && fd < MOST_FDS) watched[fd] = 0;
    return REAL(close)(fd);
}

static unsigned char file_of(int fd) { return fd >= 0 && fd < MOST_FDS ? watched[fd] : 0; }

#define CHANGE(kind, call, at, data, count)                     \
    unsigned char file = file_of(fd);                           \
    if (!file) return call;                                     \
    if (orders->write_errno) {                                  \
        errno = orders->write_errno;                            \
        return -1;                                              \
    }                                                           \
    pthread_mutex_lock(&step);                                  \
    __typeof__(call) done = call;                               \
    if (done >= 0) record(kind, file, at, data, count);         \
    pthread_mutex_unlock(&step);                                \
    return done;

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    CHANGE('w', REAL(pwrite)(fd, data, size, at), at, data, done)
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    CHANGE('w', REAL(pwrite64)(fd, data, size, at), at, data, done)
}
ssize_t write(int fd, const void *data, size_t size) {
    CHANGE('w', REAL(write)(fd, data, size), lseek(fd, 0, SEEK_CUR) - done, data, done)
}
int ftruncate(int fd, off_t size) { CHANGE('t', REAL(ftruncate)(fd, size), size, NULL, 0) }
int ftruncate64(int fd, off64_t size) { CHANGE('t', REAL(ftruncate64)(fd, size), size, NULL, 0) }
int fsync(int fd) { CHANGE('s', REAL(fsync)(fd), 0, NULL, 0) }
int fdatasync(int fd) { CHANGE('s', REAL(fdatasync)(fd), 0, NULL, 0) }

int unlink(const char *path) {
    if (!is_watched(path)) return REAL(unlink)(path);
    pthread_mutex_lock(&step);
    int done = REAL(unlink)(path);
    if (done == 0) record('u', number_of(path), 0, NULL, 0);
    pthread_mutex_unlock(&step);
    return done;
}

#define READ(call)                                              \
    if (orders->read_errno && file_of(fd)) {                    \
        errno = orders->read_errno;                             \
        return -1;                                              \
    }                                                           \
    return call;

ssize_t pread(int fd, void *data, size_t size, off_t at) { READ(REAL(pread)(fd, data, size, at)) }
ssize_t pread64(int fd, void *data, size_t size, off64_t at) { READ(REAL(pread64)(fd, data, size, at)) }
ssize_t read(int fd, void *data, size_t size) { READ(REAL(read)(fd, data, size)) }

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    struct in6_addr number;
    size_t length = name == NULL ? 0 : strlen(name);
    if (!length || inet_pton(AF_INET, name, &number) == 1 || inet_pton(AF_INET6, name, &number) == 1)
        return REAL(getaddrinfo)(name, service, hints, found);
    if (orders->names_gone) return EAI_AGAIN;
    int here = length > 5 && strcmp(name + length - 5, ".test") == 0;
    return REAL(getaddrinfo)(here ? "127.0.0.1" : name, service, hints, found);
}

int clock_gettime(clockid_t which, struct timespec *now) {
    static __typeof__(&clock_gettime) real;
    if (real == NULL) real = REAL(clock_gettime);
    int done = real(which, now);
    if (done == 0 && which == CLOCK_REALTIME) now->tv_sec += orders->clock_s;
    return done;
}

time_t time(time_t *to) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to != NULL) *to = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *now, void *zone) {
    (void)zone;
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec, now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}
