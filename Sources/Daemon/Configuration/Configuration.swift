package import Ingestion
package import Platform

/// Every setting of the daemon, with its default. Flags win over variables, variables over the file.
package struct Configuration: Sendable, Equatable {
    /// Which device computes.
    package enum Backend: String, Sendable, CaseIterable {
        /// A real graphics device through Vulkan if there is one, else the processor.
        case auto
        case cpu
        case vulkan
        /// The plain Swift oracle; far too slow for anything but tests.
        case reference
    }

    /// Folders to watch besides those that were added before, `DIR` or `NAME=DIR` for a collection.
    package var roots: [String] = []
    /// What is looked at below folders that have no settings of their own.
    package var rootSettings = RootSettings()
    package var stateDirectory: String
    package var socketPath: String
    /// `HOST:PORT` of the page on loopback; nil: no TCP at all.
    package var http: String?
    /// A weight file to use in place of a model of the library.
    package var weights: String?
    /// A model of the library; nil: the selected one.
    package var model: String?
    /// The name of a `Head`; nil: the selected one, else the model's default.
    package var head: String?
    package var backend = Backend.auto
    /// Index, name or UUID of a Vulkan device, several of them between commas, or `all`.
    package var device: String?
    /// Accept a Vulkan device that is a program on the processor.
    package var allowsSoftwareDevice = false
    /// Threads that compute and decode; nil: all cores.
    package var threads: Int?
    package var logLevel = Log.Level.info
    /// Users besides root and the daemon's own who may change roots, models and images.
    package var admins: [UInt32] = []

    package init(stateDirectory: String, socketPath: String) {
        self.stateDirectory = stateDirectory
        self.socketPath = socketPath
    }
}

/// A setting that cannot be used; the message names it and says what would be right.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
