/* The world `guest` as C: its imports, by the canonical ABI, and the same as the JavaScript module `sandbox/host`. */
#pragma once
#include <quickjs.h>
#include <stdint.h>

/* A string or list that the host has put into our memory; ours to free. */
typedef struct {
    char *data;
    uint32_t length;
} host_list;

typedef struct {
    uint64_t handle;
    uint8_t ok;
    host_list json;
} host_completion;

/* At most this many random bytes come from one call. */
enum { HOST_RANDOM_MAX = 1024 };

/* Waits for completions; a negative timeout waits without end. */
host_list host_wait(int64_t timeout_ms);

/* The module of a server, or the error; either is the caller's to free. While the snapshot is made: of the prelude. */
bool host_describe(const char *name, size_t length, host_list *text);

void host_random(uint32_t count, void *to);

/* Hands over what was printed so far. */
void host_flush(void);

/* A string as UTF-8 that the host accepts: what UTF-8 cannot carry is replaced. NULL where there was an exception. */
const char *host_text(JSContext *ctx, JSValueConst value, size_t *length);

/* The file of the program, whose lines are told with each call. */
void host_set_program(JSAtom file);

/* The module `sandbox/host`. */
JSModuleDef *host_module(JSContext *ctx);
