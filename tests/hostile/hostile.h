/* What the parts of the hostile module share. See hostile.c for what the module does. */
#ifndef HOSTILE_H
#define HOSTILE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"

/* One request on its way through `call`. */
struct turn {
  const gw_request *request;
  const gw_waker *waker;
  gw_call **out;
  gw_ctx *ctx;
  gw_body *body;
  const char *argument; /* what follows the trick's name and a slash, else "" */
  bool keeps_ctx;       /* the trick has taken the duty to drop `ctx` */
  bool keeps_body;      /* the trick has taken the duty to drop `body` */
};

/* A path and what happens there; the result is that of `call`. */
struct trick {
  const char *name;
  int32_t (*play)(struct turn *turn);
};

/* Each part's list, ended by a NULL name. */
extern const struct trick answer_tricks[];
extern const struct trick body_tricks[];
extern const struct trick async_tricks[];
extern const struct trick fault_tricks[];
extern const struct trick wall_tricks[];
extern const struct trick metric_tricks[];

extern const gw_host *hostile_host;

/* Remembers a line for GET /notes, from any thread. The oldest lines are forgotten. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* All lines so far, oldest first, as a buffer of its own. */
gw_buf notes(void);

/* Bytes on the heap, and bytes that are static. */
gw_buf owned(const void *bytes, size_t len);
gw_buf fixed(const char *text);
gw_str str(const char *text);
gw_header field(const char *name, const char *value);

/* A response without fields or body. */
gw_response plain(uint32_t status);
/* Responds 200 with a text made from a format. */
int32_t say(gw_ctx *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Tries a response that should be refused; answers 200 "refused CODE" if it is. Whatever was not
 * moved is dropped. */
int32_t attempt(gw_ctx *ctx, gw_response *response);

/* Milliseconds without hurry, on threads of our own. */
void pause_ms(unsigned ms);

#endif
