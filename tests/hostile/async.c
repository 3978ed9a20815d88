/* Calls that stay pending, threads that come too late, wakers, streams. hostile.c lists the
 * paths. */
#include "hostile.h"

#include <pthread.h>

/* A pending call with a step function; the part that a thread may share is counted. */
struct wait {
  gw_call base;
  gw_ctx *ctx;
  int32_t (*step)(struct wait *self, const gw_waker *waker);
  pthread_mutex_t lock; /* guards waker and owners */
  const gw_waker *waker;
  unsigned owners;
  unsigned polls;
  int32_t code; /* atomic: what a thread found out; 1 is nothing yet */
  gw_stream *stream;
  uint8_t buffer[4096];
  size_t filled;
};

static void wait_release(struct wait *self) {
  pthread_mutex_lock(&self->lock);
  unsigned left = --self->owners;
  pthread_mutex_unlock(&self->lock);
  if (left > 0) return;
  if (self->waker != NULL) self->waker->vt->drop(self->waker);
  pthread_mutex_destroy(&self->lock);
  free(self);
}

static void wait_end(struct wait *self) {
  if (self->stream != NULL) self->stream->vt->drop(self->stream);
  self->ctx->vt->drop(self->ctx);
  wait_release(self);
}

/* Keeps the waker of this poll for threads, instead of the one before. */
static void wait_remember(struct wait *self, const gw_waker *waker) {
  pthread_mutex_lock(&self->lock);
  const gw_waker *old = self->waker;
  self->waker = waker->vt->clone(waker);
  pthread_mutex_unlock(&self->lock);
  if (old != NULL) old->vt->drop(old);
}

static void wait_wake(struct wait *self) {
  pthread_mutex_lock(&self->lock);
  if (self->waker != NULL) self->waker->vt->wake_by_ref(self->waker);
  pthread_mutex_unlock(&self->lock);
}

static int32_t wait_poll(gw_call *call, const gw_waker *waker) {
  struct wait *self = (struct wait *)call;
  self->polls++;
  int32_t code = self->step(self, waker);
  if (code != GW_PENDING) wait_end(self);
  return code;
}

static void wait_drop(gw_call *call) {
  note("dropped");
  wait_end((struct wait *)call);
}

static const gw_call_vt wait_table = {
    .struct_size = sizeof wait_table, .poll = wait_poll, .drop = wait_drop};

/* Makes `call` return PENDING; `threads` of them run `work` and release their share at the end. */
static int32_t start(struct turn *turn, int32_t (*step)(struct wait *, const gw_waker *),
                     void *(*work)(void *), unsigned threads) {
  struct wait *self = calloc(1, sizeof *self);
  if (self == NULL) abort();
  self->base.vt = &wait_table;
  self->ctx = turn->ctx;
  self->step = step;
  self->code = 1;
  self->owners = 1 + threads;
  pthread_mutex_init(&self->lock, NULL);
  wait_remember(self, turn->waker);
  turn->keeps_ctx = true;
  for (unsigned i = 0; i < threads; i++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, self) != 0) abort();
    pthread_detach(thread);
  }
  *turn->out = &self->base;
  return GW_PENDING;
}

/* The same without threads, polled once more at once, so that the step registers. */
static int32_t start_polling(struct turn *turn, int32_t (*step)(struct wait *, const gw_waker *)) {
  start(turn, step, NULL, 0);
  gw_call *call = *turn->out;
  int32_t code = call->vt->poll(call, turn->waker);
  if (code != GW_PENDING) *turn->out = NULL;
  return code;
}

static bool is(const struct turn *turn, const char *kind) {
  return strcmp(turn->argument, kind) == 0;
}

/* ---- pending --------------------------------------------------------------------------------- */

static int32_t step_never(struct wait *self, const gw_waker *waker) {
  (void)self, (void)waker;
  return GW_PENDING;
}

static int32_t play_pending(struct turn *turn) { return start(turn, step_never, NULL, 0); }

static int32_t play_block(struct turn *turn) {
  pause_ms((unsigned)strtoul(turn->argument, NULL, 10));
  return say(turn->ctx, "blocked");
}

