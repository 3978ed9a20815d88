/* What an application has no business with: each try answers "0", or the errno that it got. */
#include "hostile.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char *const nothing[] = {(char *)"nothing", NULL};

/* A try that ends as system calls do; the argument is a path or a number. */
struct wall {
  const char *name;
  long (*attempt)(const char *argument);
};

static long closing(int fd) {
  int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
  return fd < 0 ? -1 : 0;
}

static long exec_here(const char *argument) {
  (void)argument;
  return execve("/nowhere", nothing, environ);
}

static long exec_at(const char *argument) {
  (void)argument;
  return syscall(SYS_execveat, AT_FDCWD, "/nowhere", nothing, environ, 0);
}

static long exec_memory(const char *argument) {
  (void)argument;
  int fd = memfd_create("program", MFD_CLOEXEC);
  long result = fexecve(fd, nothing, environ);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

static long fork_here(const char *argument) {
  (void)argument;
  pid_t child = fork();
  if (child == 0) _exit(0);
  return child < 0 ? -1 : (waitpid(child, NULL, 0), 0);
}

static long spawn(const char *argument) {
  (void)argument;
  pid_t child;
  int error = posix_spawn(&child, "/bin/true", NULL, NULL, nothing, environ);
  if (error == 0) waitpid(child, NULL, 0);
  errno = error;
  return error == 0 ? 0 : -1;
}

static long write_file(const char *path) {
  return closing(open(path, O_WRONLY | O_CREAT, 0600));
}

static long create_set_id(const char *path) {
  return closing(open(path, O_WRONLY | O_CREAT, 04755));
}

static long read_file(const char *path) { return closing(open(path, O_RDONLY)); }
static long truncate_file(const char *path) { return truncate(path, 0); }
static long make_folder(const char *path) { return mkdir(path, 0700); }
static long make_link(const char *path) { return symlink("/", path); }
static long make_device(const char *path) { return mknod(path, S_IFCHR | 0600, 0x103); }
static long remove_file(const char *path) { return unlink(path); }
static long chmod_set_id(const char *path) { return chmod(path, 04755); }
static long give_away(const char *path) { return chown(path, geteuid(), getegid()); }

static struct sockaddr_in here(const char *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(*port == '/' ? port + 1 : port))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static long with_socket(int family, int type, int protocol, long (*next)(int, const char *),
                        const char *argument) {
  int fd = socket(family, type, protocol);
  if (fd < 0) return -1;
  long result = next == NULL ? 0 : next(fd, argument);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

static long bind_it(int fd, const char *port) {
  struct sockaddr_in address = here(port);
  return bind(fd, (struct sockaddr *)&address, sizeof address);
}

static long listen_it(int fd, const char *argument) {
  (void)argument;
  return listen(fd, 1);
}

static long connect_it(int fd, const char *port) {
  struct sockaddr_in address = here(port);
  return connect(fd, (struct sockaddr *)&address, sizeof address);
}

static long fastopen_it(int fd, const char *port) {
  struct sockaddr_in address = here(port);
  return sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&address,
                sizeof address) < 0
             ? -1
             : 0;
}

static long connect_path(int fd, const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  return connect(fd, (struct sockaddr *)&address, sizeof address);
}

static long send_it(int fd, const char *port) {
  struct sockaddr_in address = here(port);
  return sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof address) < 0 ? -1 : 0;
}

static long tcp_bind(const char *port) { return with_socket(AF_INET, SOCK_STREAM, 0, bind_it, port); }
static long tcp_listen(const char *port) {
  return with_socket(AF_INET, SOCK_STREAM, 0, listen_it, port);
}
static long tcp_connect(const char *port) {
  return with_socket(AF_INET, SOCK_STREAM, 0, connect_it, port);
}
static long tcp_fastopen(const char *port) {
  return with_socket(AF_INET, SOCK_STREAM, 0, fastopen_it, port);
}
static long mptcp_connect(const char *port) {
  return with_socket(AF_INET, SOCK_STREAM, 262, connect_it, port);
}
static long udp_send(const char *port) { return with_socket(AF_INET, SOCK_DGRAM, 0, send_it, port); }
static long raw_socket(const char *unused) {
  return with_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP, NULL, unused);
}
static long packet_socket(const char *unused) {
  return with_socket(AF_PACKET, SOCK_RAW, 0, NULL, unused);
}
static long unix_connect(const char *path) {
  return with_socket(AF_UNIX, SOCK_STREAM, 0, connect_path, path);
}

/* A listening socket that was there before is as good as a new one. */
static long listen_again(const char *argument) {
  (void)argument;
  for (int fd = 3; fd < 256; fd++) {
    int listens = 0;
    socklen_t size = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens)
      return listen(fd, 4096);
  }
  errno = EBADF;
  return -1;
}

