#include "cshaders.h"

#include <string.h>

/* Vulkan reads SPIR-V as 32-bit words. */
#define SPIRV static const _Alignas(4) unsigned char

SPIRV convolution_first_f32[] = {
#embed "../../Shaders/spirv/convolution_first_f32.spv"
};
SPIRV convolution_3x3_f32_m256n16[] = {
#embed "../../Shaders/spirv/convolution_3x3_f32_m256n16.spv"
};
SPIRV convolution_3x3_f32_m128n32[] = {
#embed "../../Shaders/spirv/convolution_3x3_f32_m128n32.spv"
};
SPIRV convolution_3x3_f32_m64n64[] = {
#embed "../../Shaders/spirv/convolution_3x3_f32_m64n64.spv"
};
SPIRV maxpool_2x2_f32[] = {
#embed "../../Shaders/spirv/maxpool_2x2_f32.spv"
};
SPIRV head_reduce_f32[] = {
#embed "../../Shaders/spirv/head_reduce_f32.spv"
};
SPIRV head_regions_f32[] = {
#embed "../../Shaders/spirv/head_regions_f32.spv"
};
SPIRV head_rmac_f32[] = {
#embed "../../Shaders/spirv/head_rmac_f32.spv"
};
SPIRV head_normalise_f32[] = {
#embed "../../Shaders/spirv/head_normalise_f32.spv"
};

#define MODULE(name) {#name, (const uint32_t *)(const void *)name, sizeof name}

static const CShaders_Module modules[] = {
    MODULE(convolution_first_f32),
    MODULE(convolution_3x3_f32_m256n16),
    MODULE(convolution_3x3_f32_m128n32),
    MODULE(convolution_3x3_f32_m64n64),
    MODULE(maxpool_2x2_f32),
    MODULE(head_reduce_f32),
    MODULE(head_regions_f32),
    MODULE(head_rmac_f32),
    MODULE(head_normalise_f32),
};

const CShaders_Module *CShaders_find(const char *name) {
    for (size_t index = 0; index < sizeof modules / sizeof modules[0]; index++)
        if (strcmp(modules[index].name, name) == 0) return &modules[index];
    return NULL;
}

size_t CShaders_count(void) { return sizeof modules / sizeof modules[0]; }

const CShaders_Module *CShaders_at(size_t index) { return index < CShaders_count() ? &modules[index] : NULL; }