static int32_t step_closed(struct wait *self, const gw_waker *waker) {
  int32_t code = self->ctx->vt->poll_closed(self->ctx, waker);
  if (code == GW_PENDING) return GW_PENDING;
  note("closed %d", code);
  return GW_CLOSED;
}

static int32_t play_closed(struct turn *turn) {
  turn->ctx->vt->set_flags(turn->ctx, GW_CTX_FINISH_ON_DISCONNECT);
  return start_polling(turn, step_closed);
}

static int32_t step_draining(struct wait *self, const gw_waker *waker) {
  int32_t code = self->ctx->vt->poll_draining(self->ctx, waker);
  return code == GW_PENDING ? GW_PENDING : say(self->ctx, "draining");
}

static int32_t play_draining(struct turn *turn) {
  return start_polling(turn, step_draining);
}

/* ---- threads --------------------------------------------------------------------------------- */

static int32_t step_report(struct wait *self, const gw_waker *waker) {
  wait_remember(self, waker);
  int32_t code = __atomic_load_n(&self->code, __ATOMIC_ACQUIRE);
  return code == 1 ? GW_PENDING : say(self->ctx, "thread %d", code);
}

static void *respond_elsewhere(void *argument) {
  struct wait *self = argument;
  __atomic_store_n(&self->code, say(self->ctx, "from a thread"), __ATOMIC_RELEASE);
  wait_wake(self);
  wait_release(self);
  return NULL;
}

static const gw_waker *idle_clone(const gw_waker *self) { return self; }
static void idle_wake(const gw_waker *self) { (void)self; }
static const gw_waker_vt idle_table = {idle_clone, idle_wake, idle_wake, idle_wake};
static const gw_waker idle = {&idle_table};

/* After the call and, given the pause, after the exchange. */
static void *use_afterwards(void *argument) {
  gw_ctx *ctx = argument;
  gw_stream *stream = NULL;
  gw_header link = field("link", "</late.css>");
  pause_ms(100);
  note("after respond %d", say(ctx, "too late"));
  note("after inform %d", ctx->vt->inform(ctx, 103, &link, 1));
  note("after closed %d", ctx->vt->poll_closed(ctx, &idle));
  note("after draining %d", ctx->vt->poll_draining(ctx, &idle));
  note("after upgrade %d", ctx->vt->upgrade(ctx, &idle, &stream));
  note("after flags %d", ctx->vt->set_flags(ctx, 0));
  if (stream != NULL) stream->vt->drop(stream);
  ctx->vt->drop(ctx);
  return NULL;
}

static int32_t step_finish(struct wait *self, const gw_waker *waker) {
  wait_remember(self, waker);
  if (__atomic_load_n(&self->code, __ATOMIC_ACQUIRE) == 1) return GW_PENDING;
  note("finished");
  return say(self->ctx, "finished");
}

static void *finish_soon(void *argument) {
  struct wait *self = argument;
  pause_ms(200);
  __atomic_store_n(&self->code, 0, __ATOMIC_RELEASE);
  wait_wake(self);
  wait_release(self);
  return NULL;
}

static int32_t play_finish(struct turn *turn) {
  turn->ctx->vt->set_flags(turn->ctx, GW_CTX_FINISH_ON_DISCONNECT);
  return start(turn, step_finish, finish_soon, 1);
}

/* ---- wakers ---------------------------------------------------------------------------------- */

static int32_t step_storm(struct wait *self, const gw_waker *waker) {
  wait_remember(self, waker);
  return __atomic_load_n(&self->code, __ATOMIC_ACQUIRE) < 5 ? GW_PENDING : say(self->ctx, "calm");
}

static void *storm(void *argument) {
  struct wait *self = argument;
  for (int i = 0; i < 10000; i++) wait_wake(self);
  __atomic_add_fetch(&self->code, 1, __ATOMIC_RELEASE);
  wait_wake(self);
  wait_release(self);
  return NULL;
}

static int32_t step_self(struct wait *self, const gw_waker *waker) {
  if (self->polls > 1000) return say(self->ctx, "polled %u times", self->polls);
  waker->vt->wake_by_ref(waker);
  return GW_PENDING;
}

