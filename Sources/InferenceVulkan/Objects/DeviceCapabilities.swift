internal import CVulkan

/// What a device offers beyond core Vulkan 1.2, as far as a tier's kernels care; and how to turn it on.
struct DeviceCapabilities {
    /// fp16 in storage buffers.
    private(set) var storesHalves = false
    /// fp16 in shared memory and arithmetic.
    private(set) var computesHalves = false
    private(set) var hasMemoryModel = false
    /// Pipelines may ask for a subgroup size, and that no subgroup has gaps.
    private(set) var controlsSubgroups = false
    /// Smallest and largest subgroup that a pipeline may ask for; both the only one where `controlsSubgroups` is false.
    private(set) var subgroupSizes: ClosedRange<Int> = 1...1
    /// Threads of a workgroup that may own matrices as a whole, and bytes of shared memory that the driver keeps for them.
    private(set) var workgroupMatrixThreads = 128
    private(set) var workgroupMatrixByteCount = 0
    private(set) var cooperativeMatrixObstacle: String? = "the driver has no VK_KHR_cooperative_matrix"
    private(set) var cooperativeMatrix2Obstacle: String? = "the driver has no VK_NV_cooperative_matrix2"

    /// Extensions to name when a device is made.
    private(set) var extensions: [String] = []

    private static let subgroupControl = VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME
    private static let cooperativeMatrix = "VK_KHR_cooperative_matrix"
    private static let cooperativeMatrix2 = "VK_NV_cooperative_matrix2"

    /// Asks the driver; `available` are the extensions that the device lists.
    init(_ handle: VkPhysicalDevice, _ functions: InstanceFunctions, available: Set<String>) {
        extensions = [VK_EXT_MEMORY_BUDGET_EXTENSION_NAME, Self.subgroupControl, Self.cooperativeMatrix]
            .filter(available.contains)
        // It builds upon the other.
        if extensions.contains(Self.cooperativeMatrix), available.contains(Self.cooperativeMatrix2) {
            extensions.append(Self.cooperativeMatrix2)
        }
        var features = DeviceFeatures()
        features.withChain(extensions) { functions.getPhysicalDeviceFeatures2(handle, $0) }
        storesHalves = features.vulkan11.storageBuffer16BitAccess != 0
        computesHalves = features.vulkan12.shaderFloat16 != 0
        // Turned on, it forbids barriers of device scope, which heads need, without its second half.
        hasMemoryModel =
            features.vulkan12.vulkanMemoryModel != 0 && features.vulkan12.vulkanMemoryModelDeviceScope != 0
        controlsSubgroups = features.subgroups.subgroupSizeControl != 0 && features.subgroups.computeFullSubgroups != 0
        subgroupSizes = Self.subgroupSizes(handle, functions, controls: controlsSubgroups)
        if extensions.contains(Self.cooperativeMatrix) {
            cooperativeMatrixObstacle = obstacle(features.cooperative, Self.hasShape(handle, functions))
        }
        if extensions.contains(Self.cooperativeMatrix2) {
            cooperativeMatrix2Obstacle = obstacle(features.cooperative2)
            if cooperativeMatrix2Obstacle == nil { readWorkgroupMatrices(handle, functions) }
        }
    }

    private func obstacle(_ features: VkPhysicalDeviceCooperativeMatrixFeaturesKHR, _ hasShape: Bool) -> String? {
        if features.cooperativeMatrix == 0 { return "VK_KHR_cooperative_matrix is there but turned off by the driver" }
        if !computesHalves { return "the driver cannot compute with fp16 (shaderFloat16)" }
        if !hasMemoryModel { return "the driver lacks the Vulkan memory model" }
        if !hasShape { return "the matrix units lack 16x16x16 products of fp16 with sums in fp32" }
        return nil
    }

    private func obstacle(_ features: VkPhysicalDeviceCooperativeMatrix2FeaturesNV) -> String? {
        let needed = [
            ("workgroup scope", features.cooperativeMatrixWorkgroupScope),
            ("flexible dimensions", features.cooperativeMatrixFlexibleDimensions),
            ("per-element operations", features.cooperativeMatrixPerElementOperations),
            ("tensor addressing", features.cooperativeMatrixTensorAddressing),
        ]
        let missing = needed.filter { $0.1 == 0 }.map(\.0)
        return missing.isEmpty ? nil : "VK_NV_cooperative_matrix2 lacks \(missing.joined(separator: ", "))"
    }

