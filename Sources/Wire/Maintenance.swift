/// `GET /v1/backup`: what a backup consists of, so that the client can look for room before it begins. Names are paths
/// below the state folder, with `/` between their parts.
package struct BackupPlan: Codable, Sendable, Equatable {
    /// A collection, to be had from `GET /v1/backup/collection?name=`.
    package struct Collection: Codable, Sendable, Equatable {
        /// Its folder.
        package var name: String
        /// What its file needs on disk now.
        package var bytes: UInt64
        package var images: Int

        package init(name: String, bytes: UInt64, images: Int) {
            self.name = name
            self.bytes = bytes
            self.images = images
        }
    }

    /// A file, to be had from `GET /v1/backup/file?name=`.
    package struct File: Codable, Sendable, Equatable {
        package var name: String
        package var bytes: UInt64

        package init(name: String, bytes: UInt64) {
            self.name = name
            self.bytes = bytes
        }
    }

    package var version: String
    /// The state folder that the names are below.
    package var state: String
    /// Watched folders, in which nothing is ever written.
    package var roots: [String]
    package var collections: [Collection]
    /// To be fetched after the collections.
    package var files: [File]
    /// The weight file that the daemon was told to use; it belongs to whoever told, and is no part of the backup.
    package var weights: String?

    package init(
        version: String,
        state: String,
        roots: [String],
        collections: [Collection],
        files: [File],
        weights: String?
    ) {
        self.version = version
        self.state = state
        self.roots = roots
        self.collections = collections
        self.files = files
        self.weights = weights
    }
}

/// One line of a long job's answer (`POST /v1/verify`, `POST /v1/rebuild`): NDJSON, one of these a line, `result` or
/// `problem` the last. An answer without either was cut off.
package struct JobLine: Codable, Sendable, Equatable {
    package struct JobProgress: Codable, Sendable, Equatable {
        /// What is at work, such as `img`.
        package var step: String
        package var done: Int
        package var total: Int

        package init(step: String, done: Int, total: Int) {
            self.step = step
            self.done = done
            self.total = total
        }
    }

    /// Something that is not as it must be.
    package struct Finding: Codable, Sendable, Equatable {
        /// The collection's folder below the state folder.
        package var collection: String
        /// The database of the store's format.
        package var database: String
        /// The record's key as people read it, or the page.
        package var key: String
        package var detail: String

        package init(collection: String, database: String, key: String, detail: String) {
            self.collection = collection
            self.database = database
            self.key = key
            self.detail = detail
        }
    }

    package struct Result: Codable, Sendable, Equatable {
        /// Records that were read, or vectors that were linked.
        package var records: Int
        package var findings: Int
        /// Images whose damaged vector was dropped; they are embedded again from their files.
        package var dropped: Int
        package var seconds: Double

        package init(records: Int, findings: Int = 0, dropped: Int = 0, seconds: Double) {
            self.records = records
            self.findings = findings
            self.dropped = dropped
            self.seconds = seconds
        }
    }

    package var progress: JobProgress?
    package var finding: Finding?
    package var result: Result?
    package var problem: Problem?

    package init(progress: JobProgress) { self.progress = progress }
    package init(finding: Finding) { self.finding = finding }
    package init(result: Result) { self.result = result }
    package init(problem: Problem) { self.problem = problem }
}
