/* What an application may do to the server's processes around it. hostile.c lists the paths. */
#include "hostile.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is(const struct turn *turn, const char *kind) { return strcmp(turn->argument, kind) == 0; }

/* Any byte, always the same sequence. */
static uint8_t noise(void) {
  static uint32_t state = 2463534242;
  state ^= state << 13, state ^= state >> 17, state ^= state << 5;
  return (uint8_t)state;
}

/* Overwrites every mapping that is shared with the server's other processes. */
static int32_t play_scribble(struct turn *turn) {
  FILE *maps = fopen("/proc/self/maps", "r");
  if (maps == NULL) return say(turn->ctx, "no maps");
  char line[512];
  int mappings = 0;
  while (fgets(line, sizeof line, maps) != NULL) {
    unsigned long start, end;
    char rights[5] = "";
    if (strstr(line, "memfd:gatewayd-") == NULL) continue;
    if (sscanf(line, "%lx-%lx %4s", &start, &end, rights) != 3 || strcmp(rights, "rw-s") != 0) continue;
    for (volatile uint8_t *byte = (uint8_t *)start; byte < (uint8_t *)end; byte++) {
      *byte = is(turn, "noise") ? noise() : is(turn, "ones") ? 0xFF : 0;
    }
    mappings++;
  }
  fclose(maps);
  return say(turn->ctx, "%d mappings", mappings);
}

/* Calls `each` with every descriptor above standard error. */
static void each_descriptor(void (*each)(int fd, int *count), int *count) {
  DIR *folder = opendir("/proc/self/fd");
  if (folder == NULL) return;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    int fd = atoi(entry->d_name);
    if (fd > 2 && fd != dirfd(folder)) each(fd, count);
  }
  closedir(folder);
}

static void shrink(int fd, int *count) {
  struct stat found;
  if (fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && ftruncate(fd, 0) == 0) ++*count;
}

static void babble(int fd, int *count) {
  int type = 0;
  socklen_t size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) return;
  uint8_t words[64];
  for (size_t i = 0; i < sizeof words; i++) words[i] = noise();
  if (send(fd, words, sizeof words, MSG_DONTWAIT | MSG_NOSIGNAL) > 0) ++*count;
}

static int32_t play_shrink(struct turn *turn) {
  int shrunk = 0;
  each_descriptor(shrink, &shrunk);
  return say(turn->ctx, "%d shrunk", shrunk);
}

static int32_t play_babble(struct turn *turn) {
  int told = 0;
  each_descriptor(babble, &told);
  return say(turn->ctx, "%d told", told);
}

/* Leaves a program running that inherits what it can and outlives everybody. */
static int32_t play_subprocess(struct turn *turn) {
  pid_t child = fork();
  if (child == 0) {
    int nothing = open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= 2; fd++) dup2(nothing, fd);
    if (nothing > 2) close(nothing);
    setsid();
    execlp("sleep", "sleep", "60", (char *)NULL);
    _exit(127);
  }
  return say(turn->ctx, "%d", (int)child);
}

const struct trick fault_tricks[] = {
    {"scribble", play_scribble},
    {"shrink", play_shrink},
    {"babble", play_babble},
    {"subprocess", play_subprocess},
    {NULL, NULL},
};
