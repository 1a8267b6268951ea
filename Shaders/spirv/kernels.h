/* Shaders/build.sh wrote this from Shaders/kernels.txt: every kernel, embedded by Sources/CShaders/shaders.c. */
SPIRV convolution_first_f32[] = {
#embed "convolution_first_f32.spv"
};
SPIRV convolution_first_f16[] = {
#embed "convolution_first_f16.spv"
};
SPIRV convolution_3x3_f32_m256n16[] = {
#embed "convolution_3x3_f32_m256n16.spv"
};
SPIRV convolution_3x3_f32_m128n32[] = {
#embed "convolution_3x3_f32_m128n32.spv"
};
SPIRV convolution_3x3_f32_m64n64[] = {
#embed "convolution_3x3_f32_m64n64.spv"
};
SPIRV convolution_3x3_f16_m256n16[] = {
#embed "convolution_3x3_f16_m256n16.spv"
};
SPIRV convolution_3x3_f16_m128n32[] = {
#embed "convolution_3x3_f16_m128n32.spv"
};
SPIRV convolution_3x3_f16_m64n64[] = {
#embed "convolution_3x3_f16_m64n64.spv"
};
SPIRV winograd_input_f32[] = {
#embed "winograd_input_f32.spv"
};
SPIRV winograd_input_f16[] = {
#embed "winograd_input_f16.spv"
};
SPIRV winograd_product_f32_p64n32[] = {
#embed "winograd_product_f32_p64n32.spv"
};
SPIRV winograd_product_f32_p64n64[] = {
#embed "winograd_product_f32_p64n64.spv"
};
SPIRV winograd_product_f16_p64n32[] = {
#embed "winograd_product_f16_p64n32.spv"
};
SPIRV winograd_product_f16_p64n64[] = {
#embed "winograd_product_f16_p64n64.spv"
};
SPIRV winograd_output_f32[] = {
#embed "winograd_output_f32.spv"
};
SPIRV winograd_output_f16[] = {
#embed "winograd_output_f16.spv"
};
SPIRV maxpool_2x2_f32[] = {
#embed "maxpool_2x2_f32.spv"
};
SPIRV maxpool_2x2_f16[] = {
#embed "maxpool_2x2_f16.spv"
};
SPIRV head_reduce_f32[] = {
#embed "head_reduce_f32.spv"
};
SPIRV head_reduce_f16[] = {
#embed "head_reduce_f16.spv"
};
SPIRV head_regions_f32[] = {
#embed "head_regions_f32.spv"
};
SPIRV head_regions_f16[] = {
#embed "head_regions_f16.spv"
};
SPIRV head_rmac_f32[] = {
#embed "head_rmac_f32.spv"
};
SPIRV head_normalise_f32[] = {
#embed "head_normalise_f32.spv"
};
SPIRV convolution_first_cooperative_m128n64[] = {
#embed "convolution_first_cooperative_m128n64.spv"
};
SPIRV convolution_3x3_cooperative_m128n128k32g2x4[] = {
#embed "convolution_3x3_cooperative_m128n128k32g2x4.spv"
};
SPIRV convolution_3x3_cooperative_m128n128k32g2x2[] = {
#embed "convolution_3x3_cooperative_m128n128k32g2x2.spv"
};
SPIRV convolution_3x3_cooperative_m256n128k16g4x2[] = {
#embed "convolution_3x3_cooperative_m256n128k16g4x2.spv"
};
SPIRV convolution_3x3_cooperative_m128n64k32g2x2[] = {
#embed "convolution_3x3_cooperative_m128n64k32g2x2.spv"
};
SPIRV convolution_3x3_cooperative_m64n64k32g2x2[] = {
#embed "convolution_3x3_cooperative_m64n64k32g2x2.spv"
};
SPIRV convolution_3x3_cooperative_m64n64k64g2x2[] = {
#embed "convolution_3x3_cooperative_m64n64k64g2x2.spv"
};
SPIRV convolution_3x3_cooperative_m32n64k64g1x4[] = {
#embed "convolution_3x3_cooperative_m32n64k64g1x4.spv"
};
SPIRV convolution_3x3_cooperative2_m128n128k64[] = {
#embed "convolution_3x3_cooperative2_m128n128k64.spv"
};
SPIRV convolution_3x3_cooperative2_m128n64k64[] = {
#embed "convolution_3x3_cooperative2_m128n64k64.spv"
};
SPIRV convolution_3x3_cooperative2_m64n64k64[] = {
#embed "convolution_3x3_cooperative2_m64n64k64.spv"
};
SPIRV convolution_first_scalar_m128n64[] = {
#embed "convolution_first_scalar_m128n64.spv"
};
SPIRV convolution_3x3_scalar_m128n128k16g2x4[] = {
#embed "convolution_3x3_scalar_m128n128k16g2x4.spv"
};
SPIRV convolution_3x3_scalar_m128n64k32g2x2[] = {
#embed "convolution_3x3_scalar_m128n64k32g2x2.spv"
};
SPIRV convolution_3x3_scalar_m64n64k32g2x2[] = {
#embed "convolution_3x3_scalar_m64n64k32g2x2.spv"
};
SPIRV convolution_3x3_scalar_m32n64k64g1x4[] = {
#embed "convolution_3x3_scalar_m32n64k64g1x4.spv"
};
SPIRV convolution_3x3_scalar2_m64n64k64[] = {
#embed "convolution_3x3_scalar2_m64n64k64.spv"
};
static const CShaders_Module modules[] = {
    MODULE(convolution_first_f32),
    MODULE(convolution_first_f16),
    MODULE(convolution_3x3_f32_m256n16),
    MODULE(convolution_3x3_f32_m128n32),
    MODULE(convolution_3x3_f32_m64n64),
    MODULE(convolution_3x3_f16_m256n16),
    MODULE(convolution_3x3_f16_m128n32),
    MODULE(convolution_3x3_f16_m64n64),
    MODULE(winograd_input_f32),
    MODULE(winograd_input_f16),
    MODULE(winograd_product_f32_p64n32),
    MODULE(winograd_product_f32_p64n64),
    MODULE(winograd_product_f16_p64n32),
    MODULE(winograd_product_f16_p64n64),
    MODULE(winograd_output_f32),
    MODULE(winograd_output_f16),
    MODULE(maxpool_2x2_f32),
    MODULE(maxpool_2x2_f16),
    MODULE(head_reduce_f32),
    MODULE(head_reduce_f16),
    MODULE(head_regions_f32),
    MODULE(head_regions_f16),
    MODULE(head_rmac_f32),
    MODULE(head_normalise_f32),
    MODULE(convolution_first_cooperative_m128n64),
    MODULE(convolution_3x3_cooperative_m128n128k32g2x4),
    MODULE(convolution_3x3_cooperative_m128n128k32g2x2),
    MODULE(convolution_3x3_cooperative_m256n128k16g4x2),
    MODULE(convolution_3x3_cooperative_m128n64k32g2x2),
    MODULE(convolution_3x3_cooperative_m64n64k32g2x2),
    MODULE(convolution_3x3_cooperative_m64n64k64g2x2),
    MODULE(convolution_3x3_cooperative_m32n64k64g1x4),
    MODULE(convolution_3x3_cooperative2_m128n128k64),
    MODULE(convolution_3x3_cooperative2_m128n64k64),
    MODULE(convolution_3x3_cooperative2_m64n64k64),
    MODULE(convolution_first_scalar_m128n64),
    MODULE(convolution_3x3_scalar_m128n128k16g2x4),
    MODULE(convolution_3x3_scalar_m128n64k32g2x2),
    MODULE(convolution_3x3_scalar_m64n64k32g2x2),
    MODULE(convolution_3x3_scalar_m32n64k64g1x4),
    MODULE(convolution_3x3_scalar2_m64n64k64),
};
