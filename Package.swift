// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target is held to. Warnings are errors.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// Numeric targets: whole-package optimisation in release, so that small functions cross target borders.
let numeric: [SwiftSetting] = strict + [.unsafeFlags(["-cross-module-optimization"], .when(configuration: .release))]

/// Targets above the C wrappers: every unsafe use is written down.
let safe: [SwiftSetting] = strict + [.strictMemorySafety()]

let c: [CSetting] = [.treatAllWarnings(as: .error), .enableWarning("all"), .enableWarning("extra")]

/// SIMD kernels are useless without optimisation, so debug builds optimise them too.
let kernels: [CSetting] = c + [.unsafeFlags(["-O3"])]

/// One test target per target: its name without `Tests`, and what it needs besides.
let testDependencies: [(name: String, others: [String])] = [
    ("Platform", ["CPlatform"]), ("Filters", []), ("Wire", ["DeviceReports", "Filters"]), ("Storage", ["Platform"]),
    ("LinearAlgebra", []), ("VectorIndex", ["Harness", "Storage", "Platform", "CIndexKernels"]),
    ("Catalog", ["Filters", "Storage", "VectorIndex", "LinearAlgebra", "Platform"]),
    ("Imaging", ["Platform"]),
    ("Inference", []), ("InferenceCPU", ["Inference", "ModelFiles"]),
    ("ModelFiles", ["Harness", "Inference", "LinearAlgebra", "Platform"]),
    ("InferenceVulkan", ["DeviceReports", "Inference", "ModelFiles", "CShaders", "Platform"]),
    ("Embedding", ["Imaging", "Inference", "LinearAlgebra", "Platform"]),
    ("Ingestion", ["Catalog", "Embedding", "Harness", "Imaging", "Inference", "Platform"]),
    (
        "Server",
        [
            "Wire", "DeviceReports", "Filters", "Catalog", "Embedding", "Imaging", "Inference", "Ingestion",
            "LinearAlgebra", "ModelFiles", "Platform",
        ]
    ),
    (
        "Daemon",
        [
            "Server", "Wire", "DeviceReports", "Platform", "Catalog", "Embedding", "Imaging", "Ingestion", "Inference",
            "InferenceVulkan",
        ]
    ),
    ("Client", ["Wire", "DeviceReports", "Filters", "Platform"]),
]

let tests: [Target] = testDependencies.map { target in
    .testTarget(
        name: "\(target.name)Tests",
        dependencies: ([target.name, "TestSupport"] + target.others).map { .byName(name: $0) },
        exclude: target.name == "Catalog" ? ["Fixtures"] : [],
        swiftSettings: numeric
    )
}

