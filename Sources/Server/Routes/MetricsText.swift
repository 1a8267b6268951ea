internal import DeviceReports
internal import Wire

/// Prometheus text format 0.0.4: base units, counters end in `_total`.
struct MetricsText {
    private(set) var text = ""

    init(status: StatusResponse, server: ServerMetrics.Counts) {
        let collections = status.collections ?? []
        perCollection("likeness_images", "Searchable images.", of: collections) { $0.counts.images }
        perCollection("likeness_vectors", "Distinct vectors.", of: collections) { $0.counts.vectors }
        perCollection("likeness_files", "Files in the ledger.", of: collections) { $0.counts.files }
        perCollection("likeness_failed_files", "Files that could not be made searchable.", of: collections) {
            $0.counts.failed
        }
        perCollection("likeness_waiting_files", "Files that wait to be embedded.", of: collections) {
            $0.counts.waiting
        }
        perCollection("likeness_disk_bytes", "Bytes of a collection on disk.", of: collections) {
            Int(clamping: $0.diskBytes)
        }
        gauge("likeness_embedding_rate", "Images embedded per second, lately.", status.progress.imagesPerSecond)
        gauge("likeness_warnings", "Conditions that somebody should look at.", Double(status.warnings.count))
        gauge("likeness_uptime_seconds", "Since the daemon started.", status.uptime)
        gauge("likeness_resident_memory_bytes", "Resident memory.", Double(status.resources.memoryBytes))
        gauge(
            "likeness_disk_free_bytes",
            "Bytes free on the collections' file system.",
            Double(status.resources.diskFreeBytes)
        )
        if let work = status.work {
            counter("likeness_embedded_images_total", "Images embedded for the index.", Double(work.images))
            counter("likeness_embedded_queries_total", "Images embedded for queries.", Double(work.queries))
            counter("likeness_embedding_failures_total", "Images without a vector.", Double(work.failures))
            counter("likeness_batches_total", "Batches computed.", Double(work.batches))
            counter("likeness_decode_seconds_total", "Time that decoders worked.", work.decode)
            counter("likeness_compute_seconds_total", "Time that the device worked.", work.compute)
        }
        append(status.device.graphics ?? [])
        header("likeness_root_files", "Files of a root by state.", "gauge")
        for root in status.roots {
            for (state, count) in [
                ("indexed", root.indexedFiles), ("failed", root.failedFiles), ("waiting", root.waitingFiles),
            ] {
                let labels = [("collection", root.collection ?? ""), ("root", root.path), ("state", state)]
                sample("likeness_root_files", labels, Double(count))
            }
        }
        header("likeness_root_excluded_files", "Entries below a root that are left out, by reason.", "gauge")
        for root in status.roots {
            for (reason, count) in root.excludedFiles.sorted(by: { $0.key < $1.key }) {
                let labels = [("collection", root.collection ?? ""), ("root", root.path), ("reason", reason)]
                sample("likeness_root_excluded_files", labels, Double(count))
            }
        }
        append(server)
    }

    private mutating func append(_ graphics: [DeviceHealth]) {
        guard !graphics.isEmpty else { return }
        let counters: [(name: String, help: String, value: (DeviceHealth) -> Int)] = [
            ("losses", "Times a graphics device was lost.", { $0.lossCount }),
            ("hangs", "Submissions that did not end in time.", { $0.hangCount }),
            ("out_of_memory", "Times a graphics device had no memory left.", { $0.outOfMemoryCount }),
            ("non_finite", "Images recomputed because their vector was not finite.", { $0.nonFiniteCount }),
            ("returns", "Times a lost graphics device took over again.", { $0.returnCount }),
        ]
        for (name, help, value) in counters {
            header("likeness_device_\(name)_total", help, "counter")
            for (index, device) in graphics.enumerated() {
                sample("likeness_device_\(name)_total", Self.labels(index, device), Double(value(device)))
            }
        }
        header("likeness_device_serving", "Whether a graphics device computes, by its tier.", "gauge")
        for (index, device) in graphics.enumerated() {
            let labels = Self.labels(index, device) + [("tier", device.tier), ("state", device.state.rawValue)]
            sample("likeness_device_serving", labels, device.state == .serving ? 1 : 0)
        }
    }

    /// The position keeps equal cards apart.
    private static func labels(_ index: Int, _ device: DeviceHealth) -> [(String, String)] {
        [("position", String(index)), ("device", device.device)]
    }

    private mutating func append(_ server: ServerMetrics.Counts) {
        header("likeness_http_requests_total", "Requests by route and status; 499: the client left.", "counter")
        let replies = server.replies.sorted { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }
        for (reply, count) in replies {
            sample(
                "likeness_http_requests_total",
                [("route", reply.route), ("status", String(reply.status))],
                Double(count)
            )
        }
        gauge("likeness_http_requests_in_progress", "Requests at work.", Double(server.requestsAtWork))
        counter("likeness_http_request_seconds_total", "Time spent on requests.", server.requestSeconds)
        counter("likeness_http_connections_total", "Connections accepted.", Double(server.connectionsAccepted))
        counter(
            "likeness_http_connections_refused_total",
            "Connections above a limit.",
            Double(server.connectionsRefused)
        )
        counter("likeness_http_connections_cut_total", "Connections cut at a deadline.", Double(server.connectionsCut))
        header("likeness_search_seconds", "Time of successful searches.", "histogram")
        for (bound, count) in zip(ServerMetrics.buckets, server.searchBuckets) {
            sample("likeness_search_seconds_bucket", [("le", String(bound))], Double(count))
        }
        sample("likeness_search_seconds_bucket", [("le", "+Inf")], Double(server.searchCount))
        sample("likeness_search_seconds_sum", [], server.searchSeconds)
        sample("likeness_search_seconds_count", [], Double(server.searchCount))
    }

    private mutating func perCollection(
        _ name: String,
        _ help: String,
        of collections: [CollectionBody],
        value: (CollectionBody) -> Int
    ) {
        header(name, help, "gauge")
        for collection in collections { sample(name, [("collection", collection.name)], Double(value(collection))) }
    }

    private mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        header(name, help, "gauge")
        sample(name, [], value)
    }

    private mutating func counter(_ name: String, _ help: String, _ value: Double) {
        header(name, help, "counter")
        sample(name, [], value)
    }

    private mutating func header(_ name: String, _ help: String, _ type: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        let shown = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
        text += "\(name)\(labels.isEmpty ? "" : "{\(shown)}") \(value)\n"
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
