internal import CVulkan
internal import Glibc
internal import Inference

/// Device-level functions, each under its C name without `vk`; they go straight to the driver. All belong to core Vulkan 1.2,
/// so a driver that lacks one is no driver; the device it made then leaks.
///
/// The four calls that fail in practice (memory, pipelines, submissions, waits) are methods: there a test's fault plan comes
/// between.
struct DeviceFunctions {
    let destroyDevice: PFN_vkDestroyDevice
    let deviceWaitIdle: PFN_vkDeviceWaitIdle
    let getDeviceQueue: PFN_vkGetDeviceQueue

    private let allocateMemoryInDriver: PFN_vkAllocateMemory
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
    private let createComputePipelinesInDriver: PFN_vkCreateComputePipelines
    let destroyPipeline: PFN_vkDestroyPipeline
    let createPipelineCache: PFN_vkCreatePipelineCache
    let destroyPipelineCache: PFN_vkDestroyPipelineCache
    let getPipelineCacheData: PFN_vkGetPipelineCacheData
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

    let createSemaphore: PFN_vkCreateSemaphore
    let destroySemaphore: PFN_vkDestroySemaphore
    private let waitSemaphoresInDriver: PFN_vkWaitSemaphores
    private let queueSubmitInDriver: PFN_vkQueueSubmit

    /// The faults of this device in tests.
    let faults: DeviceFaults?

    init(
        _ getDeviceProcAddr: PFN_vkGetDeviceProcAddr,
        _ device: VkDevice,
        faults: VulkanFaults?
    ) throws(InferenceError) {
        func function<Function>(_ name: String) throws(InferenceError) -> Function {
            guard let pointer = getDeviceProcAddr(device, name) else {
                throw .deviceUnavailable(detail: "the Vulkan driver has no \(name)")
            }
            // SAFETY: as `VulkanLibrary.function`: name and type belong together in the list below.
            return unsafeBitCast(pointer, to: Function.self)
        }
        self.faults = faults?.addDevice()
        destroyDevice = try function("vkDestroyDevice")
        deviceWaitIdle = try function("vkDeviceWaitIdle")
        getDeviceQueue = try function("vkGetDeviceQueue")
        allocateMemoryInDriver = try function("vkAllocateMemory")
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
        createComputePipelinesInDriver = try function("vkCreateComputePipelines")
        destroyPipeline = try function("vkDestroyPipeline")
        createPipelineCache = try function("vkCreatePipelineCache")
        destroyPipelineCache = try function("vkDestroyPipelineCache")
        getPipelineCacheData = try function("vkGetPipelineCacheData")
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
        createSemaphore = try function("vkCreateSemaphore")
        destroySemaphore = try function("vkDestroySemaphore")
        waitSemaphoresInDriver = try function("vkWaitSemaphores")
        queueSubmitInDriver = try function("vkQueueSubmit")
    }

    func allocateMemory(
        _ device: VkDevice,
        _ info: UnsafePointer<VkMemoryAllocateInfo>,
        _ memory: UnsafeMutablePointer<VkDeviceMemory?>
    ) -> VkResult {
        faults?.next(.allocateMemory)?.result ?? allocateMemoryInDriver(device, info, nil, memory)
    }

    /// Creates one pipeline; may be called by several threads with the same `cache`.
    func createComputePipeline(
        _ device: VkDevice,
        _ cache: VkPipelineCache?,
        _ info: UnsafePointer<VkComputePipelineCreateInfo>,
        _ pipeline: UnsafeMutablePointer<VkPipeline?>
    ) -> VkResult {
        faults?.next(.createComputePipelines)?.result
            ?? createComputePipelinesInDriver(device, cache, 1, info, nil, pipeline)
    }

    func queueSubmit(_ queue: VkQueue, _ submission: UnsafePointer<VkSubmitInfo>) -> VkResult {
        // A submission that is to hang is made all the same: waits are what hangs, see `VulkanFaults`.
        faults?.next(.queueSubmit)?.result ?? queueSubmitInDriver(queue, 1, submission, nil)
    }

    /// Waits for `nanoseconds` at most. `isTeardown`: what was submitted is about to be destroyed.
    func waitSemaphores(
        _ device: VkDevice,
        _ info: UnsafePointer<VkSemaphoreWaitInfo>,
        nanoseconds: UInt64,
        isTeardown: Bool
    ) -> VkResult {
        faults?.nextWait(isTeardown: isTeardown) ?? waitSemaphoresInDriver(device, info, nanoseconds)
    }
}