static void *wake_late(void *argument) {
  const gw_waker *waker = argument;
  for (int i = 0; i < 100; i++) {
    waker->vt->wake_by_ref(waker);
    pause_ms(1);
  }
  waker->vt->wake(waker);
  return NULL;
}

static int32_t play_wake(struct turn *turn) {
  const gw_waker *waker = turn->waker;
  if (is(turn, "storm")) return start(turn, step_storm, storm, 4);
  if (is(turn, "self")) {
    waker->vt->wake_by_ref(waker);
    return start(turn, step_self, NULL, 0);
  }
  const gw_waker *mine = waker->vt->clone(waker);
  if (is(turn, "late")) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, wake_late, (void *)mine) != 0) abort();
    pthread_detach(thread);
  }
  return say(turn->ctx, "ok"); /* `leak`: nobody drops `mine` */
}

/* ---- upgrades -------------------------------------------------------------------------------- */

static int32_t step_echo(struct wait *self, const gw_waker *waker) {
  if (self->stream == NULL) {
    int32_t code = self->ctx->vt->upgrade(self->ctx, waker, &self->stream);
    if (code != GW_READY) return code;
  }
  gw_stream *stream = self->stream;
  for (;;) {
    int32_t code;
    size_t n = 0;
    if (self->filled == 0) {
      code = stream->vt->poll_read(stream, waker, self->buffer, sizeof self->buffer, &n);
      if (code != GW_READY) return code;
      if (n == 0) return GW_READY;
      self->filled = n;
    }
    gw_iov piece = {self->buffer, self->filled};
    code = stream->vt->poll_write(stream, waker, &piece, 1, &n);
    if (code != GW_READY) return code;
    memmove(self->buffer, self->buffer + n, self->filled -= n);
    code = stream->vt->poll_flush(stream, waker);
    if (code < 0) return code;
  }
}

static int32_t step_twice(struct wait *self, const gw_waker *waker) {
  if (self->stream == NULL) {
    int32_t code = self->ctx->vt->upgrade(self->ctx, waker, &self->stream);
    if (code != GW_READY) return code;
  }
  gw_stream *second = NULL;
  note("upgrade %d", self->ctx->vt->upgrade(self->ctx, waker, &second));
  return GW_READY;
}

static int32_t play_upgrade_then(struct turn *turn) {
  gw_response response = plain(101);
  response.flags = GW_RESPONSE_UPGRADE;
  response.protocol = turn->request->protocol;
  int32_t code = turn->ctx->vt->respond(turn->ctx, &response);
  if (code != GW_READY) return say(turn->ctx, "refused %d", code);
  if (is(turn, "never")) return GW_READY;
  return start_polling(turn, is(turn, "twice") ? step_twice : step_echo);
}

/* ---- leaks and undefined behaviour ----------------------------------------------------------- */

static int32_t play_leak(struct turn *turn) {
  turn->keeps_ctx = true;
  return say(turn->ctx, "leaked");
}

static int32_t play_thread(struct turn *turn) {
  if (is(turn, "respond")) return start(turn, step_report, respond_elsewhere, 1);
  pthread_t thread;
  turn->keeps_ctx = true;
  if (pthread_create(&thread, NULL, use_afterwards, turn->ctx) != 0) abort();
  pthread_detach(thread);
  return say(turn->ctx, "ok");
}

static int32_t play_ub(struct turn *turn) {
  int32_t code = say(turn->ctx, "ub");
  if (is(turn, "ctx")) {
    turn->ctx->vt->drop(turn->ctx);
  } else if (is(turn, "body") && turn->body != NULL) {
    turn->body->vt->drop(turn->body);
  } else if (is(turn, "waker")) {
    const gw_waker *mine = turn->waker->vt->clone(turn->waker);
    mine->vt->drop(mine);
    mine->vt->drop(mine);
  }
  return code;
}

const struct trick async_tricks[] = {
    {"pending", play_pending},   {"block", play_block},
    {"closed", play_closed},     {"draining", play_draining},
    {"finish", play_finish},     {"thread", play_thread},
    {"wake", play_wake},         {"upgrade-then", play_upgrade_then},
    {"leak", play_leak},         {"ub", play_ub},
    {NULL, NULL},
};
