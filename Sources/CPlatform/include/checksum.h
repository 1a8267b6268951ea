#ifndef CPLATFORM_CHECKSUM_H
#define CPLATFORM_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli, reflected polynomial 0x82F63B78, initial value and final xor 0xFFFFFFFF; RFC 3720 appendix B.4) of
   `bytes`, or of what `previous` covers followed by `bytes`; `previous` is 0 at the beginning. */
uint32_t CPlatform_crc32c(uint32_t previous, const void *_Nullable bytes, size_t count);

/* The same by table look-up, for machines without SSE 4.2 and as the oracle of the other. */
uint32_t CPlatform_crc32c_portable(uint32_t previous, const void *_Nullable bytes, size_t count);

#endif
