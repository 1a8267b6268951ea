/// The known word that a mistyped one was probably meant to be.
///
/// - Parameters:
///   - word: as it was typed; beyond its first 64 characters it is not looked at, since it may come from a socket.
///   - known: what would have been right.
/// - Returns: nil when none is near: more than 3 edits, or more than half of its letters, away.
package func nearestWord(to word: String, among known: [String]) -> String? {
    let word = String(word.prefix(64))
    let best = known.map { (word: $0, distance: editDistance(word, $0)) }.min { $0.distance < $1.distance }
    guard let best, best.distance <= max(1, min(3, best.word.count / 2)) else { return nil }
    return best.word
}

/// Levenshtein's distance with neighbours swapped at cost 1 (optimal string alignment).
private func editDistance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
        var row = [i + 1]
        for j in b.indices {
            var cost = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
            row.append(cost)
        }
        (beforeLast, last) = (last, row)
    }
    return last[b.count]
}
