internal import Platform
internal import Wire

extension CommandDescription {
    static let modelFetch = CommandDescription(
        name: "model fetch",
        summary:
            "Downloads trained weights, checks them and gives them to the daemon. An interrupted download continues where it stopped.",
        usage: "NAME|MANIFEST.json [--from ADDRESS|FILE] [--use]",
        examples: [
            Example("model fetch vgg16 --use", "find similar pictures, not only copies"),
            Example("model list", "what can be fetched"),
            Example(
                "model fetch vgg16 --from /media/stick/vgg16.h5",
                "a file that was downloaded elsewhere; it is checked, too"
            ),
            Example("model fetch ./mine.json", "with a manifest of your own, like those in Models/"),
        ],
        operandCounts: 1...1,
        options: [
            OptionDescription(
                "from",
                .text(placeholder: "ADDRESS|FILE"),
                "take the weights from here: https:, http: on this machine, or a file"
            ),
            OptionDescription("use", .flag, "then switch to the model, as model use does"),
        ],
        run: { try ModelFetch(invocation: $0).run() }
    )
}

/// `likeness model fetch`: the client downloads, because the daemon's service has no network.
struct ModelFetch {
    let invocation: Invocation

    private var terminal: Terminal { invocation.terminal }

    /// A message, where JSON on standard error would not be disturbed by it.
    private func note(_ line: String) {
        if !invocation.wantsJSON { terminal.note(line) }
    }

    func run() throws -> ExitCode {
        // First, so that nothing is downloaded for a daemon that is not there.
        let list: ModelList = try invocation.client.get("\(WireProtocol.prefix)/models")
        let wanted = try WantedModel(invocation.arguments.operands[0], among: list.fetchable ?? [])
        let model: ModelBody
        if let present = list.models.first(where: { $0.name == wanted.model.name }) {
            note("the daemon has \(Text.visible(present.name)) already")
            model = present
        } else {
            model = try fetch(wanted)
            note("imported \(Text.visible("\(model.name): \(model.architecture)"))")
        }
        if invocation.arguments.has("use") { return try ModelUse(invocation: invocation, name: model.name).run() }
        if !model.inUse { note("use it: likeness model use \(Text.visible(model.name))") }
        _ = try invocation.printedJSON(of: model)
        return .ok
    }

    private func fetch(_ wanted: WantedModel) throws -> ModelBody {
        let place = invocation.arguments.text("from") ?? wanted.model.source.address
        guard place.contains("://") else { return try hand(try checked(place, wanted), wanted) }
        let address = try SourceAddress(place)
        let part = try PartialFile(
            name: wanted.model.name,
            folder: PartialFile.folder(environment: invocation.environment)
        )
        note("fetching \(Text.visible("\(wanted.model.name) from \(address.host)")), \(size(of: wanted))")
        note("licence: \(Text.visible(wanted.model.licence))")
        try Download(
            name: wanted.model.name,
            byteCount: UInt64(wanted.model.source.bytes),
            digest: wanted.digest,
            address: address,
            terminal: terminal,
            isQuiet: invocation.wantsJSON
        ).run(into: part)
        do {
            let model = try hand(part.path, wanted)
            part.remove()
            return model
        } catch {
            // Somebody who may import it need not download it again.
            note("the download is kept: --from \(Text.visible(part.path))")
            throw error
        }
    }

    private func size(of wanted: WantedModel) -> String { Text.bytes(UInt64(wanted.model.source.bytes)) }

    /// A file that came by other means, after the same check.
    private func checked(_ file: String, _ wanted: WantedModel) throws -> String {
        let byteCount = try LocalFile.byteCount(of: file)
        guard byteCount == wanted.model.source.bytes else {
            throw ClientError(
                .failed,
                kind: "wrong-size",
                "\(file) is not \(wanted.model.name): it has \(Text.count(byteCount)) bytes, "
                    + "not \(Text.count(wanted.model.source.bytes))"
            )
        }
        let found = try LocalFile.digest(of: file, by: wanted.digest.algorithm)
        guard found == wanted.digest else {
            throw ClientError.wrongDigest(of: file, name: wanted.model.name, found: found, expected: wanted.digest)
        }
        return file
    }

    private func hand(_ file: String, _ wanted: WantedModel) throws -> ModelBody {
        terminal.draw("sending \(size(of: wanted)) to the daemon")
        defer { terminal.endProgress() }
        let request = HTTPRequest(
            method: "PUT",
            path: "\(WireProtocol.prefix)/models/\(HTTPRequest.encode(wanted.model.name))",
            query: [("manifest", wanted.manifest)],
            body: .file(file, type: "application/octet-stream"),
            timeout: 600
        )
        return try DaemonClient.decode(try invocation.client.send(request))
    }
}