    /// Of the subgroups that share a matrix: 32, which every vendor's matrix units like, or what comes nearest.
    var matrixSubgroupSize: Int { min(max(32, subgroupSizes.lowerBound), subgroupSizes.upperBound) }

    /// Finds threads for tiles of 64 and 128, fp16 times fp16 plus fp32 and back to fp16.
    private mutating func readWorkgroupMatrices(_ handle: VkPhysicalDevice, _ functions: InstanceFunctions) {
        var own = VkPhysicalDeviceCooperativeMatrix2PropertiesNV()
        own.sType = VkStructureType(rawValue: CVulkan_cooperativeMatrix2Properties)
        var properties = VkPhysicalDeviceProperties2()
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2
        withUnsafeMutablePointer(to: &own) { own in
            properties.pNext = UnsafeMutableRawPointer(own)
            functions.getPhysicalDeviceProperties2(handle, &properties)
        }
        workgroupMatrixByteCount = Int(own.cooperativeMatrixWorkgroupScopeReservedSharedMemory)

        var empty = VkCooperativeMatrixFlexibleDimensionsPropertiesNV()
        empty.sType = VkStructureType(rawValue: CVulkan_cooperativeMatrixFlexibleDimensionsProperties)
        var count: UInt32 = 0
        guard let function = functions.getCooperativeMatrixFlexibleDimensions,
            function(handle, &count, nil) == VK_SUCCESS, count > 0
        else {
            cooperativeMatrix2Obstacle = "the driver lists no matrices of a workgroup"
            return
        }
        var shapes = [VkCooperativeMatrixFlexibleDimensionsPropertiesNV](repeating: empty, count: Int(count))
        guard function(handle, &count, &shapes) == VK_SUCCESS else {
            cooperativeMatrix2Obstacle = "the driver's list of matrices of a workgroup cannot be read"
            return
        }
        let threads = shapes.prefix(Int(count)).filter {
            $0.scope == VK_SCOPE_WORKGROUP_KHR
                && $0.AType == VK_COMPONENT_TYPE_FLOAT16_KHR && $0.BType == VK_COMPONENT_TYPE_FLOAT16_KHR
                && $0.CType == VK_COMPONENT_TYPE_FLOAT32_KHR && $0.ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR
                && 64 % max(1, $0.MGranularity) == 0 && 64 % max(1, $0.NGranularity) == 0
                && 64 % max(1, $0.KGranularity) == 0
        }
        .map { Int($0.workgroupInvocations) }
        // More threads hold a tile of 128x128 in fewer registers each.
        if let best = threads.contains(256) ? 256 : threads.max() {
            workgroupMatrixThreads = best
        } else {
            cooperativeMatrix2Obstacle = "matrices of a workgroup lack fp16 products with sums in fp32"
        }
    }

    /// Calls `body` with the chain of features to turn on, all that the tiers use and the device has.
    func withFeatures<R>(_ body: (UnsafePointer<VkPhysicalDeviceFeatures2>) -> R) -> R {
        var features = DeviceFeatures()
        features.vulkan11.storageBuffer16BitAccess = storesHalves ? 1 : 0
        features.vulkan12.shaderFloat16 = computesHalves ? 1 : 0
        // Every device of Vulkan 1.2 has them.
        features.vulkan12.timelineSemaphore = 1
        features.vulkan12.vulkanMemoryModel = hasMemoryModel ? 1 : 0
        features.vulkan12.vulkanMemoryModelDeviceScope = hasMemoryModel ? 1 : 0
        features.subgroups.subgroupSizeControl = controlsSubgroups ? 1 : 0
        features.subgroups.computeFullSubgroups = controlsSubgroups ? 1 : 0
        if cooperativeMatrixObstacle == nil { features.cooperative.cooperativeMatrix = 1 }
        if cooperativeMatrix2Obstacle == nil {
            features.cooperative2.cooperativeMatrixWorkgroupScope = 1
            features.cooperative2.cooperativeMatrixFlexibleDimensions = 1
            features.cooperative2.cooperativeMatrixPerElementOperations = 1
            features.cooperative2.cooperativeMatrixTensorAddressing = 1
        }
        return features.withChain(extensions) { body($0) }
    }

