/* The imports of the world `guest` and their JavaScript face. See host.h. */
#include "host.h"

#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "pages.h"

#define IMPORT(name) __attribute__((import_module("tta:sandbox/host@0.1.0"), import_name(name))) extern

IMPORT("servers") void import_servers(host_list *result);
IMPORT("describe") void import_describe(const char *, uint32_t, void *result);
IMPORT("start-call") uint64_t import_start_call(const char *, uint32_t, const char *, uint32_t, const char *, uint32_t, uint32_t line);
IMPORT("cancel-call") void import_cancel_call(uint64_t handle);
IMPORT("wait-any") void import_wait_any(int32_t is_some, int64_t timeout_ms, host_list *result);
IMPORT("print") void import_print(int32_t to, const char *, uint32_t);
IMPORT("random") void import_random(uint32_t count, host_list *result);
IMPORT("now") uint64_t import_now(void);
IMPORT("wall") uint64_t import_wall(void);

/* Where the host puts what it returns, with room for a zero behind it. An allocation that fails must trap: the ABI has no
   other answer. A run begins here, with the room for its arguments. */
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, uint32_t old_size, uint32_t align, uint32_t size)
{
    if (size == 0)
        return (void *)(uintptr_t)align;
    pages_own();
    void *data = realloc(old, size + 1);
    if (!data)
        __builtin_trap();
    return data;
}

static void release(host_list list)
{
    if (list.length)
        free(list.data);
}

static JSValue take_string(JSContext *ctx, host_list text)
{
    JSValue value = JS_NewStringLen(ctx, text.data, text.length);
    release(text);
    return value;
}

host_list host_wait(int64_t timeout_ms)
{
    host_list completions;
    host_flush();
    import_wait_any(timeout_ms >= 0, timeout_ms, &completions);
    return completions;
}

bool host_describe(const char *name, size_t length, host_list *text)
{
    struct {
        uint8_t is_error;
        host_list text;
    } result;
    import_describe(name, length, &result);
    *text = result.text;
    return !result.is_error;
}

void host_random(uint32_t count, void *to)
{
    host_list bytes;
    import_random(count, &bytes);
    memcpy(to, bytes.data, bytes.length < count ? bytes.length : count);
    release(bytes);
}

const char *host_text(JSContext *ctx, JSValueConst value, size_t *length)
{
    const char *text = JS_ToCStringLen(ctx, length, value);
    if (!text)
        return NULL;
    /* A lone surrogate comes as ED A0..BF xx; U+FFFD is as long. Such a text is always a buffer of its own. */
    for (const char *at = text; (at = memchr(at, 0xED, text + *length - at)); at++)
        if (text + *length - at >= 3 && (uint8_t)at[1] >= 0xA0)
            memcpy((char *)at, "\xEF\xBF\xBD", 3);
    return text;
}

/* --- printing: the first lines at once, so that a program which is stopped in mid-work has said what it said; what
   follows gathered, so that a million lines are not a million calls --- */

enum { BUFFER_BYTES = 8192, PROMPT_LINES = 200 };
static struct {
    char data[BUFFER_BYTES];
    uint32_t length;
    uint32_t printed;
} buffers[2];

static void flush(int to)
{
    if (buffers[to].length)
        import_print(to, buffers[to].data, buffers[to].length);
    buffers[to].length = 0;
}

void host_flush(void)
{
    flush(0);
    flush(1);
}

static void print(int to, const char *text, size_t length)
{
    if (buffers[to].length + length > BUFFER_BYTES)
        flush(to);
    if (length > BUFFER_BYTES || buffers[to].printed < PROMPT_LINES) {
        buffers[to].printed++;
        import_print(to, text, length);
        return;
    }
    memcpy(buffers[to].data + buffers[to].length, text, length);
    buffers[to].length += length;
}

/* --- the module `sandbox/host` --- */

static JSAtom program_file;
static engine_position last_start; /* Where the last call was made. */

void host_set_program(JSAtom file)
{
    program_file = file;
}

static JSValue js_servers(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    host_list names;
    import_servers(&names);
    return take_string(ctx, names);
}

/* describe(server) -> [ok, json] */
static JSValue js_describe(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    host_list text;
    size_t length;
    const char *server = host_text(ctx, argv[0], &length);
    if (!server)
        return JS_EXCEPTION;
    bool ok = host_describe(server, length, &text);
    JS_FreeCString(ctx, server);
    JSValue pair = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, pair, 0, JS_NewBool(ctx, ok));
    JS_SetPropertyUint32(ctx, pair, 1, take_string(ctx, text));
    return pair;
}

