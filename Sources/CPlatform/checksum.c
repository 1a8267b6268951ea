#include "checksum.h"

#include <pthread.h>
#include <string.h>

static uint32_t table[256];

static void fill_table(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; bit++) value = (value >> 1) ^ (0x82F63B78u & (0u - (value & 1u)));
        table[byte] = value;
    }
}

uint32_t CPlatform_crc32c_portable(uint32_t previous, const void *bytes, size_t count) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_table);
    const uint8_t *at = bytes;
    uint32_t value = ~previous;
    for (size_t i = 0; i < count; i++) value = (value >> 8) ^ table[(value ^ at[i]) & 0xFF];
    return ~value;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t previous, const void *bytes, size_t count) {
    const uint8_t *at = bytes;
    uint64_t value = ~previous;
    for (; count >= 8; at += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        value = _mm_crc32_u64(value, word);
    }
    uint32_t rest = (uint32_t)value;
    for (; count > 0; at++, count--) rest = _mm_crc32_u8(rest, *at);
    return ~rest;
}
#endif

uint32_t CPlatform_crc32c(uint32_t previous, const void *bytes, size_t count) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(previous, bytes, count);
#endif
    return CPlatform_crc32c_portable(previous, bytes, count);
}
