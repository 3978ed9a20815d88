/* Bodies that fail, lie, or never end, and request bodies that are neglected. hostile.c lists the
 * paths. */
#include "hostile.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

/* One step of a script. */
struct step {
  int32_t code;
  uint32_t kind;
  const char *text;
  uint32_t repeat; /* how often, 0 is once */
};

/* A body that plays a script. */
struct script {
  gw_body base;
  const struct step *steps;
  uint32_t played; /* repetitions of the step so far */
  bool ended;
  const char *noted; /* what to note at the drop, or NULL */
  uint64_t frames;
  int fd;
  uint64_t offset, length;
};

static const char chunk[64 * 1024];
static const gw_header good_trailers[1] = {
    {.name = (const uint8_t *)"x-sum",
     .name_len = 5,
     .value = (const uint8_t *)"1",
     .value_len = 1}};
static const gw_header framing_trailers[3] = {
    {.name = (const uint8_t *)"content-length",
     .name_len = 14,
     .name_id = GW_NAME_CONTENT_LENGTH,
     .value = (const uint8_t *)"99",
     .value_len = 2},
    {.name = (const uint8_t *)"transfer-encoding",
     .name_len = 17,
     .value = (const uint8_t *)"chunked",
     .value_len = 7},
    {.name = (const uint8_t *)"x-sum",
     .name_len = 5,
     .value = (const uint8_t *)"1",
     .value_len = 1}};
static const gw_header split_trailers[1] = {{.name = (const uint8_t *)"x-sum",
                                             .name_len = 5,
                                             .value = (const uint8_t *)"1\r\nx-forged: 1",
                                             .value_len = 14}};

static int32_t script_poll(gw_body *body, const gw_waker *waker, gw_frame *out) {
  struct script *self = (struct script *)body;
  const struct step *step = self->steps;
  (void)waker; /* a step that is PENDING is stuck on purpose */
  if (self->ended) note("polled after the end");
  if (step->code == GW_PENDING) return GW_PENDING;
  self->frames++;
  if (step->code != GW_READY || step->kind == GW_FRAME_END) self->ended = true;
  out->kind = step->kind;
  if (step->kind == GW_FRAME_DATA) {
    out->data = step->text == chunk ? (gw_buf){.ptr = (const uint8_t *)chunk, .len = sizeof chunk}
                                    : owned(step->text, strlen(step->text));
  } else if (step->kind == GW_FRAME_TRAILERS) {
    const char *kind = step->text;
    out->trailers = *kind == 'f' ? framing_trailers : *kind == 's' ? split_trailers : good_trailers;
    out->n_trailers = *kind == 'f' ? 3 : 1;
  } else if (step->kind == GW_FRAME_FILE) {
    out->fd = self->fd;
    out->offset = self->offset;
    out->length = self->length;
    self->fd = -1;
  }
  if (++self->played > step->repeat && !self->ended) {
    self->played = 0;
    self->steps++;
  }
  return step->code;
}

static void script_drop(gw_body *body) {
  struct script *self = (struct script *)body;
  if (self->noted != NULL) note("%s %llu frames", self->noted, (unsigned long long)self->frames);
  if (self->fd >= 0) close(self->fd);
  free(self);
}

static const gw_body_vt script_table = {
    .struct_size = sizeof script_table, .poll_frame = script_poll, .drop = script_drop};

static struct script *play_script(const struct step *steps) {
  struct script *script = calloc(1, sizeof *script);
  if (script == NULL) abort();
  script->base.vt = &script_table;
  script->steps = steps;
  script->fd = -1;
  return script;
}

static int32_t respond_with(struct turn *turn, struct script *script, int64_t length) {
  gw_response response = plain(200);
  response.body = &script->base;
  if (length >= 0) {
    response.flags = GW_RESPONSE_HAS_LENGTH;
    response.content_length = (uint64_t)length;
  }
  return attempt(turn->ctx, &response);
}

#define DATA(text) {GW_READY, GW_FRAME_DATA, text, 0}
#define END {GW_READY, GW_FRAME_END, NULL, 0}
#define FAIL(code) {code, GW_FRAME_END, NULL, 0}

