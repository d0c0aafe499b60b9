/* The JavaScript guest: `init` makes the snapshot, `run` serves one program in a copy of it.

   Everything that can be said in JavaScript is: see prelude/main.js, whose exports are called here by name. C does what
   JavaScript cannot: compile the program, load modules, run jobs, wait. */
#include <quickjs.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "host.h"
#include "pages.h"

/* The shadow stack that a program may use. The rest is for what runs between two checks; and one byte of it goes with up to
   some tens of bytes of the machine's own stack, of which there are 32 MiB. */
enum { PROGRAM_STACK_BYTES = STACK_BYTES - (256 << 10), GC_BYTES = 16 << 20 };

static JSRuntime *rt;
static JSContext *ctx;
static JSValue sandbox; /* The namespace of prelude/main.js. */
static const char *program_name;

static JSValue call(const char *name, int argc, JSValueConst *argv)
{
    JSValue function = JS_GetPropertyStr(ctx, sandbox, name);
    JSValue value = JS_Call(ctx, function, JS_UNDEFINED, argc, argv);
    JS_FreeValue(ctx, function);
    return value;
}

/* --- modules --- */

/* Names are taken as they are written. */
static char *normalize(JSContext *c, const char *base, const char *name, void *opaque)
{
    return js_strdup(c, name);
}

/* The prelude's modules are loaded, so only here can they be kept from a program. `load` throws for their names. */
static char *normalize_for_program(JSContext *c, const char *base, const char *name, void *opaque)
{
    if (strncmp(name, "sandbox/", strlen("sandbox/")))
        return js_strdup(c, name);
    JSValue specifier = JS_NewString(c, name);
    JS_FreeValue(c, call("load", 1, &specifier));
    JS_FreeValue(c, specifier);
    return NULL;
}

