#ifndef CMODELS_H
#define CMODELS_H

#include <stddef.h>

/* The model manifests of `Models/`, embedded as they are, so that the daemon needs no file of the repository. */

/* `Models/untrained-vgg16.json`: UTF-8, not terminated, valid for ever; its bytes in `*byte_count`. */
const void *_Nonnull CModels_untrained_vgg16(size_t *_Nonnull byte_count);

#endif
