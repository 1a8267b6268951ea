internal import CVulkan
internal import Inference

/// Instance-level functions, each under its C name without `vk`.
struct InstanceFunctions {
    let destroyInstance: PFN_vkDestroyInstance
    let enumeratePhysicalDevices: PFN_vkEnumeratePhysicalDevices
    let getPhysicalDeviceProperties2: PFN_vkGetPhysicalDeviceProperties2
    let getPhysicalDeviceFeatures2: PFN_vkGetPhysicalDeviceFeatures2
    let getPhysicalDeviceMemoryProperties2: PFN_vkGetPhysicalDeviceMemoryProperties2
    let getPhysicalDeviceQueueFamilyProperties: PFN_vkGetPhysicalDeviceQueueFamilyProperties
    let enumerateDeviceExtensionProperties: PFN_vkEnumerateDeviceExtensionProperties
    let createDevice: PFN_vkCreateDevice
    let getDeviceProcAddr: PFN_vkGetDeviceProcAddr
    /// Nil where no driver has cooperative matrices.
    let getCooperativeMatrixProperties: PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR?
    let getCooperativeMatrixFlexibleDimensions: PFN_vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV?

    init(_ library: VulkanLibrary, _ instance: VkInstance) throws(InferenceError) {
        destroyInstance = try library.function("vkDestroyInstance", of: instance)
        enumeratePhysicalDevices = try library.function("vkEnumeratePhysicalDevices", of: instance)
        getPhysicalDeviceProperties2 = try library.function("vkGetPhysicalDeviceProperties2", of: instance)
        getPhysicalDeviceFeatures2 = try library.function("vkGetPhysicalDeviceFeatures2", of: instance)
        getPhysicalDeviceMemoryProperties2 = try library.function("vkGetPhysicalDeviceMemoryProperties2", of: instance)
        getPhysicalDeviceQueueFamilyProperties =
            try library.function("vkGetPhysicalDeviceQueueFamilyProperties", of: instance)
        enumerateDeviceExtensionProperties = try library.function("vkEnumerateDeviceExtensionProperties", of: instance)
        createDevice = try library.function("vkCreateDevice", of: instance)
        getDeviceProcAddr = try library.function("vkGetDeviceProcAddr", of: instance)
        getCooperativeMatrixProperties =
            try? library.function("vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR", of: instance)
        getCooperativeMatrixFlexibleDimensions =
            try? library.function(
                "vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV",
                of: instance
            )
    }
}

/// Device-level functions, each under its C name without `vk`; they go straight to the driver. All belong to core Vulkan 1.0,
/// so a driver that lacks one is no driver; the device it made then leaks.
struct DeviceFunctions {
    let destroyDevice: PFN_vkDestroyDevice
    let getDeviceQueue: PFN_vkGetDeviceQueue

    let allocateMemory: PFN_vkAllocateMemory
    let freeMemory: PFN_vkFreeMemory
    let mapMemory: PFN_vkMapMemory
    let createBuffer: PFN_vkCreateBuffer
    let destroyBuffer: PFN_vkDestroyBuffer
    let getBufferMemoryRequirements: PFN_vkGetBufferMemoryRequirements
    let bindBufferMemory: PFN_vkBindBufferMemory

    let createShaderModule: PFN_vkCreateShaderModule
    let destroyShaderModule: PFN_vkDestroyShaderModule
    let createDescriptorSetLayout: PFN_vkCreateDescriptorSetLayout
    let destroyDescriptorSetLayout: PFN_vkDestroyDescriptorSetLayout
    let createPipelineLayout: PFN_vkCreatePipelineLayout
    let destroyPipelineLayout: PFN_vkDestroyPipelineLayout
    let createComputePipelines: PFN_vkCreateComputePipelines
    let destroyPipeline: PFN_vkDestroyPipeline
    let createDescriptorPool: PFN_vkCreateDescriptorPool
    let destroyDescriptorPool: PFN_vkDestroyDescriptorPool
    let allocateDescriptorSets: PFN_vkAllocateDescriptorSets
    let updateDescriptorSets: PFN_vkUpdateDescriptorSets

