#ifndef CIMAGING_RESAMPLE_H
#define CIMAGING_RESAMPLE_H

#include "cimaging.h"

/* An antialiased resize that takes RGB rows from the top and never sees the whole image.

   Both axes use a triangle filter whose support grows with the reduction (what Pillow calls BILINEAR), horizontally first,
   rounded to 8 bits between the axes, in 22-bit fixed point: results equal Pillow's bit for bit. */

typedef struct resample_axis {
    uint32_t count;
    /* Per output: first input and number of inputs. */
    uint32_t *first;
    uint32_t *taps;
    /* Per output `stride` coefficients, `taps` of them used; their sum is 1 << 22. */
    int32_t *coefficients;
    size_t stride;
} resample_axis;

typedef struct resampler {
    resample_axis x;
    resample_axis y;
    /* One row after the horizontal pass. */
    uint8_t *row;
    /* [y.count, x.count * 3] sums of the vertical pass. */
    int32_t *sums;
    uint32_t next_input;
    uint32_t first_open;
} resampler;

/* Prepares for input of `width` x `height` RGB rows. `x_extent` and `y_extent` say how much of that is image, in input
   pixels: after a reduction in the codec the last pixel may stand for less than a whole one.
   Returns 0, or -1 without memory; `resampler_free` is due in both cases, once the struct was zeroed before. */
int resampler_init(resampler *r, uint32_t width, double x_extent, CImaging_axis x, uint32_t height, double y_extent,
                   CImaging_axis y);

/* Takes the next row, width * 3 bytes. */
void resampler_push(resampler *r, const uint8_t *row);

/* Writes [y.count, x.count, 3] after the last row. */
void resampler_finish(const resampler *r, uint8_t *pixels);

void resampler_free(resampler *r);

#endif
