#include "cmodels.h"

static const unsigned char untrained_vgg16[] = {
#embed "../../Models/untrained-vgg16.json"
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
} manifests[] = {
    {untrained_vgg16, sizeof untrained_vgg16},
    {vgg16_keras, sizeof vgg16_keras},
    {vgg19_keras, sizeof vgg19_keras},
    {vgg16_torchvision, sizeof vgg16_torchvision},
    {vgg19_torchvision, sizeof vgg19_torchvision},
};

const void *CModels_manifest(size_t index, size_t *byte_count) {
    if (index >= sizeof manifests / sizeof manifests[0]) return NULL;
    *byte_count = manifests[index].byte_count;
    return manifests[index].bytes;
}
