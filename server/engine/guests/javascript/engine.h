/* What `engine.c` adds to QuickJS. */
#pragma once
#include <quickjs.h>

/* Gives Math.random and the hash tables of Map and Set seeds of their own. */
void engine_reseed(JSContext *ctx, uint64_t seed, uint32_t hash_seed);

/* Allows the stack to grow by this much from here. */
void engine_limit_stack(JSRuntime *rt, size_t bytes);

/* Counted from 1; 0 where unknown. */
typedef struct {
    uint32_t line, column;
} engine_position;

/* Where the innermost running function that stands in `file` is. */
engine_position engine_here(JSContext *ctx, JSAtom file);

/* Makes `namespace` what `import * as name` and `import()` give for a module. Takes over the value. */
void engine_set_namespace(JSModuleDef *module, JSValue namespace);

/* Forgets the text of every function there is; `toString` then shows them as native ones. */
void engine_drop_sources(JSRuntime *rt);

/* QuickJS's memory. */
extern const JSMallocFunctions engine_memory;
