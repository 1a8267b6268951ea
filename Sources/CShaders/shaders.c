#include "cshaders.h"

#include <string.h>

/* Vulkan reads SPIR-V as 32-bit words. */
#define SPIRV static const _Alignas(4) unsigned char
#define MODULE(name) {#name, (const uint32_t *)(const void *)name, sizeof name}

/* `modules`: every kernel of Shaders/kernels.txt, in its order. Shaders/build.sh writes it. */
#include "../../Shaders/spirv/kernels.h"

const CShaders_Module *CShaders_find(const char *name) {
    for (size_t index = 0; index < sizeof modules / sizeof modules[0]; index++)
        if (strcmp(modules[index].name, name) == 0) return &modules[index];
    return NULL;
}

size_t CShaders_count(void) { return sizeof modules / sizeof modules[0]; }

const CShaders_Module *CShaders_at(size_t index) { return index < CShaders_count() ? &modules[index] : NULL; }
