/* libjpeg-turbo through its classic interface: TurboJPEG's own has no limit on scans, no progress callback for a time
   limit, and no rows: it decodes into one buffer of the whole image. */
#include <stddef.h>
#include <stdio.h>

#include <jpeglib.h>
#include <jerror.h>