static long trace(const char *argument) {
  (void)argument;
  long result = ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
  if (result == 0) ptrace(PTRACE_DETACH, getppid(), NULL, NULL);
  return result;
}

static long read_memory(const char *pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/mem", *pid == '/' ? pid + 1 : pid);
  return closing(open(path, O_RDONLY));
}

static long signal_parent(const char *argument) {
  (void)argument;
  return kill(getppid(), 0);
}

static long signal_self(const char *argument) {
  (void)argument;
  return kill(getpid(), 0);
}

static long limit_parent(const char *argument) {
  (void)argument;
  struct rlimit limit;
  return prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit);
}

/* As the kernel has it, which sees 32 bits of the command; no descriptor is 0. */
static long type_in(const char *path) {
  int fd = *path ? open(path, O_RDWR | O_NOCTTY) : 0;
  long result = syscall(SYS_ioctl, fd, (1UL << 40) | TIOCSTI, "\n");
  int error = errno;
  if (fd > 0) close(fd);
  errno = error;
  return result;
}

static long paste(const char *argument) {
  (void)argument;
  char select = 3; /* TIOCL_PASTESEL */
  return ioctl(0, TIOCLINUX, &select);
}

static long nice_parent(const char *argument) {
  (void)argument;
  return setpriority(PRIO_PROCESS, (id_t)getppid(), getpriority(PRIO_PROCESS, (id_t)getppid()));
}

static long nice_group(const char *argument) {
  (void)argument;
  return setpriority(PRIO_PGRP, 0, getpriority(PRIO_PGRP, 0));
}

static long nice_self(const char *argument) {
  (void)argument;
  return setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0));
}

static long keep_place(pid_t pid) {
  cpu_set_t set;
  if (sched_getaffinity(pid, sizeof set, &set) != 0) return -1;
  return sched_setaffinity(pid, sizeof set, &set);
}

static long place_parent(const char *argument) {
  (void)argument;
  return keep_place(getppid());
}

static long place_self(const char *argument) {
  (void)argument;
  return keep_place(0) == 0 ? keep_place(getpid()) : -1;
}

static long keep_schedule(pid_t pid) {
  struct sched_param none = {0};
  return sched_setscheduler(pid, SCHED_OTHER, &none);
}

static long schedule_parent(const char *argument) {
  (void)argument;
  return keep_schedule(getppid());
}

static long schedule_self(const char *argument) {
  (void)argument;
  return keep_schedule(0);
}

/* Input for us would signal them. */
static long own_for_parent(long (*set)(int fd)) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return -1;
  long result = set(ends[0]);
  int error = errno;
  close(ends[0]);
  close(ends[1]);
  errno = error;
  return result;
}

static long set_owner(int fd) { return fcntl(fd, F_SETOWN, getppid()); }
static long set_owner_ex(int fd) {
  struct f_owner_ex owner = {F_OWNER_PID, getppid()};
  return fcntl(fd, F_SETOWN_EX, &owner);
}
static long set_signal(int fd) { return fcntl(fd, F_SETSIG, SIGTERM); }
static long set_owner_otherwise(int fd) {
  pid_t parent = getppid();
  return ioctl(fd, FIOSETOWN, &parent);
}
static long set_group_otherwise(int fd) {
  pid_t parent = getppid();
  return ioctl(fd, SIOCSPGRP, &parent);
}

#define OWNER(name, set)                   \
  static long name(const char *argument) { \
    (void)argument;                        \
    return own_for_parent(set);            \
  }

OWNER(owner, set_owner)
OWNER(owner_ex, set_owner_ex)
OWNER(owner_signal, set_signal)
OWNER(owner_ioctl, set_owner_otherwise)
OWNER(owner_socket, set_group_otherwise)

static long mount_it(const char *argument) {
  (void)argument;
  return mount("none", "/nowhere", "tmpfs", 0, NULL);
}

static long leave_namespace(const char *argument) {
  (void)argument;
  return unshare(CLONE_NEWUTS);
}

static long new_root(const char *argument) {
  (void)argument;
  return chroot("/nowhere");
}

#define CALL(name, number, ...)              \
  static long name(const char *argument) {   \
    (void)argument;                          \
    return syscall((number), __VA_ARGS__);   \
  }

