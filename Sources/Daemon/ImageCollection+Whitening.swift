internal import Catalog
internal import Inference
internal import LinearAlgebra
internal import Platform
internal import Server
internal import Wire

/// Whitening. The collection refuses changes once it is written anew, so the daemon restarts in place.
extension ImageCollection {
    func learnWhitening() throws(Problem) -> WhiteningBody {
        do throws(CatalogError) {
            let whitening = try store.learnWhitening()
            try store.rewrite(whitening: whitening)
            Signals.requestRestart()
            return WhiteningBody(whitening)
        } catch { throw Problem(error) }
    }

    func removeWhitening() throws(Problem) {
        guard store.whitening != nil else { return }
        do throws(CatalogError) {
            try store.rewrite(whitening: nil)
            Signals.requestRestart()
        } catch { throw Problem(error) }
    }
}

extension WhiteningBody {
    init(_ whitening: Whitening) {
        self.init(vectors: whitening.sampleCount, sha256: whitening.digest.description)
    }
}
