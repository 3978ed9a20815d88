/*
 * A module that breaks the rules, to see that a host keeps them.
 *
 *     cc -std=gnu11 -shared -fPIC -fvisibility=hidden -pthread -I gateway-spec/include
 *        [-D...] -o libhostile.so tests/hostile/hostile.c tests/hostile/answers.c
 *        tests/hostile/bodies.c tests/hostile/async.c
 *
 * DESCRIPTOR, by -D at compile time; each of these must be refused at loading:
 *
 *     HOSTILE_SYMBOL=name          the symbol is called otherwise: not found
 *     HOSTILE_MAGIC=number         not GW_MAGIC
 *     HOSTILE_MAJOR=2              a newer major version
 *     HOSTILE_MIN_HOST_MINOR=9999  a host that does not exist yet
 *     HOSTILE_FLAGS=1ULL<<63       an unknown critical flag (1ULL<<31 is harmless and must load)
 *     HOSTILE_STRUCT_SIZE=100      a truncated descriptor (1000 is a later one and must load)
 *     HOSTILE_NO_CREATE            `create` is NULL
 *     HOSTILE_NO_CALL              `call` is NULL in the application's table
 *     HOSTILE_APP_VT_SIZE=16       the table ends before `call`
 *
 * LIFESPAN, by the application's argument (one word):
 *
 *     create-fail          fails with the message "hostile: create failed on purpose"
 *     create-silent        fails without a message
 *     create-null          READY, but no instance was stored
 *     startup-fail         fails with the message "hostile: startup failed\nforged: on purpose"
 *     startup-overlong     fails and claims a message longer than the buffer
 *     startup-pending      never ready and never wakes
 *     startup-late         ready after a wake from a thread, 50 ms later
 *     startup-positive     returns 7, which is no result
 *     shutdown-pending     never finishes its shutdown
 *     shutdown-fail        fails in shutdown
 *
 * REQUESTS, by path. A trick that should be refused by `respond` answers 200 "refused CODE" if it
 * is (a host that accepts it sends the forbidden response itself). What can only be seen later, or
 * on another thread, is written down: GET /notes answers the lines so far, one per line.
 *
 *     /ok                 200 "ok"
 *     /notes              200 the notes
 *     an empty path       200 "ok": to CONNECT in authority-form it is refused, and there is no other
 *
 *   answers.c
 *     /twice              answers "first", then tries another; note "twice CODE" (TOO_LATE)
 *     /never              READY without a response (500)
 *     /code/N             returns N without a response (errors: 500, 413, 408, 400; 2, 99, -99:
 *                         500)
 *     /code-after/N       answers "answered", then returns N: the response must be whole
 *     /status/N           responds with status N: refused outside 200..599; 100, 101, 103 too
 *     /bodiless/N         status N (204, 205, 304) with content
 *     /head/WHAT          one bad field, WHAT of: cr lf nul lead trail space colon upper empty
 *                         high null-array huge-count long-value; `many` is 500 good ones, `odd-id`
 *                         has an unknown name id with a good name: both fit
 *     /order              set-cookie, x-between, set-cookie, set-cookie: kept so
 *     /facts              200 "scheme S, client is peer|differs, forwarded F, mount LENGTH"
 *     /framing/NAME       responds with a field of that name (connection, transfer-encoding,
 *                         keep-alive, te, trailer, upgrade, proxy-connection); refused
 *     /framing-id/KIND    `named`: the id of transfer-encoding on "x-ok"; `hidden`: the id of
 *                         "etag" on transfer-encoding. Refused
 *     /length/KIND        `long`: declares 5, gives 10 ("12345" arrives); `short`: declares 10,
 *                         gives 5 (reset or refused); `header`: content-length 7 for 5 bytes;
 *                         `words`: content-length "five"; `two`: two that disagree; `max`: 2^64-1,
 *                         gives 5
 *     /flags/KIND         `critical`: unknown bit 63 (refused -2); `low`: unknown bit 31 ("ok")
 *     /size/KIND          `zero`: struct_size 0 (refused); `more`: 64 bytes of 0xFF after the
 *                         known fields ("ok")
 *     /inform/N           `inform` with N; answers "inform CODE". /inform/bad has CR LF in a
 *                         value; /inform/after comes after the response, note "inform-after CODE"
 *     /upgrade/KIND       `unoffered`: UPGRADE without an offer (refused); `early`: upgrade before
 *                         respond, answers "upgrade CODE"
 *     /ext                asks for "no.such/1"; answers "ext null"
 *     /log                logs control characters, an unknown level, no target, no text
 *
 *   bodies.c
 *     /body/KIND          `error`: "hello", then IO; `error-first`: IO at once; `code/N`: "hello",
 *                         then N; `unknown`: "hello", then a frame of kind 77; `long`: declares 5,
 *                         streams 10; `short`: declares 10, streams 5; `empty`: 1000 empty frames,
 *                         then "done"; `endless`: 64 KiB frames for ever, note "endless N frames"
 *                         at its drop; `stuck`: "hello", then PENDING for ever, note "stuck N
 *                         frames" at its drop; `after`: notes "polled after the end" if that
 *                         happens; `head`: a body for HEAD, which must not be sent
 *     /trailers/KIND      `good`: "hello" and x-sum: 1; `framing`: content-length and
 *                         transfer-encoding among them, which are dropped; `split`: CR LF in a
 *                         value; `middle`: DATA follows
 *     /file/KIND          `whole`: "0123456789"; `part`: "234"; `short`: 20 bytes of a file of 10;
 *                         `closed`: descriptor -1; `directory`: not a regular file
 *     /reqbody/KIND       `ignore`: drops it unread; `leak`: never drops it; `later`: answers, and
 *                         a thread polls it after the exchange, note "later CODE" (CLOSED) unless
 *                         the body was shorter than what the host had read; `thread`: reads it on
 *                         a thread, answers "N bytes", note "read CODE"
 *
 *   async.c
 *     /pending            never ends; note "dropped" when the host cancels it
 *     /thread/KIND        `respond`: tries to respond from a thread while pending, answers "thread
 *                         CODE" (TOO_LATE); `after`: answers "ok", then a thread tries every
 *                         function of ctx; notes "after
 *                         respond|inform|closed|draining|upgrade|flags CODE" (CLOSED each)
 *     /wake/KIND          `storm`: 4 threads, 10000 wakes each, then "calm"; `self`: 1000 wakes
 *                         from inside `poll`; `late`: wakes for 100 ms after the call has ended;
 *                         `leak`: clones and forgets
 *     /leak/ctx           never gives the exchange back
 *     /finish             FINISH_ON_DISCONNECT; pending for 200 ms, then answers; note "finished"
 *     /closed             pending until the client has gone; note "closed CODE"
 *     /draining           pending until the host drains, then answers "draining"
 *     /block/MS           blocks the thread inside `call`
 *     /upgrade-then/KIND  UPGRADE if offered: `echo`: echoes the stream; `never`: READY without
 *                         asking for the stream; `twice`: asks twice, note "upgrade CODE"
 *
 *   faults.c, if compiled with HOSTILE_FAULTS
 *     /scribble/KIND      overwrites what is shared with the server's other processes: `ones`, `noise`,
 *                         else zeros; answers "N mappings"
 *     /shrink             truncates every file that is open; answers "N shrunk"
 *     /babble             sends noise to the master; answers "N told"
 *     /subprocess         starts `sleep 60` in a session of its own; answers its pid
 *
 *   Undefined behaviour, for the interposer of `gatewayd --lint` alone:
 *     /ub/ctx             gives the exchange back twice; 200 "ub" first
 *     /ub/body            drops the request's body twice
 *     /ub/waker           drops a waker twice
 */
