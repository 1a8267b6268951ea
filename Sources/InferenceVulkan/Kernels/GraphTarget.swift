internal import CVulkan

/// What a device's limits decide about the layout of a graph.
struct GraphTarget {
    /// Bytes a binding's offset must be a multiple of.
    var offsetAlignment = 256
    /// Bytes of shared memory a workgroup may take.
    var sharedByteLimit = 32_768
    /// Bytes a binding may span.
    var windowByteCount = 1 << 27
    /// Threads of a subgroup in kernels on matrix units, and whether pipelines must ask for it.
    var subgroupSize = 32
    var requiresSubgroupSize = false
    /// Threads of a workgroup that owns matrices as a whole, and the shared memory that the driver keeps for them.
    var workgroupMatrixThreads = 128
    var workgroupMatrixByteCount = 0
}

extension Device {
    /// What the layout of a graph must know of this device.
    var graphTarget: GraphTarget {
        let capabilities = physical.capabilities
        var target = GraphTarget()
        target.offsetAlignment = Int(limits.minStorageBufferOffsetAlignment)
        target.sharedByteLimit = Int(limits.maxComputeSharedMemorySize)
        target.windowByteCount = Int(clamping: limits.maxStorageBufferRange)
        target.subgroupSize = capabilities.matrixSubgroupSize
        target.requiresSubgroupSize = capabilities.controlsSubgroups
        target.workgroupMatrixThreads = capabilities.workgroupMatrixThreads
        target.workgroupMatrixByteCount = capabilities.workgroupMatrixByteCount
        return target
    }
}