static int32_t play_body(struct turn *turn) {
  static const struct step error[] = {DATA("hello"), FAIL(GW_IO)};
  static const struct step unknown[] = {DATA("hello"), {GW_READY, 77, NULL, 0}, END};
  static const struct step ten[] = {DATA("12345"), DATA("67890"), END};
  static const struct step five[] = {DATA("12345"), END};
  static const struct step empty[] = {{GW_READY, GW_FRAME_DATA, "", 999}, DATA("done"), END};
  static const struct step endless[] = {{GW_READY, GW_FRAME_DATA, chunk, UINT32_MAX}};
  static const struct step stuck[] = {DATA("hello"), {GW_PENDING, 0, NULL, 0}};
  static const struct step after[] = {DATA("hello"), END, END};
  const struct {
    const char *kind;
    const struct step *steps;
    int64_t length;
    const char *noted;
  } scripts[] = {
      {"error", error, -1, NULL},     {"error-first", error + 1, -1, NULL},
      {"unknown", unknown, -1, NULL}, {"long", ten, 5, NULL},
      {"short", five, 10, NULL},      {"empty", empty, -1, NULL},
      {"stuck", stuck, -1, "stuck"},  {"endless", endless, -1, "endless"},
      {"after", after, -1, NULL},     {"head", five, -1, "head"},
  };
  for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
    if (strcmp(turn->argument, scripts[i].kind) != 0) continue;
    struct script *script = play_script(scripts[i].steps);
    script->noted = scripts[i].noted;
    return respond_with(turn, script, scripts[i].length);
  }
  /* code/N: one step list per error code, made once and never freed. */
  if (strncmp(turn->argument, "code/", 5) != 0) return GW_INTERNAL;
  struct step *steps = calloc(2, sizeof *steps);
  if (steps == NULL) return GW_INTERNAL;
  steps[0] = (struct step)DATA("hello");
  steps[1] = (struct step)FAIL((int32_t)atol(turn->argument + 5));
  return respond_with(turn, play_script(steps), -1);
}

static int32_t play_trailers(struct turn *turn) {
  static const struct step good[] = {DATA("hello"), {GW_READY, GW_FRAME_TRAILERS, "good", 0}, END};
  static const struct step framing[] = {
      DATA("hello"), {GW_READY, GW_FRAME_TRAILERS, "framing", 0}, END};
  static const struct step split[] = {
      DATA("hello"), {GW_READY, GW_FRAME_TRAILERS, "split", 0}, END};
  static const struct step middle[] = {
      DATA("hello"), {GW_READY, GW_FRAME_TRAILERS, "middle", 0}, DATA("more"), END};
  const struct step *steps = *turn->argument == 'f'   ? framing
                             : *turn->argument == 's' ? split
                             : *turn->argument == 'm' ? middle
                                                      : good;
  return respond_with(turn, play_script(steps), -1);
}

static int32_t play_file(struct turn *turn) {
  static const struct step file[] = {{GW_READY, GW_FRAME_FILE, NULL, 0}, END};
  struct script *script = play_script(file);
  script->length = 10;
  if (strcmp(turn->argument, "directory") == 0) {
    script->fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  } else if (strcmp(turn->argument, "closed") != 0) {
    script->fd = memfd_create("hostile", MFD_CLOEXEC);
    if (script->fd < 0 || write(script->fd, "0123456789", 10) != 10) abort();
  }
  if (strcmp(turn->argument, "part") == 0) script->offset = 2, script->length = 3;
  if (strcmp(turn->argument, "short") == 0) script->length = 20;
  return respond_with(turn, script, (int64_t)script->length);
}

/* ---- request bodies -------------------------------------------------------------------------- */

/* A waker of our own: the host's bodies may be polled with it, from our threads. */
struct bell {
  gw_waker base;
  pthread_mutex_t lock;
  pthread_cond_t rung;
  bool ringing;
  unsigned owners;
};

static void bell_release(struct bell *self) {
  pthread_mutex_lock(&self->lock);
  unsigned left = --self->owners;
  pthread_mutex_unlock(&self->lock);
  if (left == 0) free(self);
}

static const gw_waker *bell_clone(const gw_waker *waker) {
  struct bell *self = (struct bell *)waker;
  pthread_mutex_lock(&self->lock);
  self->owners++;
  pthread_mutex_unlock(&self->lock);
  return waker;
}

static void bell_ring(const gw_waker *waker) {
  struct bell *self = (struct bell *)waker;
  pthread_mutex_lock(&self->lock);
  self->ringing = true;
  pthread_cond_signal(&self->rung);
  pthread_mutex_unlock(&self->lock);
}

static void bell_drop(const gw_waker *waker) { bell_release((struct bell *)waker); }

static void bell_wake(const gw_waker *waker) {
  bell_ring(waker);
  bell_drop(waker);
}

static const gw_waker_vt bell_table = {bell_clone, bell_wake, bell_ring, bell_drop};

static struct bell *bell_new(void) {
  struct bell *self = calloc(1, sizeof *self);
  if (self == NULL) abort();
  self->base.vt = &bell_table;
  pthread_mutex_init(&self->lock, NULL);
  pthread_cond_init(&self->rung, NULL);
  self->owners = 1;
  return self;
}

static void bell_wait(struct bell *self) {
  pthread_mutex_lock(&self->lock);
  while (!self->ringing) pthread_cond_wait(&self->rung, &self->lock);
  self->ringing = false;
  pthread_mutex_unlock(&self->lock);
}

