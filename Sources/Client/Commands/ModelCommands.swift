internal import Platform
internal import Wire

extension CommandDescription {
    static let modelList = CommandDescription(
        name: "model list",
        summary: "Lists the models that the daemon has, with `*` before the one in use, and those that can be fetched.",
        usage: "",
        examples: [Example("model list", "all models")],
        operandCounts: 0...0,
        run: { invocation in
            let request = HTTPRequest(method: "GET", path: "\(WireProtocol.prefix)/models")
            return try invocation.ask(request) { (list: ModelList) in print(list, invocation.terminal) }
        }
    )

    private static func print(_ list: ModelList, _ terminal: Terminal) {
        let rows = list.models.map { model in
            let kind =
                model.untrained ? "untrained: finds copies, not similar pictures" : model.licence ?? "licence unknown"
            let cells = [
                model.inUse ? "*" : " ", model.name, model.architecture, "\(model.dimension) dimensions",
                "head \(model.defaultHead)", kind,
            ]
            return cells.map(Text.visible)
        }
        Text.table(rows).forEach(terminal.print)
        fetchableLines(list).forEach(terminal.print)
    }

    /// What can be fetched and is not there yet.
    private static func fetchableLines(_ list: ModelList) -> [String] {
        let present = Set(list.models.map(\.name))
        let rows = (list.fetchable ?? []).filter { !present.contains($0.name) }.map { model in
            let names = [model.name] + (model.aliases ?? [])
            return [
                "  \(names.joined(separator: ", "))", Text.bytes(UInt64(max(0, model.source.bytes))), model.licence,
            ]
            .map(Text.visible)
        }
        return rows.isEmpty ? [] : ["", "can be fetched (likeness model fetch NAME):"] + Text.table(rows, right: [1])
    }

    static let modelImport = CommandDescription(
        name: "model import",
        summary: "Gives the daemon a file of trained VGG weights: safetensors, PyTorch's .pth, Keras's .h5 or .onnx.",
        usage: "FILE [--name N] [--preprocessing P] [--head H]",
        examples: [
            Example("model import mine.pth && likeness model use mine", "weights that you trained"),
            Example("model import w.safetensors --name art --preprocessing torchvision", "fed as torchvision does"),
        ],
        operandCounts: 1...1,
        options: [
            OptionDescription(
                "name",
                .text(placeholder: "N"),
                "how to call it (the file's name without its ending)"
            ),
            OptionDescription(
                "preprocessing",
                .choice(["keras", "torchvision"]),
                "how images were fed to it (else its format's usual: keras for .h5 and safetensors, torchvision "
                    + "for .pth and .onnx)"
            ),
            OptionDescription("head", .choice(HeadNames.all), "its default head"),
        ],
        run: { invocation in
            let file = invocation.arguments.operands[0]
            let name = invocation.arguments.text("name") ?? modelName(of: file)
            var request = HTTPRequest(
                method: "PUT",
                path: "\(WireProtocol.prefix)/models/\(HTTPRequest.encode(name))",
                body: .file(file, type: "application/octet-stream"),
                timeout: 600
            )
            for option in ["preprocessing", "head"] {
                if let value = invocation.arguments.text(option) { request.query.append((option, value)) }
            }
            return try invocation.ask(request) { (model: ModelBody) in
                invocation.terminal.note("imported \(Text.visible("\(model.name): \(model.architecture)"))")
                invocation.terminal.note("use it: likeness model use \(Text.visible(model.name))")
            }
        }
    )

    static let modelUse = CommandDescription(
        name: "model use",
        summary: "Switches to a model; all images are loaded again with it.",
        usage: "NAME [--head H]",
        examples: [Example("model use vgg16", "with its default head")],
        operandCounts: 1...1,
        options: [
            OptionDescription("head", .choice(HeadNames.all), "which head (the model's default)")
        ],
        run: { try ModelUse(invocation: $0, name: $0.arguments.operands[0]).run() }
    )

    /// `vgg16.safetensors` is `vgg16`.
    private static func modelName(of file: String) -> String {
        let last = file.split(separator: "/").last ?? ""
        let stem = last.lastIndex(of: ".").map { last[..<$0] } ?? last
        return String(stem.isEmpty ? last : stem)
    }
}