/* Nothing is changed: what is to be set is missing or as it was. */
CALL(attributes_parent, SYS_sched_setattr, getppid(), NULL, 0)
CALL(order_parent, SYS_ioprio_set, 1, getppid(), 0)
CALL(order_self, SYS_ioprio_set, 1, 0, 0)
CALL(pages_parent, SYS_move_pages, getppid(), 0, NULL, NULL, NULL, 0)
CALL(kexec, SYS_kexec_load, 0, -1, NULL, 0)
CALL(load_module, SYS_init_module, NULL, 0, "")
CALL(bpf_call, SYS_bpf, -1, NULL, 0)
CALL(perf, SYS_perf_event_open, NULL, 0, -1, -1, 0)
CALL(keys, SYS_keyctl, KEYCTL_GET_KEYRING_ID, 0, 0)
CALL(uring, SYS_io_uring_setup, 1, NULL)
CALL(handle_fault, SYS_userfaultfd, -1)
CALL(other_abi, 0x40000000 + 39, 0)

static void *idle(void *argument) { return argument; }

static long thread(const char *argument) {
  (void)argument;
  pthread_t id;
  errno = pthread_create(&id, NULL, idle, NULL);
  return errno == 0 ? pthread_join(id, NULL) : -1;
}

static long chance(const char *argument) {
  (void)argument;
  char bytes[16];
  return getrandom(bytes, sizeof bytes, 0) == sizeof bytes ? 0 : -1;
}

static long pair(const char *argument) {
  (void)argument;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return -1;
  close(ends[0]);
  return closing(ends[1]);
}

static long look_up(const char *argument) {
  (void)argument;
  struct addrinfo *found = NULL;
  int error = getaddrinfo("localhost", "80", NULL, &found);
  if (error == 0) freeaddrinfo(found);
  return error;
}

static long library(const char *argument) {
  (void)argument;
  void *found = dlopen("libm.so.6", RTLD_NOW);
  return found == NULL ? -1 : dlclose(found);
}

static const struct wall walls[] = {
    {"exec", exec_here},
    {"exec-at", exec_at},
    {"exec-memory", exec_memory},
    {"fork", fork_here},
    {"spawn", spawn},
    {"write", write_file},
    {"read", read_file},
    {"truncate", truncate_file},
    {"folder", make_folder},
    {"link", make_link},
    {"device", make_device},
    {"remove", remove_file},
    {"set-id", chmod_set_id},
    {"create-set-id", create_set_id},
    {"give-away", give_away},
    {"bind", tcp_bind},
    {"listen", tcp_listen},
    {"listen-again", listen_again},
    {"connect", tcp_connect},
    {"fastopen", tcp_fastopen},
    {"mptcp", mptcp_connect},
    {"udp", udp_send},
    {"raw", raw_socket},
    {"packet", packet_socket},
    {"unix", unix_connect},
    {"trace", trace},
    {"memory", read_memory},
    {"signal", signal_parent},
    {"signal-self", signal_self},
    {"limit", limit_parent},
    {"type", type_in},
    {"paste", paste},
    {"nice", nice_parent},
    {"nice-group", nice_group},
    {"nice-self", nice_self},
    {"place", place_parent},
    {"place-self", place_self},
    {"schedule", schedule_parent},
    {"schedule-self", schedule_self},
    {"attributes", attributes_parent},
    {"order", order_parent},
    {"order-self", order_self},
    {"pages", pages_parent},
    {"owner", owner},
    {"owner-ex", owner_ex},
    {"owner-signal", owner_signal},
    {"owner-ioctl", owner_ioctl},
    {"owner-socket", owner_socket},
    {"mount", mount_it},
    {"namespace", leave_namespace},
    {"root", new_root},
    {"kexec", kexec},
    {"module", load_module},
    {"bpf", bpf_call},
    {"perf", perf},
    {"keys", keys},
    {"uring", uring},
    {"fault", handle_fault},
    {"other-abi", other_abi},
    {"thread", thread},
    {"chance", chance},
    {"pair", pair},
    {"look-up", look_up},
    {"library", library},
    {NULL, NULL},
};

/* wall/NAME, or wall/NAME/ARGUMENT; a path has its own slash before it. */
static int32_t play_wall(struct turn *turn) {
  const char *argument = strchr(turn->argument, '/');
  size_t length = argument ? (size_t)(argument - turn->argument) : strlen(turn->argument);
  argument = argument ? argument : "";
  for (const struct wall *wall = walls; wall->name; wall++) {
    if (strlen(wall->name) != length || strncmp(wall->name, turn->argument, length) != 0) continue;
    errno = 0;
    long result = wall->attempt(argument);
    return say(turn->ctx, "%d", result == 0 ? 0 : errno);
  }
  return say(turn->ctx, "no such wall");
}

const struct trick wall_tricks[] = {
    {"wall", play_wall},
    {NULL, NULL},
};
