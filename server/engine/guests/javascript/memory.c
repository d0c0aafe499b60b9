/* Where QuickJS gets its memory. See engine.h.

   It gathers small blocks in arenas of just under 4 KiB. The C library's malloc puts a header before each and rounds up to
   a power of two, so that many an arena would take 8 KiB: arenas get pages of their own instead, everything else is
   malloc's. */
#include <malloc.h>
#include <quickjs.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

enum { PAGE_BYTES = 4096, ARENA_MIN_BYTES = PAGE_BYTES - 512, GROWTH_BYTES = 64 << 10 };

/* Given back, to be used first. */
static struct page {
    struct page *next;
} *unused;
/* Not used yet. */
static char *fresh, *fresh_end;

/* Nothing of malloc's begins where a page does: its header does. */
static bool is_page(const void *block)
{
    return (uintptr_t)block % PAGE_BYTES == 0;
}

static void *new_page(void)
{
    if (unused) {
        struct page *page = unused;
        unused = page->next;
        return page;
    }
    if (fresh == fresh_end) {
        size_t at = __builtin_wasm_memory_grow(0, 1);
        if (at == SIZE_MAX)
            return NULL;
        fresh = (char *)(at * GROWTH_BYTES);
        fresh_end = fresh + GROWTH_BYTES;
    }
    fresh += PAGE_BYTES;
    return fresh - PAGE_BYTES;
}

static void *memory_malloc(void *opaque, size_t size)
{
    if (size > ARENA_MIN_BYTES && size <= PAGE_BYTES)
        return new_page();
    void *block = malloc(size);
    if (block && is_page(block))
        __builtin_trap(); /* Another C library than the one this was written for. */
    return block;
}

static void *memory_calloc(void *opaque, size_t count, size_t size)
{
    void *block = memory_malloc(opaque, count * size); /* QuickJS has checked the product. */
    return block ? memset(block, 0, count * size) : NULL;
}

static void memory_free(void *opaque, void *block)
{
    if (!block || !is_page(block))
        return free(block);
    struct page *page = block;
    page->next = unused;
    unused = page;
}

static size_t memory_size(const void *block)
{
    return is_page(block) ? PAGE_BYTES : malloc_usable_size((void *)block);
}

static void *memory_realloc(void *opaque, void *block, size_t size)
{
    if (block && !is_page(block))
        return realloc(block, size);
    if (block && size <= PAGE_BYTES)
        return block;
    void *larger = memory_malloc(opaque, size);
    if (larger && block) {
        memcpy(larger, block, PAGE_BYTES);
        memory_free(opaque, block);
    }
    return larger;
}

const JSMallocFunctions engine_memory = {memory_calloc, memory_malloc, memory_free, memory_realloc, memory_size};