    private static func subgroupSizes(
        _ handle: VkPhysicalDevice,
        _ functions: InstanceFunctions,
        controls: Bool
    ) -> ClosedRange<Int> {
        var common = VkPhysicalDeviceVulkan11Properties()
        common.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES
        var control = VkPhysicalDeviceSubgroupSizeControlProperties()
        control.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES
        var properties = VkPhysicalDeviceProperties2()
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2
        withUnsafeMutablePointer(to: &control) { control in
            withUnsafeMutablePointer(to: &common) { common in
                if controls { common.pointee.pNext = UnsafeMutableRawPointer(control) }
                properties.pNext = UnsafeMutableRawPointer(common)
                functions.getPhysicalDeviceProperties2(handle, &properties)
            }
        }
        guard controls, control.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT.rawValue != 0,
            control.minSubgroupSize > 0, control.minSubgroupSize <= control.maxSubgroupSize
        else {
            let only = max(1, Int(common.subgroupSize))
            return only...only
        }
        return Int(control.minSubgroupSize)...Int(control.maxSubgroupSize)
    }

    /// Whether the device lists 16x16x16, fp16 times fp16 plus fp32, for a subgroup.
    private static func hasShape(_ handle: VkPhysicalDevice, _ functions: InstanceFunctions) -> Bool {
        guard let function = functions.getCooperativeMatrixProperties else { return false }
        var count: UInt32 = 0
        guard function(handle, &count, nil) == VK_SUCCESS, count > 0 else { return false }
        var empty = VkCooperativeMatrixPropertiesKHR()
        empty.sType = VkStructureType(rawValue: CVulkan_cooperativeMatrixProperties)
        var shapes = [VkCooperativeMatrixPropertiesKHR](repeating: empty, count: Int(count))
        let result = function(handle, &count, &shapes)
        guard result == VK_SUCCESS || result == VK_INCOMPLETE else { return false }
        return shapes.prefix(Int(count)).contains {
            $0.MSize == 16 && $0.NSize == 16 && $0.KSize == 16
                && $0.AType == VK_COMPONENT_TYPE_FLOAT16_KHR && $0.BType == VK_COMPONENT_TYPE_FLOAT16_KHR
                && $0.CType == VK_COMPONENT_TYPE_FLOAT32_KHR && $0.ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR
                && $0.scope == VK_SCOPE_SUBGROUP_KHR
        }
    }
}

/// The structures in which Vulkan tells features and takes them; those of absent extensions stay out of the chain.
private struct DeviceFeatures {
    var core = VkPhysicalDeviceFeatures2()
    var vulkan11 = VkPhysicalDeviceVulkan11Features()
    var vulkan12 = VkPhysicalDeviceVulkan12Features()
    var subgroups = VkPhysicalDeviceSubgroupSizeControlFeatures()
    var cooperative = VkPhysicalDeviceCooperativeMatrixFeaturesKHR()
    var cooperative2 = VkPhysicalDeviceCooperativeMatrix2FeaturesNV()

    init() {
        core.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2
        vulkan11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES
        vulkan12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES
        subgroups.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES
        cooperative.sType = VkStructureType(rawValue: CVulkan_cooperativeMatrixFeatures)
        cooperative2.sType = VkStructureType(rawValue: CVulkan_cooperativeMatrix2Features)
    }

    mutating func withChain<R>(
        _ extensions: [String],
        _ body: (UnsafeMutablePointer<VkPhysicalDeviceFeatures2>) -> R
    ) -> R {
        withUnsafeMutablePointer(to: &self) { all in
            // SAFETY: the structures are stored properties of one value that stays in place during the call; Vulkan follows
            // the pointers only during the call.
            let base = UnsafeMutableRawPointer(all)
            func at<T>(_ path: KeyPath<Self, T>) -> UnsafeMutableRawPointer {
                base + (MemoryLayout<Self>.offset(of: path) ?? 0)
            }
            var next = at(\.vulkan11)
            all.pointee.core.pNext = next
            func append(_ pointer: UnsafeMutableRawPointer) {
                // Every structure of a chain begins with its type and the pointer to the next.
                next.assumingMemoryBound(to: VkBaseOutStructure.self).pointee.pNext =
                    pointer.assumingMemoryBound(to: VkBaseOutStructure.self)
                next = pointer
            }
            append(at(\.vulkan12))
            if extensions.contains(VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME) { append(at(\.subgroups)) }
            if extensions.contains("VK_KHR_cooperative_matrix") { append(at(\.cooperative)) }
            if extensions.contains("VK_NV_cooperative_matrix2") { append(at(\.cooperative2)) }
            return body(base.assumingMemoryBound(to: VkPhysicalDeviceFeatures2.self))
        }
    }
}
