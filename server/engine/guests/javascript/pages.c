/* See pages.h. What is reached here before the pages are a run's own lies on one page, which is among them. */
#include "pages.h"

#include <quickjs.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

enum { PAGE_BYTES = 4096, LIST_BYTES = 128 };

static struct {
    uint32_t owned;
    uint8_t list[LIST_BYTES]; /* A bit for each page of the first 4 MiB. */
} pages __attribute__((aligned(256))) = {.owned = 1};

void pages_learn(void)
{
    host_list list;
    host_describe("sandbox/pages", strlen("sandbox/pages"), &list);
    memcpy(pages.list, list.data, list.length < LIST_BYTES ? list.length : LIST_BYTES);
    free(list.data);
}

void pages_ready(void)
{
    pages.owned = 0;
}

/* Only an atomic instruction both leaves what is there and asks for the page to write first. */
__attribute__((target("atomics"))) void pages_own(void)
{
    if (__atomic_exchange_n((volatile uint32_t *)&pages.owned, 1, __ATOMIC_SEQ_CST))
        return;
    for (uint32_t page = 0; page < 8 * LIST_BYTES; page++)
        if (pages.list[page / 8] >> page % 8 & 1)
            __atomic_fetch_add((volatile uint32_t *)(uintptr_t)(page * PAGE_BYTES), 0, __ATOMIC_SEQ_CST);
}
