#ifndef CMODELS_H
#define CMODELS_H

#include <stddef.h>

/* The model manifests of `Models/`, embedded as they are, so that the daemon needs no file of the repository. */

/* Manifest `index`, from 0: UTF-8, not terminated, valid for ever; its bytes in `*byte_count`. NULL after the last. */
const void *_Nullable CModels_manifest(size_t index, size_t *_Nonnull byte_count);

#endif