/* The host has the sources while the snapshot is made, and ends it where one is missing; nothing of them stays. */
static JSModuleDef *load_prelude(JSContext *c, const char *name, void *opaque)
{
    if (!strcmp(name, "sandbox/host"))
        return host_module(c);
    host_list source;
    host_describe(name, strlen(name), &source);
    source.data[source.length] = 0; /* The parser wants it; cabi_realloc left room. */
    JSValue module = JS_Eval(c, source.data, source.length, name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    free(source.data);
    engine_drop_sources(rt);
    return JS_IsException(module) ? NULL : JS_VALUE_GET_PTR(module);
}

static int fill_exports(JSContext *c, JSModuleDef *module)
{
    JSValue exports = JS_GetModulePrivateValue(c, module);
    JSPropertyEnum *names;
    uint32_t count;
    if (JS_GetOwnPropertyNames(c, &names, &count, exports, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        const char *name = JS_AtomToCString(c, names[i].atom);
        JS_SetModuleExport(c, module, name, JS_GetProperty(c, exports, names[i].atom));
        JS_FreeCString(c, name);
    }
    JS_FreePropertyEnum(c, names, count);
    JS_FreeValue(c, exports);
    return 0;
}

/* A module of the sandbox: main.js says what it exports, and what stands for the whole of it. */
static JSModuleDef *load_program(JSContext *c, const char *name, void *opaque)
{
    JSValue specifier = JS_NewString(c, name);
    JSValue described = call("load", 1, &specifier);
    JS_FreeValue(c, specifier);
    if (JS_IsException(described))
        return NULL;
    JSModuleDef *module = JS_NewCModule(c, name, fill_exports);
    JSValue exports = JS_GetPropertyStr(c, described, "exports");
    JSPropertyEnum *names;
    uint32_t count;
    if (module && !JS_GetOwnPropertyNames(c, &names, &count, exports, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY)) {
        for (uint32_t i = 0; i < count; i++) {
            const char *export = JS_AtomToCString(c, names[i].atom);
            JS_AddModuleExport(c, module, export);
            JS_FreeCString(c, export);
        }
        JS_FreePropertyEnum(c, names, count);
        JS_SetModulePrivateValue(c, module, exports);
        engine_set_namespace(module, JS_GetPropertyStr(c, described, "namespace"));
    }
    JS_FreeValue(c, described);
    return module;
}

static void note_rejection(JSContext *c, JSValueConst promise, JSValueConst reason, bool is_handled, void *opaque)
{
    JSValueConst arguments[] = {promise, reason, JS_NewBool(c, is_handled)};
    JS_FreeValue(c, call("noteRejection", 3, arguments));
}

/* --- the snapshot --- */

__attribute__((export_name("init"))) void init(void)
{
    pages_learn();
    rt = JS_NewRuntime2(&engine_memory, NULL);
    engine_limit_stack(rt, PROGRAM_STACK_BYTES);
    ctx = JS_NewContext(rt);
    JS_SetModuleLoaderFunc(rt, normalize, load_prelude, NULL);
    JSModuleDef *main = load_prelude(ctx, "sandbox/main", NULL);
    if (!main)
        __builtin_trap();
    JSValue module = JS_DupValue(ctx, JS_MKPTR(JS_TAG_MODULE, main));
    if (JS_ResolveModule(ctx, module) < 0)
        __builtin_trap();
    JSValue evaluated = JS_EvalFunction(ctx, module);
    JSContext *of_job;
    while (JS_ExecutePendingJob(rt, &of_job) > 0) {
    }
    if (JS_IsException(evaluated) || JS_PromiseState(ctx, evaluated) != JS_PROMISE_FULFILLED)
        __builtin_trap();
    JS_FreeValue(ctx, evaluated);
    sandbox = JS_GetModuleNamespace(ctx, main);
    JS_SetModuleLoaderFunc(rt, normalize_for_program, load_program, NULL);
    JS_SetHostPromiseRejectionTracker(rt, note_rejection, NULL);
    JS_RunGC(rt);
    JS_SetGCThreshold(rt, GC_BYTES);
    pages_ready();
}

/* --- one program --- */

typedef struct {
    uint32_t is_error;
    const char *text;
    size_t length;
} outcome;

/* The error where the program's own cannot be told: memory is out, or the program broke what tells of errors. */
static const char *untold(size_t *length)
{
    static char text[] = "{\"kind\":\"exception\",\"message\":\"the program changed built-in objects so that its end cannot be told\"}";
    static char memory[] = "{\"kind\":\"memory\",\"message\":\"InternalError: out of memory\"}";
    JSValue error = JS_GetException(ctx);
    const char *said = JS_ToCString(ctx, error);
    bool is_memory = !said || strstr(said, "out of memory");
    *length = is_memory ? sizeof memory - 1 : sizeof text - 1;
    return is_memory ? memory : text;
}

static outcome *ended(bool is_error, JSValue text)
{
    static outcome result;
    result.is_error = is_error;
    result.text = JS_IsException(text) ? NULL : host_text(ctx, text, &result.length);
    if (!result.text) {
        result.is_error = true;
        result.text = untold(&result.length);
    }
    JS_FreeValue(ctx, call("finish", 0, NULL));
    host_flush();
    return &result;
}

static outcome *failed(JSValue error)
{
    return ended(true, call("report", 1, &error));
}

static outcome *failed_now(void)
{
    return failed(JS_GetException(ctx));
}

static void run_jobs(void)
{
    JSContext *of_job;
    int state;
    while ((state = JS_ExecutePendingJob(rt, &of_job)))
        if (state < 0) {
            JSValue error = JS_GetException(ctx);
            JS_FreeValue(ctx, call("noteUncaught", 1, &error));
            JS_FreeValue(ctx, error);
        }
}

static int deliver(host_list completions)
{
    const host_completion *all = (const host_completion *)completions.data;
    int state = 0;
    for (uint32_t i = 0; i < completions.length; i++) {
        char *json = all[i].json.length ? all[i].json.data : "";
        if (*json)
            json[all[i].json.length] = 0; /* The parser wants it; cabi_realloc left room. */
        JSValueConst arguments[] = {JS_NewFloat64(ctx, all[i].handle), JS_NewBool(ctx, all[i].ok),
                                    JS_ParseJSON(ctx, json, all[i].json.length, "answer")};
        if (JS_IsException(arguments[2])) {
            arguments[1] = JS_UNDEFINED;
            arguments[2] = JS_GetException(ctx);
        }
        JSValue delivered = call("deliver", 3, arguments);
        state |= JS_IsException(delivered);
        JS_FreeValue(ctx, delivered);
        JS_FreeValue(ctx, arguments[2]);
        if (all[i].json.length)
            free(all[i].json.data);
    }
    if (completions.length)
        free(completions.data);
    return state ? -1 : 0;
}

/* Runs until the promise is settled; false where that can never happen, or with an exception pending. */
static bool settle(JSValueConst promise)
{
    for (;;) {
        run_jobs();
        if (JS_PromiseState(ctx, promise) != JS_PROMISE_PENDING)
            return true;
        /* Milliseconds to the next timer, -1 where only calls are awaited, -2 where nothing is. */
        JSValue next = call("nextTimeout", 0, NULL);
        double timeout_ms = -2;
        JS_ToFloat64(ctx, &timeout_ms, next);
        if (timeout_ms == -2) {
            JS_FreeValue(ctx, call("throwDeadlock", 0, NULL));
            return false;
        }
        if (deliver(host_wait(timeout_ms < 0 ? -1 : (int64_t)timeout_ms)))
            return false;
        JS_FreeValue(ctx, call("fireTimers", 0, NULL));
    }
}

__attribute__((export_name("run"))) outcome *run(char *program, uint32_t program_length, char *context, uint32_t context_length)
{
    struct {
        uint64_t random;
        uint32_t hash;
    } seeds;
    host_random(sizeof seeds, &seeds);
    engine_reseed(ctx, seeds.random, seeds.hash);
    engine_limit_stack(rt, PROGRAM_STACK_BYTES);

    /* The parser wants a terminating zero. */
    char *source = malloc(program_length + 1);
    memcpy(source, program, program_length);
    source[program_length] = 0;
    JSValueConst arguments[] = {JS_NewStringLen(ctx, context, context_length), JS_NewStringLen(ctx, source, program_length)};
    JSValue name = call("begin", 2, arguments);
    if (JS_IsException(name))
        return failed_now();
    program_name = JS_ToCString(ctx, name);
    host_set_program(JS_NewAtom(ctx, program_name));

    JSValue module = JS_Eval(ctx, source, program_length, program_name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    if (JS_IsException(module) || JS_ResolveModule(ctx, module) < 0)
        return failed_now();
    JSModuleDef *definition = JS_VALUE_GET_PTR(module);
    JSValue evaluated = JS_EvalFunction(ctx, module);
    if (JS_IsException(evaluated))
        return failed_now();
    JSValueConst parts[] = {evaluated, JS_GetModuleNamespace(ctx, definition)};
    JSValue value = call("value", 2, parts);
    if (JS_IsException(value) || !settle(value))
        return failed_now();
    JSValue settled = JS_PromiseResult(ctx, value);
    if (JS_PromiseState(ctx, value) == JS_PROMISE_REJECTED)
        return failed(settled);
    JSValue text = call("resultText", 1, &settled);
    return JS_IsException(text) ? failed_now() : ended(false, text);
}
