#include "cmodels.h"

static const unsigned char likeness_slim[] = {
#embed "../../Models/likeness-slim-2.json"
};
static const unsigned char likeness_slim_weights[] = {
#embed "../../Models/likeness-slim-2.safetensors"
};
static const unsigned char vgg16_keras[] = {
#embed "../../Models/vgg16-keras.json"
};
static const unsigned char vgg19_keras[] = {
#embed "../../Models/vgg19-keras.json"
};
static const unsigned char vgg16_torchvision[] = {
#embed "../../Models/vgg16-torchvision.json"
};
static const unsigned char vgg19_torchvision[] = {
#embed "../../Models/vgg19-torchvision.json"
};

/* In the order in which lists show them. */
static const struct {
    const unsigned char *bytes;
    size_t byte_count;
    const unsigned char *weights;
    size_t weight_byte_count;
} manifests[] = {
    {likeness_slim, sizeof likeness_slim, likeness_slim_weights, sizeof likeness_slim_weights},
    {vgg16_keras, sizeof vgg16_keras, NULL, 0},
    {vgg19_keras, sizeof vgg19_keras, NULL, 0},
    {vgg16_torchvision, sizeof vgg16_torchvision, NULL, 0},
    {vgg19_torchvision, sizeof vgg19_torchvision, NULL, 0},
};
static const size_t manifest_count = sizeof manifests / sizeof manifests[0];

const void *CModels_manifest(size_t index, size_t *byte_count) {
    if (index >= manifest_count) return NULL;
    *byte_count = manifests[index].byte_count;
    return manifests[index].bytes;
}

const void *CModels_weights(size_t index, size_t *byte_count) {
    if (index >= manifest_count || manifests[index].weights == NULL) return NULL;
    *byte_count = manifests[index].weight_byte_count;
    return manifests[index].weights;
}
