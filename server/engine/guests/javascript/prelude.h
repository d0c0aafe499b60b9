/* The prelude: its JavaScript modules, compiled into the guest. They are gone from the loader once the snapshot runs. */
#pragma once
#include <stddef.h>

static const char main_source[] = {
#embed "prelude/main.js" suffix(, 0)
};
static const char abort_source[] = {
#embed "prelude/abort.js" suffix(, 0)
};
static const char absent_source[] = {
#embed "prelude/absent.js" suffix(, 0)
};
static const char calls_source[] = {
#embed "prelude/calls.js" suffix(, 0)
};
static const char clone_source[] = {
#embed "prelude/clone.js" suffix(, 0)
};
static const char console_source[] = {
#embed "prelude/console.js" suffix(, 0)
};
static const char crypto_source[] = {
#embed "prelude/crypto.js" suffix(, 0)
};
static const char modules_source[] = {
#embed "prelude/modules.js" suffix(, 0)
};
static const char report_source[] = {
#embed "prelude/report.js" suffix(, 0)
};
static const char text_source[] = {
#embed "prelude/text.js" suffix(, 0)
};
static const char timers_source[] = {
#embed "prelude/timers.js" suffix(, 0)
};
static const char told_source[] = {
#embed "prelude/told.js" suffix(, 0)
};
static const char url_source[] = {
#embed "prelude/url.js" suffix(, 0)
};
static const char values_source[] = {
#embed "prelude/values.js" suffix(, 0)
};

static const struct {
    const char *name;
    const char *source;
    size_t length;
} prelude[] = {
    {"sandbox/main", main_source, sizeof main_source - 1},
    {"sandbox/abort", abort_source, sizeof abort_source - 1},
    {"sandbox/absent", absent_source, sizeof absent_source - 1},
    {"sandbox/calls", calls_source, sizeof calls_source - 1},
    {"sandbox/clone", clone_source, sizeof clone_source - 1},
    {"sandbox/console", console_source, sizeof console_source - 1},
    {"sandbox/crypto", crypto_source, sizeof crypto_source - 1},
    {"sandbox/modules", modules_source, sizeof modules_source - 1},
    {"sandbox/report", report_source, sizeof report_source - 1},
    {"sandbox/text", text_source, sizeof text_source - 1},
    {"sandbox/timers", timers_source, sizeof timers_source - 1},
    {"sandbox/told", told_source, sizeof told_source - 1},
    {"sandbox/url", url_source, sizeof url_source - 1},
    {"sandbox/values", values_source, sizeof values_source - 1},
};
