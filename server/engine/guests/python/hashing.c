/* Hashes of strings and bytes that are fresh in every run, over a snapshot that rests on hashes of its own.
 *
 * CPython draws its secret when the snapshot is made, and every dictionary in there rests on it. So a content that was
 * hashed before the snapshot keeps the hash it has, and every other content is hashed by SipHash-1-3 under a key that a
 * run draws for itself. Equal contents go the same way, so equal strings have equal hashes at any time. Nobody can
 * choose colliding strings beforehand, except among those of the snapshot; and CPython's own function for this platform,
 * FNV, would let him whatever its secret: two flipped top bits cancel each other.
 *
 * `seal` finds the contents: it looks at every word of the memory for a str or bytes with a hash that is true. What is
 * hashed after that is recorded, until `begin`. From then on nothing is written here but the key.
 *
 * Left out: types whose hash is made of other hashes (tuples, frozensets), which follow by themselves, and numbers, whose
 * hashes have no secret in any CPython. */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cpython.h"

/* A content lies in the arena behind its length. */
typedef struct {
    Py_ssize_t length;
    char data[];
} Content;

typedef struct {
    Py_hash_t hash;
    const Content *content;
} Slot;

typedef struct {
    Slot *slots;
    uint32_t shift;
    char *arena, *arena_end;
    uint32_t contents, contents_max;
} Table;

enum { RECORDED_MAX = 1024, RECORDED_BYTES = 1 << 16, MARKS_SHIFT = 13, TYPES_MAX = 256 };

static HashFunction cpython_hash;
/* What the scan found, and what was hashed after it. The latter is what a run hashes in the first place, and lies together:
 * each 64 KiB of the memory that a run looks at cost a fault. */
static Table scanned, recorded;
/* A bit for each 19 bits of a hash, set where something with them was scanned: most new contents need no further look. */
static uint8_t *marks;
static Py_ssize_t longest;

/* Imports, then rehearsals; then a run. */
static enum { OPEN, SEALED, ARMED, RUNNING } state;
static uint64_t key[2];

/* Of FNV's bits the lower depend on a part of the content alone. */
static uint32_t spread(Py_hash_t hash)
{
    return (uint32_t)hash * 0x9E3779B1u;
}

/* The slot of a content, or the free one where it belongs. No search is longer than the longest row of filled slots, of
 * which at most half are: whoever knows the build can choose contents that begin there, and gains a constant. */
static Slot *slot_of(const Table *table, Py_hash_t hash, const void *data, Py_ssize_t length)
{
    const uint32_t mask = UINT32_MAX >> table->shift;
    for (uint32_t at = spread(hash) >> table->shift;; at = (at + 1) & mask) {
        Slot *slot = &table->slots[at];
        const Content *content = slot->content;
        if (!content || (slot->hash == hash && content->length == length && !memcmp(content->data, data, length)))
            return slot;
    }
}

static bool is_known(Py_hash_t hash, const void *data, Py_ssize_t length)
{
    if (slot_of(&recorded, hash, data, length)->content)
        return true;
    const uint32_t mark = spread(hash) >> MARKS_SHIFT;
    return marks[mark / 8] >> mark % 8 & 1 && slot_of(&scanned, hash, data, length)->content;
}

/* Traps where the room is not enough, which ends the build. */
static void put(Table *table, Py_hash_t hash, const void *data, Py_ssize_t length)
{
    Slot *slot = slot_of(table, hash, data, length);
    if (slot->content)
        return;
    const uint32_t size = (sizeof(Content) + length + 3) & ~3u;
    if (table->contents == table->contents_max || size > (uint32_t)(table->arena_end - table->arena))
        __builtin_trap();
    Content *content = (Content *)table->arena;
    content->length = length;
    memcpy(content->data, data, length);
    *slot = (Slot){hash, content};
    table->arena += size;
    table->contents++;
    if (length > longest)
        longest = length;
}

