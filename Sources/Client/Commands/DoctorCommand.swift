internal import Foundation

extension CommandDescription {
    static let doctor = CommandDescription(
        name: "doctor",
        summary: "Checks what the daemon needs and says what to do. Works while the daemon is down.",
        usage: "",
        examples: [Example("doctor", "one line for each check: ok, warn or fail")],
        operandCounts: 0...0,
        run: { invocation in
            let report = Doctor(client: invocation.client).examine()
            if invocation.wantsJSON {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                let body = try encoder.encode(["findings": report.findings])
                invocation.terminal.print(String(decoding: body, as: UTF8.self))
            } else {
                for finding in report.findings { print(finding, invocation.terminal) }
            }
            return report.exitCode
        }
    )

    private static func print(_ finding: Finding, _ terminal: Terminal) {
        let color: Terminal.Color =
            switch finding.state {
            case .ok: .green
            case .warn: .yellow
            case .fail: .red
            }
        let state = terminal.colored(finding.state.rawValue, color) + (finding.state == .ok ? "  " : "")
        terminal.print("\(state)  \(finding.name): \(Text.visible(finding.detail))")
        if let fix = finding.fix { terminal.print("      \(Text.visible(fix))") }
    }
}
