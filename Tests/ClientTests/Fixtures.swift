import Filters
import Wire

/// A status to start from.
func makeStatus(
    images: Int = 3,
    waiting: Int = 0,
    rootState: String = "live",
    rootWaiting: Int = 0,
    model: String = "vgg16",
    uptime: Double = 100,
    warnings: [Warning] = []
) -> StatusResponse {
    StatusResponse(
        version: "1.2",
        uptime: uptime,
        counts: .init(images: images, vectors: images, files: images + waiting + 1, failed: 1, waiting: waiting),
        progress: .init(
            done: images,
            total: images + waiting,
            imagesPerSecond: 12.5,
            remaining: waiting > 0 ? 90 : nil,
            paused: nil
        ),
        model: ModelBody(
            name: model,
            architecture: "VGG16",
            dimension: 512,
            sha256: "",
            defaultHead: "max",
            untrained: true,
            inUse: true,
            licence: nil
        ),
        head: "max",
        device: .init(backend: "cpu", device: "Xeon", tier: "fp32", threads: 2, reason: "no GPU"),
        roots: [
            RootBody(
                path: "/photos",
                state: rootState,
                detail: "",
                entries: images + waiting + 4,
                indexedFiles: images,
                failedFiles: 1,
                waitingFiles: rootWaiting,
                excludedFiles: ["hidden": 1, "not_an_image": 2]
            )
        ],
        resources: .init(
            memoryBytes: 300_000_000,
            memoryPeakBytes: 400_000_000,
            diskBytes: 5_000_000,
            diskFreeBytes: 20_000_000_000
        ),
        limits: [:],
        warnings: warnings
    )
}

func makeImage(_ id: UInt64, path: String = "/photos/a.jpg") -> ImageBody {
    ImageBody(
        id: id,
        path: path,
        root: "/photos",
        format: "jpeg",
        width: 640,
        height: 480,
        bytes: 123_456,
        sha256: String(repeating: "a", count: 64),
        modified: "2026-01-01T00:00:00Z",
        added: "2026-01-02T00:00:00Z",
        document: .object(["camera": .string("X100")])
    )
}

func makeResponse(_ results: [(Double, String)]) -> SearchResponse {
    SearchResponse(
        results: results.enumerated().map { index, result in
            SearchResultBody(
                id: UInt64(index + 1),
                score: result.0,
                distance: 0,
                path: result.1,
                width: 1,
                height: 1,
                document: nil
            )
        },
        total: 9,
        tookMilliseconds: .init(embed: 0, search: 0, load: 0, total: 0),
        warnings: nil
    )
}
