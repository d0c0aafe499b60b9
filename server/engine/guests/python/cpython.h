/* What `hashing.c` uses of CPython 3.14. There are no headers of it for this platform, so it is declared here. `seal` is given
 * samples of each layout of a string and fails where it does not find them; the rest is the stable interface, and the table
 * of the hash function, which `PyHash_GetFuncDef` hands out. */
#pragma once

#include <stdint.h>

typedef int32_t Py_hash_t;
typedef int32_t Py_ssize_t;

typedef struct {
    Py_ssize_t refcnt;
    const void *type;
} PyObject;

typedef struct {
    PyObject head;
    Py_ssize_t length;
    Py_hash_t hash;
} Hashed;

typedef struct {
    Hashed head;
    char data[];
} Bytes;

/* The characters follow at once where they are ASCII, behind the UTF-8 form where they are not, elsewhere in subclasses. */
typedef struct {
    Hashed head;
    struct {
        unsigned interned : 2, kind : 3, compact : 1, ascii : 1;
    } state;
    union {
        char ascii[1];
        struct {
            Py_ssize_t utf8_length;
            const char *utf8;
            union {
                char here[1];
                const char *elsewhere;
            };
        };
    };
} Unicode;

typedef Py_hash_t (*HashFunction)(const void *, Py_ssize_t);

typedef struct {
    HashFunction hash;
    const char *name;
    int hash_bits, seed_bits;
} PyHash_FuncDef;

typedef PyObject *(*Function)(PyObject *module, PyObject *argument);

typedef struct {
    const char *name;
    Function function;
    int flags;
    const char *doc;
} PyMethodDef;

typedef struct {
    PyObject head;
    void *init;
    Py_ssize_t index;
    PyObject *copy;
    const char *name, *doc;
    Py_ssize_t size;
    PyMethodDef *methods;
    void *slots, *traverse, *clear, *free;
} PyModuleDef;

enum { METH_NOARGS = 4, METH_O = 8, API_VERSION = 1013 };
static const unsigned long UNICODE_SUBCLASS = 1UL << 28;

extern PyObject *PyExc_RuntimeError, *PyExc_ValueError, _Py_NoneStruct;
/* The part that expat takes; the part before it is what the hashes of the snapshot were made with. */
extern struct {
    char others[16];
    uint32_t expat_salt, unused;
} _Py_HashSecret;
PyHash_FuncDef *PyHash_GetFuncDef(void);
PyObject *PyModule_Create2(PyModuleDef *, int);
PyObject *PyLong_FromLong(long);
int PyBytes_AsStringAndSize(PyObject *, char **, Py_ssize_t *);
Py_ssize_t PyTuple_Size(PyObject *);
PyObject *PyTuple_GetItem(PyObject *, Py_ssize_t);
unsigned long PyType_GetFlags(PyObject *);
void PyErr_SetString(PyObject *, const char *);