static bool allocate(Table *table, uint32_t contents_max, uint32_t bytes_max)
{
    uint32_t bits = 1;
    while (1u << bits < 2 * contents_max)
        bits++;
    char *arena = malloc(bytes_max);
    *table = (Table){
        .slots = calloc(1u << bits, sizeof *table->slots),
        .shift = 32 - bits,
        .arena = arena,
        .arena_end = arena + bytes_max,
        .contents_max = contents_max,
    };
    return table->slots && arena;
}

/* The last 0 to 7 bytes as a little-endian number. */
static inline uint64_t rest_of(const char *data, int count)
{
    uint64_t rest = 0;
    int bits = 0;
    if (count & 4) {
        uint32_t four;
        memcpy(&four, data, 4);
        rest = four, bits = 32, data += 4;
    }
    if (count & 2) {
        uint16_t two;
        memcpy(&two, data, 2);
        rest |= (uint64_t)two << bits, bits += 16, data += 2;
    }
    if (count & 1)
        rest |= (uint64_t)(uint8_t)*data << bits;
    return rest;
}

#define ROTATE(x, bits) ((x) << (bits) | (x) >> (64 - (bits)))

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1], v[2] += v[3];
    v[1] = ROTATE(v[1], 13) ^ v[0], v[3] = ROTATE(v[3], 16) ^ v[2];
    v[0] = ROTATE(v[0], 32);
    v[2] += v[1], v[0] += v[3];
    v[1] = ROTATE(v[1], 17) ^ v[2], v[3] = ROTATE(v[3], 21) ^ v[0];
    v[2] = ROTATE(v[2], 32);
}

