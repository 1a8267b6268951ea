package import Catalog
package import DeviceReports
package import Embedding
package import Inference
package import Ingestion
package import LinearAlgebra
package import ModelFiles

/// What the program is.
package struct DaemonVersion: Sendable {
    package let number: String
    /// Versions of the C libraries below the server, by name.
    package let libraries: [String: String]

    package init(number: String, libraries: [String: String]) {
        self.number = number
        self.libraries = libraries
    }
}

/// One collection at a glance.
package struct CollectionStatus: Sendable {
    package var name: String
    package var stored: CatalogStatistics
    package var work: IngestionStatus
    /// nil when its vectors are compared as the network gives them.
    package var whitening: Whitening?

    package init(name: String, stored: CatalogStatistics, work: IngestionStatus, whitening: Whitening? = nil) {
        self.name = name
        self.stored = stored
        self.work = work
        self.whitening = whitening
    }
}

/// A collection that cannot be used, and why.
package struct UnusableCollection: Sendable, Equatable {
    package var name: String
    package var reason: String

    package init(name: String, reason: String) {
        self.name = name
        self.reason = reason
    }
}

/// A folder of the settings that is not watched, and why.
package struct UnwatchedRoot: Sendable, Equatable {
    package var path: String
    package var reason: String

    package init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }
}

/// A model of the library, or the one in use that is not in it.
package struct ServedModel: Sendable {
    package var summary: ModelSummary
    package var isInUse: Bool

    package init(_ summary: ModelSummary, isInUse: Bool) {
        self.summary = summary
        self.isInUse = isInUse
    }
}

/// What readiness and warnings depend on.
package struct DaemonConditions: Sendable {
    /// Of all collections.
    package var work: IngestionStatus
    package var unusable: [UnusableCollection]
    package var unwatched: [UnwatchedRoot]
    package var isModelUntrained: Bool
    package var backend: BackendDescription
    /// Of the graphics devices in use.
    package var devices: [DeviceHealth]
    /// Left on the state folder's file system.
    package var freeDiskByteCount: UInt64

    package init(
        work: IngestionStatus,
        unusable: [UnusableCollection],
        unwatched: [UnwatchedRoot],
        isModelUntrained: Bool,
        backend: BackendDescription,
        devices: [DeviceHealth],
        freeDiskByteCount: UInt64
    ) {
        self.work = work
        self.unusable = unusable
        self.unwatched = unwatched
        self.isModelUntrained = isModelUntrained
        self.backend = backend
        self.devices = devices
        self.freeDiskByteCount = freeDiskByteCount
    }
}

/// Everything at a glance, of one collection or of all.
package struct DaemonStatus: Sendable {
    /// Resident memory of the process.
    package struct Memory: Sendable {
        package var byteCount: UInt64
        package var peakByteCount: UInt64

        package init(byteCount: UInt64, peakByteCount: UInt64) {
            self.byteCount = byteCount
            self.peakByteCount = peakByteCount
        }
    }

    package var uptimeSeconds: Double
    /// Those that were asked for, by name.
    package var collections: [CollectionStatus]
    /// The daemon's, whatever was asked for.
    package var conditions: DaemonConditions
    package var model: ServedModel
    package var head: Head
    /// Why the device in use was chosen.
    package var deviceReason: String
    /// What the trials of the graphics drivers saw; nil where there was none.
    package var knownDevices: [GraphicsDevice]?
    package var embedding: EmbeddingStatistics
    package var memory: Memory

    package init(
        uptimeSeconds: Double,
        collections: [CollectionStatus],
        conditions: DaemonConditions,
        model: ServedModel,
        head: Head,
        deviceReason: String,
        knownDevices: [GraphicsDevice]?,
        embedding: EmbeddingStatistics,
        memory: Memory
    ) {
        self.uptimeSeconds = uptimeSeconds
        self.collections = collections
        self.conditions = conditions
        self.model = model
        self.head = head
        self.deviceReason = deviceReason
        self.knownDevices = knownDevices
        self.embedding = embedding
        self.memory = memory
    }
}

/// What a backup consists of.
package struct BackupContents: Sendable {
    /// A file below the state folder.
    package struct File: Sendable {
        /// With `/` between its parts.
        package var name: String
        package var byteCount: UInt64

        package init(name: String, byteCount: UInt64) {
            self.name = name
            self.byteCount = byteCount
        }
    }

    package var stateDirectory: String
    /// Each with its store's folder below the state folder.
    package var collections: [(folder: String, status: CollectionStatus)]
    /// To be fetched after the collections.
    package var files: [File]
    /// The weight file that the daemon was told to use, which is no part of the backup.
    package var weights: String?

    package init(
        stateDirectory: String,
        collections: [(folder: String, status: CollectionStatus)],
        files: [File],
        weights: String?
    ) {
        self.stateDirectory = stateDirectory
        self.collections = collections
        self.files = files
        self.weights = weights
    }
}
