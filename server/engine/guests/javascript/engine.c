/* QuickJS-NG in one translation unit with the few things that need its insides. */
#include <quickjs.c>

#include "engine.h"

void engine_reseed(JSContext *ctx, uint64_t seed, uint32_t hash_seed)
{
    ctx->random_state = seed ? seed : 1;
    /* Keys are placed by this seed, so no Map or Set may hold any yet: the prelude keeps its own empty until here. */
    ctx->hash_seed = hash_seed;
}

/* QuickJS switches its stack check off under WASI. The shadow stack is a good measure of both stacks, so it is switched
   on again: a recursion too deep becomes a RangeError and not a trap. */
void engine_limit_stack(JSRuntime *rt, size_t bytes)
{
    rt->stack_top = js_get_stack_pointer();
    rt->stack_size = bytes;
    rt->stack_limit = rt->stack_top - bytes;
}

engine_position engine_here(JSContext *ctx, JSAtom file)
{
    for (JSStackFrame *frame = ctx->rt->current_stack_frame; frame; frame = frame->prev_frame) {
        JSObject *function = JS_VALUE_GET_OBJ(frame->cur_func);
        if (!js_class_has_bytecode(function->class_id))
            continue;
        JSFunctionBytecode *code = function->u.func.function_bytecode;
        if (code->filename == file && frame->cur_pc) {
            int column, line = find_line_num(ctx, code, frame->cur_pc - code->byte_code_buf - 1, &column);
            return line > 0 ? (engine_position){line, column} : (engine_position){0};
        }
    }
    return (engine_position){0};
}

void engine_set_namespace(JSModuleDef *module, JSValue namespace)
{
    module->module_ns = namespace;
}

void engine_drop_sources(JSRuntime *rt)
{
    struct list_head *at;
    list_for_each(at, &rt->gc_obj_list) {
        JSGCObjectHeader *object = list_entry(at, JSGCObjectHeader, link);
        if (JS_GC_TYPE(object) != JS_GC_OBJ_TYPE_FUNCTION_BYTECODE)
            continue;
        JSFunctionBytecode *code = (JSFunctionBytecode *)object;
        js_free_rt(rt, code->source);
        code->source = NULL;
        code->source_len = 0;
    }
}
