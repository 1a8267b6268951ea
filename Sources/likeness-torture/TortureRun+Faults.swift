import Foundation
import Platform

/// Lives in which a system call fails.
extension TortureRun {
    /// Steps of a life: with some of each kind, and short, because every call of it fails once in a life of its own.
    private static let stepCount: UInt32 = 6

    /// Pairs of lives: one in which the k-th call fails, one without faults that looks; until no call fails any more.
    func failAll() throws {
        guard let fault = options.fault else { return }
        try clear()
        _ = try finish(start(plan(stepCount: Self.stepCount)))
        let mark = directory + ".hit"
        defer { try? FileManager.default.removeItem(atPath: mark) }
        var number = options.firstCall
        while rounds < options.roundLimit, Instant.now - begin < options.secondsLimit, faults.isEmpty {
            rounds += 1
            try? FileManager.default.removeItem(atPath: mark)
            let environment = [
                "LD_PRELOAD=\(fault.library)", "LIKENESS_FAULT_CALL=\(fault.call)",
                "LIKENESS_FAULT_AT=\(number)", "LIKENESS_FAULT_LASTING=\(fault.isLasting ? 1 : 0)",
                "LIKENESS_FAULT_ERROR=\(fault.error)", "LIKENESS_FAULT_BELOW=\(directory)",
                "LIKENESS_FAULT_MARK=\(mark)",
            ]
            mayRefuse = true
            let status = try finish(start(plan(stepCount: Self.stepCount, isAsking: false), environment: environment))
            mayRefuse = false
            // Another library than ours chooses by chance and leaves no mark.
            let isHit = fault.call == "chance" || FileManager.default.fileExists(atPath: mark)
            endings[ending(status, isHit: isHit), default: 0] += 1
            try look()
            if !isHit { break }
            number += options.callStride
        }
    }

    private func ending(_ status: Int32, isHit: Bool) -> String {
        if status != 0 { strangeEndings.append("the worker ended with status \(status)") }
        if !isHit { return "not hit" }
        return switch lastPhase {
        case .opening: "did not open"
        case .closing: "went on"
        default: "gave up"
        }
    }
}