    let createCommandPool: PFN_vkCreateCommandPool
    let destroyCommandPool: PFN_vkDestroyCommandPool
    let allocateCommandBuffers: PFN_vkAllocateCommandBuffers
    let beginCommandBuffer: PFN_vkBeginCommandBuffer
    let endCommandBuffer: PFN_vkEndCommandBuffer
    let cmdBindPipeline: PFN_vkCmdBindPipeline
    let cmdBindDescriptorSets: PFN_vkCmdBindDescriptorSets
    let cmdPushConstants: PFN_vkCmdPushConstants
    let cmdDispatch: PFN_vkCmdDispatch
    let cmdPipelineBarrier: PFN_vkCmdPipelineBarrier
    let cmdCopyBuffer: PFN_vkCmdCopyBuffer

    let createFence: PFN_vkCreateFence
    let destroyFence: PFN_vkDestroyFence
    let resetFences: PFN_vkResetFences
    let waitForFences: PFN_vkWaitForFences
    let queueSubmit: PFN_vkQueueSubmit

    init(_ getDeviceProcAddr: PFN_vkGetDeviceProcAddr, _ device: VkDevice) throws(InferenceError) {
        func function<Function>(_ name: String) throws(InferenceError) -> Function {
            guard let pointer = getDeviceProcAddr(device, name) else {
                throw .deviceUnavailable(detail: "the Vulkan driver has no \(name)")
            }
            // SAFETY: as `VulkanLibrary.function`: name and type belong together in the list below.
            return unsafeBitCast(pointer, to: Function.self)
        }
        destroyDevice = try function("vkDestroyDevice")
        getDeviceQueue = try function("vkGetDeviceQueue")
        allocateMemory = try function("vkAllocateMemory")
        freeMemory = try function("vkFreeMemory")
        mapMemory = try function("vkMapMemory")
        createBuffer = try function("vkCreateBuffer")
        destroyBuffer = try function("vkDestroyBuffer")
        getBufferMemoryRequirements = try function("vkGetBufferMemoryRequirements")
        bindBufferMemory = try function("vkBindBufferMemory")
        createShaderModule = try function("vkCreateShaderModule")
        destroyShaderModule = try function("vkDestroyShaderModule")
        createDescriptorSetLayout = try function("vkCreateDescriptorSetLayout")
        destroyDescriptorSetLayout = try function("vkDestroyDescriptorSetLayout")
        createPipelineLayout = try function("vkCreatePipelineLayout")
        destroyPipelineLayout = try function("vkDestroyPipelineLayout")
        createComputePipelines = try function("vkCreateComputePipelines")
        destroyPipeline = try function("vkDestroyPipeline")
        createDescriptorPool = try function("vkCreateDescriptorPool")
        destroyDescriptorPool = try function("vkDestroyDescriptorPool")
        allocateDescriptorSets = try function("vkAllocateDescriptorSets")
        updateDescriptorSets = try function("vkUpdateDescriptorSets")
        createCommandPool = try function("vkCreateCommandPool")
        destroyCommandPool = try function("vkDestroyCommandPool")
        allocateCommandBuffers = try function("vkAllocateCommandBuffers")
        beginCommandBuffer = try function("vkBeginCommandBuffer")
        endCommandBuffer = try function("vkEndCommandBuffer")
        cmdBindPipeline = try function("vkCmdBindPipeline")
        cmdBindDescriptorSets = try function("vkCmdBindDescriptorSets")
        cmdPushConstants = try function("vkCmdPushConstants")
        cmdDispatch = try function("vkCmdDispatch")
        cmdPipelineBarrier = try function("vkCmdPipelineBarrier")
        cmdCopyBuffer = try function("vkCmdCopyBuffer")
        createFence = try function("vkCreateFence")
        destroyFence = try function("vkDestroyFence")
        resetFences = try function("vkResetFences")
        waitForFences = try function("vkWaitForFences")
        queueSubmit = try function("vkQueueSubmit")
    }
}