#include "hostile.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <time.h>

struct hostile {
  gw_app base;
  char mode[32];
  int polls; /* of startup */
};

const gw_host *hostile_host;

/* ---- the notes ------------------------------------------------------------------------------ */

enum { NOTE_LINES = 64, NOTE_LEN = 96 };

static pthread_mutex_t notes_lock = PTHREAD_MUTEX_INITIALIZER;
static char note_lines[NOTE_LINES][NOTE_LEN];
static size_t note_count;

void note(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  pthread_mutex_lock(&notes_lock);
  vsnprintf(note_lines[note_count++ % NOTE_LINES], NOTE_LEN, format, arguments);
  pthread_mutex_unlock(&notes_lock);
  va_end(arguments);
}

gw_buf notes(void) {
  char text[NOTE_LINES * NOTE_LEN];
  size_t len = 0;
  pthread_mutex_lock(&notes_lock);
  size_t first = note_count > NOTE_LINES ? note_count - NOTE_LINES : 0;
  for (size_t i = first; i < note_count; i++) {
    len += (size_t)snprintf(text + len, sizeof text - len, "%s\n", note_lines[i % NOTE_LINES]);
  }
  pthread_mutex_unlock(&notes_lock);
  return owned(text, len);
}

/* ---- small things --------------------------------------------------------------------------- */

