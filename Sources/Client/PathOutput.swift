internal import Filters
internal import Platform
internal import Wire

/// What has a path in an answer.
protocol WithPath {
    var path: String { get }
    var pathBytes: String? { get }
}

extension ImageBody: WithPath {}
extension SearchResultBody: WithPath {}
extension FailureBody: WithPath {}
extension ExclusionBody: WithPath {}

extension WithPath {
    /// The path as the kernel has it.
    var rawPath: [UInt8] { pathBytes.flatMap { [UInt8](percentEncoded: $0) } ?? Array(path.utf8) }
}

/// Lists of paths for other programs: names are bytes, and a line feed may be one of them.
extension CommandDescription {
    /// Of every command that lists files.
    static let pathOptions = [
        OptionDescription("paths", .flag, "only the paths, one a line, as the kernel has them"),
        OptionDescription("null", .flag, "only the paths, each with a zero byte behind it: for xargs -0", letter: "0"),
    ]
}

extension Invocation {
    /// Prints the paths alone where the command line says so.
    ///
    /// - Returns: whether it does; then nothing else is to be printed.
    /// - Throws: `ClientError` of exit code 2 where JSON is wanted too.
    func printedPaths(of items: [some WithPath]) throws -> Bool {
        guard try wantsPaths else { return false }
        let end: UInt8 = arguments.has("null") ? 0 : UInt8(ascii: "\n")
        for item in items { terminal.printRaw(item.rawPath + [end]) }
        return true
    }

    var wantsPaths: Bool {
        get throws {
            guard arguments.has("paths") || arguments.has("null") else { return false }
            guard !wantsJSON else {
                throw ClientError.usage("--paths and --null exclude --json, which has `path` and `path_bytes`")
            }
            return true
        }
    }

    /// Prints one line of a table for people that ends with a path.
    ///
    /// - Parameters:
    ///   - start: what stands before the path.
    ///   - item: whose path it is.
    ///   - rest: what stands behind it.
    func print(_ start: String, path item: some WithPath, _ rest: String = "") {
        // A terminal shows text; whoever else reads wants the bytes.
        let shown =
            item.pathBytes == nil || terminal.isInteractive
            ? Array(Text.visible(item.path).utf8) : Text.visible(item.rawPath)
        terminal.printRaw(Array(start.utf8) + shown + Array(rest.utf8) + [UInt8(ascii: "\n")])
    }
}