/* Reads a body to its end. The result is how it ended; `bytes` grows by what was read. */
static int32_t read_all(gw_body *body, uint64_t *bytes) {
  struct bell *bell = bell_new();
  int32_t code;
  for (;;) {
    gw_frame frame = {.struct_size = sizeof frame};
    code = body->vt->poll_frame(body, &bell->base, &frame);
    if (code == GW_PENDING) {
      bell_wait(bell);
      continue;
    }
    if (code != GW_READY) break;
    if (frame.kind == GW_FRAME_DATA) {
      *bytes += frame.data.len;
      if (frame.data.drop != NULL) frame.data.drop(&frame.data);
    }
    if (frame.kind == GW_FRAME_END || (frame.flags & GW_FRAME_LAST) != 0) break;
  }
  bell_release(bell);
  return code;
}

/* A call whose body is read on a thread. The call and the thread own it together: `drop` must not
 * wait for a thread that may itself wait for the host. */
struct reader {
  gw_call base;
  gw_ctx *ctx;
  gw_body *body;
  pthread_mutex_t lock; /* guards what follows */
  const gw_waker *waker;
  unsigned owners;
  bool done;
  int32_t code;
  uint64_t bytes;
};

static void reader_release(struct reader *self) {
  pthread_mutex_lock(&self->lock);
  unsigned left = --self->owners;
  const gw_waker *waker = self->waker;
  self->waker = NULL;
  pthread_mutex_unlock(&self->lock);
  if (waker != NULL) waker->vt->wake(waker);
  if (left > 0) return;
  pthread_mutex_destroy(&self->lock);
  free(self);
}

static void *reader_run(void *argument) {
  struct reader *self = argument;
  uint64_t bytes = 0;
  int32_t code = read_all(self->body, &bytes);
  note("read %d", code);
  self->body->vt->drop(self->body);
  pthread_mutex_lock(&self->lock);
  self->code = code;
  self->bytes += bytes;
  self->done = true;
  pthread_mutex_unlock(&self->lock);
  reader_release(self);
  return NULL;
}

static void reader_drop(gw_call *call) {
  struct reader *self = (struct reader *)call;
  self->ctx->vt->drop(self->ctx);
  reader_release(self);
}

static int32_t reader_poll(gw_call *call, const gw_waker *waker) {
  struct reader *self = (struct reader *)call;
  pthread_mutex_lock(&self->lock);
  const gw_waker *old = self->waker;
  bool done = self->done;
  self->waker = done ? NULL : waker->vt->clone(waker);
  pthread_mutex_unlock(&self->lock);
  if (old != NULL) old->vt->drop(old);
  if (!done) return GW_PENDING;
  int32_t code = self->code == GW_READY
                     ? say(self->ctx, "%llu bytes", (unsigned long long)self->bytes)
                     : self->code;
  reader_drop(call);
  return code;
}

static const gw_call_vt reader_table = {
    .struct_size = sizeof reader_table, .poll = reader_poll, .drop = reader_drop};

static void *read_later(void *body) {
  gw_body *mine = body;
  uint64_t bytes = 0;
  pause_ms(100);
  note("later %d", read_all(mine, &bytes));
  mine->vt->drop(mine);
  return NULL;
}

static int32_t play_reqbody(struct turn *turn) {
  const char *kind = turn->argument;
  if (turn->body == NULL || strcmp(kind, "ignore") == 0) return say(turn->ctx, "0 bytes");
  turn->keeps_body = true;
  if (strcmp(kind, "leak") == 0) return say(turn->ctx, "leaked");
  pthread_t thread;
  if (strcmp(kind, "later") == 0) {
    if (pthread_create(&thread, NULL, read_later, turn->body) != 0) abort();
    pthread_detach(thread);
    return say(turn->ctx, "later");
  }
  struct reader *reader = calloc(1, sizeof *reader);
  if (reader == NULL) abort();
  reader->base.vt = &reader_table;
  reader->ctx = turn->ctx;
  reader->body = turn->body;
  reader->waker = turn->waker->vt->clone(turn->waker);
  reader->owners = 2;
  reader->bytes = turn->request->first != NULL ? turn->request->first->len : 0;
  pthread_mutex_init(&reader->lock, NULL);
  turn->keeps_ctx = true;
  if (pthread_create(&thread, NULL, reader_run, reader) != 0) abort();
  pthread_detach(thread);
  *turn->out = &reader->base;
  return GW_PENDING;
}

const struct trick body_tricks[] = {
    {"body", play_body},       {"trailers", play_trailers}, {"file", play_file},
    {"reqbody", play_reqbody}, {NULL, NULL},
};