static void free_bytes(gw_buf *self) { free((void *)self->priv[0]); }

gw_buf owned(const void *bytes, size_t len) {
  uint8_t *copy = malloc(len + 1);
  if (copy == NULL) abort();
  memcpy(copy, bytes, len);
  return (gw_buf){.ptr = copy, .len = len, .drop = free_bytes, .priv = {(uintptr_t)copy}};
}

gw_buf fixed(const char *text) {
  return (gw_buf){.ptr = (const uint8_t *)text, .len = strlen(text)};
}

gw_str str(const char *text) { return (gw_str){(const uint8_t *)text, strlen(text)}; }

gw_header field(const char *name, const char *value) {
  return (gw_header){
      .name = (const uint8_t *)name,
      .name_len = (uint32_t)strlen(name),
      .value = (const uint8_t *)value,
      .value_len = (uint32_t)strlen(value),
  };
}

gw_response plain(uint32_t status) {
  return (gw_response){.struct_size = sizeof(gw_response), .status = status};
}

int32_t say(gw_ctx *ctx, const char *format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  int len = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  gw_response response = plain(200);
  gw_header type = field("content-type", "text/plain");
  response.headers = &type;
  response.n_headers = 1;
  response.first = owned(text, (size_t)len);
  int32_t code = ctx->vt->respond(ctx, &response);
  if (code != GW_READY && response.first.drop != NULL) response.first.drop(&response.first);
  return code;
}

int32_t attempt(gw_ctx *ctx, gw_response *response) {
  int32_t code = ctx->vt->respond(ctx, response);
  if (code == GW_READY) return GW_READY;
  if (response->first.drop != NULL) response->first.drop(&response->first);
  if (response->body != NULL) response->body->vt->drop(response->body);
  return say(ctx, "refused %d", code);
}

void pause_ms(unsigned ms) {
  struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000};
  while (nanosleep(&left, &left) == -1 && errno == EINTR) {
  }
}

/* ---- calls ---------------------------------------------------------------------------------- */

static int32_t play_ok(struct turn *turn) { return say(turn->ctx, "ok"); }

static int32_t play_notes(struct turn *turn) {
  gw_response response = plain(200);
  response.first = notes();
  return attempt(turn->ctx, &response);
}

static const struct trick own_tricks[] = {{"ok", play_ok}, {"notes", play_notes}, {NULL, NULL}};

/* The trick whose name is the path's first segment. */
static const struct trick *find(const char *path, const char **argument) {
  const struct trick *lists[] = {
      own_tricks,
      answer_tricks,
      body_tricks,
      async_tricks,
#ifdef HOSTILE_FAULTS
      fault_tricks,
#endif
#ifdef HOSTILE_WALLS
      wall_tricks,
#endif
#ifdef HOSTILE_METRICS
      metric_tricks,
#endif
  };
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
    for (const struct trick *trick = lists[i]; trick->name != NULL; trick++) {
      size_t len = strlen(trick->name);
      if (strncmp(path, trick->name, len) != 0) continue;
      if (path[len] != '\0' && path[len] != '/') continue;
      *argument = path[len] == '/' ? path + len + 1 : "";
      return trick;
    }
  }
  return NULL;
}

static int32_t call(const gw_app *app, const gw_request *request, const gw_waker *waker,
                    gw_call **out) {
  (void)app;
  char path[128] = "";
  size_t skip = request->mount.len + 1;
  if (request->path.len > skip && request->path.len - skip < sizeof path) {
    memcpy(path, request->path.ptr + skip, request->path.len - skip);
  }
  struct turn turn = {
      .request = request, .waker = waker, .out = out, .ctx = request->ctx, .body = request->body};
  const struct trick *trick = find(path, &turn.argument);
  int32_t code;
  if (trick != NULL) {
    code = trick->play(&turn);
  } else if (request->path.len == 0) {
    code = play_ok(&turn);
  } else {
    gw_response missing = plain(404);
    code = attempt(turn.ctx, &missing);
  }
  if (turn.body != NULL && !turn.keeps_body) turn.body->vt->drop(turn.body);
  if (!turn.keeps_ctx) turn.ctx->vt->drop(turn.ctx);
  return code;
}

/* ---- lifespan ------------------------------------------------------------------------------- */

static bool mode_is(const gw_app *app, const char *mode) {
  return strcmp(((const struct hostile *)app)->mode, mode) == 0;
}

