#ifndef CIMAGING_RESAMPLE_H
#define CIMAGING_RESAMPLE_H

#include "cimaging.h"

/* An antialiased resize that takes RGB rows from the top and never sees the whole image.

   Both axes use a triangle filter whose support grows with the reduction (what Pillow calls BILINEAR), horizontally first,
   rounded to 8 bits between the axes, in 22-bit fixed point: results equal Pillow's bit for bit. A row of the result is
   made when the last row of its window came; of the input no more than a window is kept, shrunk to the result's width. */

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
    /* The last `y.stride` rows after the horizontal pass, row n at n % y.stride, `row_stride` bytes apart. */
    uint8_t *window;
    size_t row_stride;
    uint8_t *pixels;
    bool uses_avx2;
    uint32_t next_input;
    uint32_t next_output;
} resampler;

/* Prepares for input of `width` x `height` RGB rows. `x_extent` and `y_extent` say how much of that is image, in input
   pixels: after a reduction in the codec the last pixel may stand for less than a whole one.
   Returns 0, or -1 without memory; `resampler_free` is due in both cases, once the struct was zeroed before. */
int resampler_init(resampler *r, const CImaging_target *target, uint32_t width, double x_extent, uint32_t height,
                   double y_extent);

/* Takes the next row: width * 3 bytes, and one more that may be read. The target is complete after the last. */
void resampler_push(resampler *r, const uint8_t *row);

void resampler_free(resampler *r);

#endif