/* startCall(server, tool, json) -> handle */
static JSValue js_start_call(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    const char *texts[3] = {0};
    size_t lengths[3];
    JSValue handle = JS_EXCEPTION;
    for (int i = 0; i < 3; i++)
        if (!(texts[i] = host_text(ctx, argv[i], &lengths[i])))
            goto done;
    last_start = engine_here(ctx, program_file);
    /* Handles count up from the run's start, so a double holds every one of them. */
    handle = JS_NewFloat64(ctx, import_start_call(texts[0], lengths[0], texts[1], lengths[1], texts[2], lengths[2],
                                                  last_start.line));
done:
    for (int i = 0; i < 3; i++)
        JS_FreeCString(ctx, texts[i]);
    return handle;
}

static JSValue js_cancel_call(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    double handle;
    if (JS_ToFloat64(ctx, &handle, argv[0]))
        return JS_EXCEPTION;
    import_cancel_call(handle);
    return JS_UNDEFINED;
}

static JSValue js_print(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    size_t length;
    const char *text = host_text(ctx, argv[1], &length);
    if (!text)
        return JS_EXCEPTION;
    print(JS_ToBool(ctx, argv[0]) ? 1 : 0, text, length);
    JS_FreeCString(ctx, text);
    return JS_UNDEFINED;
}

static JSValue js_random(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    uint8_t bytes[HOST_RANDOM_MAX];
    uint32_t count;
    if (JS_ToUint32(ctx, &count, argv[0]))
        return JS_EXCEPTION;
    if (count > HOST_RANDOM_MAX)
        return JS_ThrowRangeError(ctx, "at most %d random bytes at once", HOST_RANDOM_MAX);
    host_random(count, bytes);
    return JS_NewArrayBufferCopy(ctx, bytes, count);
}

static JSValue js_now(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    return JS_NewFloat64(ctx, import_now() / 1e6);
}

/* startedAt() -> line * 2^20 + column of the last startCall, 0 where unknown */
static JSValue js_started_at(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    return JS_NewFloat64(ctx, last_start.line * 1048576.0 + last_start.column);
}

static JSValue js_encode(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    size_t length;
    const char *text = host_text(ctx, argv[0], &length);
    if (!text)
        return JS_EXCEPTION;
    JSValue bytes = JS_NewArrayBufferCopy(ctx, (const uint8_t *)text, length);
    JS_FreeCString(ctx, text);
    return bytes;
}

static JSValue js_decode(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    size_t length;
    uint8_t *bytes = JS_GetUint8Array(ctx, &length, argv[0]);
    return bytes ? JS_NewStringLen(ctx, (const char *)bytes, length) : JS_EXCEPTION;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("servers", 0, js_servers),
    JS_CFUNC_DEF("describe", 1, js_describe),
    JS_CFUNC_DEF("startCall", 3, js_start_call),
    JS_CFUNC_DEF("cancelCall", 1, js_cancel_call),
    JS_CFUNC_DEF("print", 2, js_print),
    JS_CFUNC_DEF("random", 1, js_random),
    JS_CFUNC_DEF("now", 0, js_now),
    JS_CFUNC_DEF("startedAt", 0, js_started_at),
    JS_CFUNC_DEF("encode", 1, js_encode),
    JS_CFUNC_DEF("decode", 1, js_decode),
};

static int fill(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, functions, sizeof functions / sizeof *functions);
}

JSModuleDef *host_module(JSContext *ctx)
{
    JSModuleDef *module = JS_NewCModule(ctx, "sandbox/host", fill);
    if (module)
        JS_AddModuleExportList(ctx, module, functions, sizeof functions / sizeof *functions);
    return module;
}

/* --- what the C library would ask of WASI, answered here, so that the component imports our host alone --- */

enum { WASI_BADF = 8 };

int32_t __imported_wasi_snapshot_preview1_fd_fdstat_get(int32_t fd, int32_t to) { return WASI_BADF; }
int close(int fd) { return -1; }
int32_t __imported_wasi_snapshot_preview1_fd_seek(int32_t fd, int64_t by, int32_t from, int32_t to) { return WASI_BADF; }
int32_t __imported_wasi_snapshot_preview1_fd_write(int32_t fd, int32_t from, int32_t count, int32_t to) { return WASI_BADF; }

int32_t __imported_wasi_snapshot_preview1_clock_time_get(int32_t clock, int64_t precision, int32_t to)
{
    *(uint64_t *)(uintptr_t)to = clock == 0 ? import_wall() : import_now();
    return 0;
}
