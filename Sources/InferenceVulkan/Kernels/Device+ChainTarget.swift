internal import CVulkan

extension Device {
    /// What the layout of a chain must know of this device.
    var chainTarget: ChainTarget {
        let capabilities = physical.capabilities
        var target = ChainTarget()
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