static int32_t fail(gw_error *error, const char *text) {
  size_t len = strlen(text);
  error->code = GW_INTERNAL;
  error->len = len < error->cap ? len : error->cap;
  memcpy(error->text, text, error->len);
  return GW_INTERNAL;
}

static void *wake_soon(void *waker) {
  pause_ms(50);
  ((const gw_waker *)waker)->vt->wake(waker);
  return NULL;
}

static int32_t startup(const gw_app *app, const gw_waker *waker, gw_error *error) {
  if (mode_is(app, "startup-fail")) {
    return fail(error, "hostile: startup failed\nforged: on purpose");
  }
  if (mode_is(app, "startup-overlong")) {
    error->len = error->cap + 4096;
    error->code = GW_IO;
    return GW_IO;
  }
  if (mode_is(app, "startup-pending")) return GW_PENDING;
  if (mode_is(app, "startup-positive")) return 7;
  if (mode_is(app, "startup-late") && ((struct hostile *)app)->polls++ == 0) {
    pthread_t thread;
    const gw_waker *mine = waker->vt->clone(waker);
    if (pthread_create(&thread, NULL, wake_soon, (void *)mine) != 0) abort();
    pthread_detach(thread);
    return GW_PENDING;
  }
  return GW_READY;
}

static int32_t shut_down(const gw_app *app, const gw_waker *waker, uint64_t deadline_ns) {
  (void)waker, (void)deadline_ns;
  if (mode_is(app, "shutdown-pending")) return GW_PENDING;
  return mode_is(app, "shutdown-fail") ? GW_IO : GW_READY;
}

static void destroy(const gw_app *app) { free((void *)app); }

#ifndef HOSTILE_APP_VT_SIZE
#define HOSTILE_APP_VT_SIZE sizeof(gw_app_vt)
#endif

static const gw_app_vt table = {
    .struct_size = HOSTILE_APP_VT_SIZE,
    .startup = startup,
#ifndef HOSTILE_NO_CALL
    .call = call,
#endif
    .shutdown = shut_down,
    .destroy = destroy,
};

__attribute__((unused)) static int32_t create(const gw_host *host, const gw_config *config,
                                              const gw_app **out, gw_error *error) {
  struct hostile *self = calloc(1, sizeof *self);
  if (self == NULL) return GW_INTERNAL;
  hostile_host = host;
  (void)call; /* unused with HOSTILE_NO_CALL */
  self->base.vt = &table;
  if (config->argument.len < sizeof self->mode) {
    memcpy(self->mode, config->argument.ptr, config->argument.len);
  }
  if (mode_is(&self->base, "create-fail")) {
    free(self);
    return fail(error, "hostile: create failed on purpose");
  }
  if (mode_is(&self->base, "create-silent") || mode_is(&self->base, "create-null")) {
    int32_t code = mode_is(&self->base, "create-null") ? GW_READY : GW_INTERNAL;
    free(self);
    return code;
  }
  *out = &self->base;
  return GW_READY;
}

/* ---- descriptor ----------------------------------------------------------------------------- */

#ifndef HOSTILE_SYMBOL
#define HOSTILE_SYMBOL gateway_module_v1
#endif
#ifndef HOSTILE_MAGIC
#define HOSTILE_MAGIC GW_MAGIC
#endif
#ifndef HOSTILE_MAJOR
#define HOSTILE_MAJOR GW_ABI_MAJOR
#endif
#ifndef HOSTILE_MIN_HOST_MINOR
#define HOSTILE_MIN_HOST_MINOR 0
#endif
#ifndef HOSTILE_FLAGS
#define HOSTILE_FLAGS GW_MODULE_USES_RUNTIME
#endif
#ifndef HOSTILE_STRUCT_SIZE
#define HOSTILE_STRUCT_SIZE sizeof(gw_module)
#endif

extern GW_EXPORT const gw_module HOSTILE_SYMBOL;

const gw_module HOSTILE_SYMBOL = {
    .magic = HOSTILE_MAGIC,
    .struct_size = HOSTILE_STRUCT_SIZE,
    .abi_major = HOSTILE_MAJOR,
    .abi_minor = GW_ABI_MINOR,
    .min_host_minor = HOSTILE_MIN_HOST_MINOR,
    .flags = HOSTILE_FLAGS,
    .name = "hostile",
    .version = "1.0.0",
    .builder = "cc",
#ifndef HOSTILE_NO_CREATE
    .create = create,
#endif
};