let package = Package(
    name: "likeness",
    products: [
        .executable(name: "likenessd", targets: ["likenessd"]),
        .executable(name: "likeness", targets: ["likeness"]),
        .executable(name: "likeness-bench", targets: ["likeness-bench"]),
        .executable(name: "likeness-torture", targets: ["likeness-torture"]),
    ],
    targets: [
        // Debian packages.
        .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CLMDB", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(name: "CMicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        .systemLibrary(name: "CNettle", providers: [.apt(["nettle-dev"])]),
        .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CPNG", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CTurboJPEG", providers: [.apt(["libjpeg-dev"])]),
        .systemLibrary(name: "CVulkan", providers: [.apt(["libvulkan-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),

        // C where Swift cannot go.
        .target(name: "CPlatform", cSettings: kernels),
        .target(name: "CIndexKernels", dependencies: ["CPlatform"], cSettings: kernels),
        .target(name: "CConvolution", dependencies: ["CPlatform"], cSettings: kernels),
        .target(name: "CModels", cSettings: c + [.disableWarning("c23-extensions")]),
        // C sources see headers, not modules: the libraries of the module maps are named here again.
        .target(
            name: "CImaging",
            dependencies: ["CTurboJPEG", "CPNG"],
            cSettings: kernels,
            linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png16")]
        ),
        .target(name: "CShaders", cSettings: c + [.disableWarning("c23-extensions")]),

        // The house, bottom up.
        .target(name: "Platform", dependencies: ["CPlatform", "CNettle"], swiftSettings: strict),
        .target(name: "Filters", exclude: ["README.md"], swiftSettings: safe),
        // Small, and apart: the backends write these reports and the client reads them, which links no backend.
        .target(name: "DeviceReports", swiftSettings: safe),
        .target(name: "Wire", dependencies: ["Filters", "DeviceReports"], swiftSettings: safe),
        .target(name: "Storage", dependencies: ["CLMDB", "Platform"], swiftSettings: strict),
        .target(
            name: "LinearAlgebra",
            dependencies: ["COpenBLAS", "Platform"],
            exclude: ["README.md"],
            swiftSettings: numeric
        ),
        .target(
            name: "VectorIndex",
            dependencies: ["Storage", "CIndexKernels", "COpenBLAS", "LinearAlgebra", "Platform"],
            exclude: ["README.md"],
            swiftSettings: numeric
        ),
        .target(
            name: "Catalog",
            dependencies: ["Filters", "Storage", "VectorIndex", "LinearAlgebra", "Platform"],
            exclude: ["README.md"],
            swiftSettings: safe
        ),
        .target(name: "Imaging", dependencies: ["CImaging", "Platform"], swiftSettings: numeric),
        .target(
            name: "Inference",
            dependencies: ["Platform", "COpenBLAS", "DeviceReports", "LinearAlgebra"],
            exclude: ["README.md"],
            swiftSettings: numeric
        ),
        .target(
            name: "ModelFiles",
            dependencies: ["Inference", "LinearAlgebra", "Platform", "CModels", "CZlib"],
            exclude: ["README.md"],
            swiftSettings: numeric
        ),
        .target(
            name: "InferenceCPU",
            dependencies: ["Inference", "COpenBLAS", "CConvolution", "Platform"],
            exclude: ["README.md"],
            swiftSettings: numeric
        ),
        .target(
            name: "InferenceVulkan",
            dependencies: ["Inference", "CVulkan", "CShaders", "DeviceReports", "Platform"],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        .target(
            name: "Embedding",
            dependencies: ["DeviceReports", "Imaging", "Inference", "Platform"],
            swiftSettings: safe
        ),
        .target(
            name: "Ingestion",
            dependencies: ["Catalog", "Embedding", "Filters", "Imaging", "Inference", "Platform"],
            exclude: ["README.md"],
            swiftSettings: safe
        ),
        .target(
            name: "Server",
            dependencies: [
                "Wire", "DeviceReports", "Filters", "Catalog", "Embedding", "Imaging", "Inference", "Ingestion",
                "LinearAlgebra", "ModelFiles", "Platform", "CMicrohttpd", "CServer",
            ],
            exclude: ["Page"],
            swiftSettings: strict
        ),
        .target(
            name: "CServer",
            dependencies: ["CMicrohttpd"],
            cSettings: c + [.disableWarning("c23-extensions")],
            linkerSettings: [.linkedLibrary("microhttpd")]
        ),
        .target(
            name: "Daemon",
            dependencies: [
                "Server", "Ingestion", "Catalog", "DeviceReports", "Embedding", "Imaging", "Platform",
                "Inference", "InferenceCPU", "InferenceVulkan", "LinearAlgebra", "ModelFiles", "Storage",
            ],
            swiftSettings: safe
        ),

        // The other end of the socket. It alone knows the network: the daemon's service has none.
        .target(
            name: "CTransfer",
            dependencies: ["CCurl"],
            cSettings: c,
            linkerSettings: [.linkedLibrary("curl")]
        ),
        .target(
            name: "Client",
            dependencies: ["Wire", "DeviceReports", "Filters", "Platform", "CTransfer"],
            swiftSettings: safe
        ),

        // Thin executables.
        .executableTarget(name: "likenessd", dependencies: ["Daemon"], swiftSettings: safe),
        .executableTarget(name: "likeness", dependencies: ["Client"], swiftSettings: safe),
        .executableTarget(
            name: "likeness-bench",
            dependencies: [
                "Catalog", "DeviceReports", "Embedding", "Filters", "Harness", "Imaging", "Inference", "InferenceCPU",
                "InferenceVulkan", "Ingestion", "ModelFiles", "Platform", "Storage", "VectorIndex",
            ],
            swiftSettings: numeric
        ),
        .executableTarget(
            name: "likeness-torture",
            dependencies: [
                "Catalog", "DeviceReports", "Embedding", "Harness", "Imaging", "Inference", "InferenceCPU",
                "InferenceVulkan", "ModelFiles", "Platform", "Storage", "VectorIndex",
            ],
            swiftSettings: numeric
        ),
        // What benchmarks, campaigns and tests share. It is apart from TestSupport, which imports the testing library: no
        // program may be linked with that.
        .target(name: "Harness", dependencies: ["Inference", "ModelFiles", "Platform"], swiftSettings: numeric),

        // One test target per target; fixtures shared.
        .target(
            name: "TestSupport",
            dependencies: ["Filters", "Harness", "Inference", "Platform"],
            path: "Tests/TestSupport",
            swiftSettings: strict
        ),
    ] + tests,
    cLanguageStandard: .gnu17
)

// Less than the whole package, for one command:
// - `LIKENESS_TESTS=VectorIndex,Storage swift test` builds the tests of these targets alone;
// - `LIKENESS_PROGRAMS=likenessd,likeness swift build` builds these programs together, `all` every program. `--product`
//   takes one at a time, and without it tests come along, which the static runtime has no library for.
let tested = Context.environment["LIKENESS_TESTS"].map { $0.split(separator: ",").map { "\($0)Tests" } }
let programs = Context.environment["LIKENESS_PROGRAMS"].map { chosen in
    package.products.map(\.name).filter { chosen == "all" || chosen.split(separator: ",").contains($0[...]) }
}
if let chosen = tested ?? programs {
    let targets = Dictionary(uniqueKeysWithValues: package.targets.map { ($0.name, $0) })
    var needed: Set<String> = []
    var pending = chosen
    while let name = pending.popLast() {
        guard needed.insert(name).inserted, let target = targets[name] else { continue }
        for case .byNameItem(let dependency, _) in target.dependencies { pending.append(dependency) }
    }
    package.targets.removeAll { !needed.contains($0.name) }
    package.products.removeAll { !needed.contains($0.name) }
}
