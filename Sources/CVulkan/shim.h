/* Types only: libvulkan.so.1 is opened at run time, so the daemon starts without it. */
#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>
