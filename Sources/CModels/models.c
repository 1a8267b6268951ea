#include "cmodels.h"

static const unsigned char untrained_vgg16[] = {
#embed "../../Models/untrained-vgg16.json"
};

const void *CModels_untrained_vgg16(size_t *byte_count) {
    *byte_count = sizeof untrained_vgg16;
    return untrained_vgg16;
}