/* Aumasson and Bernstein, "SipHash: a fast short-input PRF", with one round a word and three at the end, as in CPython. */
static uint64_t siphash13(const char *data, Py_ssize_t length)
{
    uint64_t v[4] = {
        key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
        key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573,
    };
    const char *end = data + (length & ~7);
    uint64_t word;
    for (; data != end; data += 8) {
        memcpy(&word, data, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = rest_of(data, length & 7) | (uint64_t)length << 56;
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static Py_hash_t hash(const void *data, Py_ssize_t length)
{
    if (state != RUNNING) {
        const Py_hash_t hash = cpython_hash(data, length);
        put(&recorded, hash, data, length);
        return hash;
    }
    if (length <= longest) {
        const Py_hash_t hash = cpython_hash(data, length);
        if (is_known(hash, data, length))
            return hash;
    }
    return (Py_hash_t)siphash13(data, length);
}

static uint32_t memory_end(void)
{
    return __builtin_wasm_memory_size(0) << 16;
}

/* The content of what may be a str or bytes; none where it reaches over the end of the memory or its hash is not true. */
static const char *content_of(const Hashed *object, bool unicode, uint32_t end, Py_ssize_t *length)
{
    const char *data = ((const Bytes *)object)->data;
    uint64_t size = (uint32_t)object->length;
    if (unicode) {
        const Unicode *text = (const Unicode *)object;
        if ((uint32_t)text + sizeof *text > end)
            return NULL;
        size *= text->state.kind;
        data = !text->state.compact ? text->elsewhere : text->state.ascii ? text->ascii : text->here;
    }
    if (!size || (uint32_t)data + size > end)
        return NULL;
    *length = (Py_ssize_t)size;
    const Py_hash_t true_hash = cpython_hash(data, *length);
    return object->hash == (true_hash == -1 ? -2 : true_hash) ? data : NULL;
}

typedef struct {
    const void *type;
    bool unicode;
} Type;

typedef void (*Visit)(Py_hash_t hash, const char *data, Py_ssize_t length);

static uint32_t bytes_found, contents_found;

static void count(Py_hash_t hash, const char *data, Py_ssize_t length)
{
    (void)hash, (void)data;
    contents_found++;
    bytes_found += sizeof(Content) + length + 3;
}

static void keep(Py_hash_t hash, const char *data, Py_ssize_t length)
{
    put(&scanned, hash, data, length);
    const uint32_t mark = spread(hash) >> MARKS_SHIFT;
    marks[mark / 8] |= 1 << mark % 8;
}

/* Visits whatever looks like one of the types and has a hash. What was freed lately may do, too, which is no harm. */
static void scan(const Type *types, int types_count, Visit visit)
{
    const uint32_t end = memory_end();
    for (uint32_t at = 8; at <= end - sizeof(Hashed); at += 4) {
        const Hashed *object = (const Hashed *)at;
        if (object->hash == -1)
            continue;
        for (int i = 0; i < types_count; i++) {
            if (object->head.type == types[i].type) {
                Py_ssize_t length;
                const char *data = content_of(object, types[i].unicode, end, &length);
                if (data)
                    visit(cpython_hash(data, length), data, length);
                break;
            }
        }
    }
}

static PyObject *failed(PyObject *kind, const char *message)
{
    PyErr_SetString(kind, message);
    return NULL;
}

static bool is_text(PyObject *type)
{
    return PyType_GetFlags(type) & UNICODE_SUBCLASS;
}

/* seal((types, samples)) -> how many contents were found. */
static PyObject *seal(PyObject *module, PyObject *arguments)
{
    (void)module;
    Type types[TYPES_MAX];
    PyObject *given = PyTuple_GetItem(arguments, 0), *samples = PyTuple_GetItem(arguments, 1);
    const Py_ssize_t types_count = given ? PyTuple_Size(given) : -1, samples_count = samples ? PyTuple_Size(samples) : -1;
    if (state != OPEN || types_count < 0 || types_count > TYPES_MAX || samples_count < 0)
        return failed(PyExc_ValueError, "seal takes at most 256 types and the samples, and only once");
    for (int i = 0; i < types_count; i++) {
        PyObject *type = PyTuple_GetItem(given, i);
        types[i] = (Type){type, is_text(type)};
    }

    cpython_hash = PyHash_GetFuncDef()->hash;
    scan(types, types_count, count);
    marks = calloc(1, (UINT32_MAX >> MARKS_SHIFT) / 8 + 1);
    /* What looks like a string by chance while the contents are copied has room as well. */
    if (!marks || !allocate(&recorded, RECORDED_MAX, RECORDED_BYTES) || !allocate(&scanned, contents_found + 64, bytes_found + (1 << 16)))
        return failed(PyExc_RuntimeError, "no memory for what was hashed");
    scan(types, types_count, keep);
    for (int i = 0; i < samples_count; i++) {
        const Hashed *sample = (const Hashed *)PyTuple_GetItem(samples, i);
        Py_ssize_t length;
        const char *data = content_of(sample, is_text((PyObject *)sample->head.type), memory_end(), &length);
        if (!data || !is_known(cpython_hash(data, length), data, length))
            return failed(PyExc_RuntimeError, "a sample was not found: CPython lays it out otherwise than cpython.h says");
    }
    PyHash_GetFuncDef()->hash = hash;
    state = SEALED;
    return PyLong_FromLong((long)scanned.contents);
}

/* arm() -> how many contents were recorded: what begins after it is a run. */
static PyObject *arm(PyObject *module, PyObject *none)
{
    (void)module, (void)none;
    if (state != SEALED)
        return failed(PyExc_ValueError, "arm follows seal, once");
    state = ARMED;
    return PyLong_FromLong((long)recorded.contents);
}

/* begin(20 random bytes), at a run's start; does nothing before `arm`, in a rehearsal, and when called again. */
static PyObject *begin(PyObject *module, PyObject *fresh)
{
    (void)module;
    char *data;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(fresh, &data, &length))
        return NULL;
    if (length != sizeof key + sizeof _Py_HashSecret.expat_salt)
        return failed(PyExc_ValueError, "begin takes 20 bytes");
    if (state == ARMED) {
        memcpy(key, data, sizeof key);
        memcpy(&_Py_HashSecret.expat_salt, data + sizeof key, sizeof _Py_HashSecret.expat_salt);
        state = RUNNING;
    }
    return &_Py_NoneStruct; /* It is immortal. */
}

static PyMethodDef methods[] = {
    {"seal", seal, METH_O, NULL},
    {"arm", arm, METH_NOARGS, NULL},
    {"begin", begin, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {.head = {.refcnt = 1}, .name = "_hashing", .size = -1, .methods = methods};

__attribute__((visibility("default"))) PyObject *PyInit__hashing(void)
{
    return PyModule_Create2(&definition, API_VERSION);
}
