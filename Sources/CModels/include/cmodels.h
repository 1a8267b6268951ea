#ifndef CMODELS_H
#define CMODELS_H

#include <stddef.h>

/* The model manifests of `Models/` and the weights of the default model, embedded as they are, so that the daemon needs no
   file of the repository. */

/* Manifest `index`, from 0: UTF-8, not terminated, valid for ever; its bytes in `*byte_count`. NULL after the last. */
const void *_Nullable CModels_manifest(size_t index, size_t *_Nonnull byte_count);

/* The file of weights that lies beside manifest `index` in `Models/`, valid for ever; its bytes in `*byte_count`. NULL where the
   weights come from elsewhere, and after the last manifest. */
const void *_Nullable CModels_weights(size_t index, size_t *_Nonnull byte_count);

#endif
