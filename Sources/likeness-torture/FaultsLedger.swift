import Embedding
import Platform

/// What became of every image of a campaign.
final class FaultsLedger: Sendable {
    struct Verdict {
        var wrong = 0
        var lost = 0
        var double = 0
        var failed = 0
        var worstCosine = 1.0
        /// Seconds between two images that ended, one after the other, at most.
        var longestSilence = 0.0
    }

    private struct State {
        var ends: [[Result<EmbeddedImage, EmbeddingError>]]
        var endedCount = 0
        var last: Instant?
        var longestSilence = 0.0
    }

    private let state: Monitor<State>

    init(imageCount: Int) { state = Monitor(State(ends: Array(repeating: [], count: imageCount))) }

    func note(_ index: Int, _ result: Result<EmbeddedImage, EmbeddingError>) {
        state.withLockNotifyingAll { state in
            if state.ends[index].isEmpty { state.endedCount += 1 }
            state.ends[index].append(result)
            let now = Instant.now
            if let last = state.last { state.longestSilence = max(state.longestSilence, now - last) }
            state.last = now
        }
    }

    /// Waits for every image, and judges.
    func verdict(required: Double, subject: FaultsSubject, until deadline: Instant) -> Verdict {
        let all = state.wait(until: deadline) { $0.endedCount == $0.ends.count ? $0 : nil } ?? state.withLock { $0 }
        var verdict = Verdict()
        verdict.longestSilence = all.longestSilence
        for (index, ends) in all.ends.enumerated() {
            if ends.isEmpty { verdict.lost += 1 }
            if ends.count > 1 { verdict.double += 1 }
            guard let end = ends.first else { continue }
            guard case .success(let image) = end else {
                verdict.failed += 1
                continue
            }
            let similarity = subject.similarity(image.vector, picture: index % subject.pictures.count)
            // A NaN is wrong too.
            if !(similarity >= required) { verdict.wrong += 1 }
            verdict.worstCosine = similarity <= verdict.worstCosine ? similarity : verdict.worstCosine
        }
        return verdict
    }
}
