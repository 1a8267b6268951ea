#ifndef CSHADERS_H
#define CSHADERS_H

#include <stddef.h>
#include <stdint.h>

/* One kernel's SPIR-V as Shaders/build.sh made it, a part of the binary. */
typedef struct {
    const char *_Nonnull name;
    const uint32_t *_Nonnull words;
    size_t byteCount;
} CShaders_Module;

/* The kernel of this name (a file of Shaders/spirv without its ending), or NULL. */
const CShaders_Module *_Nullable CShaders_find(const char *_Nonnull name);

/* How many kernels there are, and the one at `index`, or NULL beyond the last. */
size_t CShaders_count(void);
const CShaders_Module *_Nullable CShaders_at(size_t index);

#endif
