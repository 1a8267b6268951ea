internal import Catalog
internal import Inference
internal import Platform
internal import Server
internal import Wire

/// Whitening of the collection in use. The collection refuses changes once it is written anew, so the daemon restarts in place.
extension Control {
    func learnWhitening() throws(Problem) -> WhiteningBody {
        do throws(CatalogError) {
            let whitening = try collection.learnWhitening()
            try collection.rewrite(whitening: whitening)
            Signals.requestRestart()
            return WhiteningBody(whitening)
        } catch { throw Problem(error) }
    }

    func removeWhitening() throws(Problem) {
        guard collection.whitening != nil else { return }
        do throws(CatalogError) {
            try collection.rewrite(whitening: nil)
            Signals.requestRestart()
        } catch { throw Problem(error) }
    }
}

extension WhiteningBody {
    init(_ whitening: Whitening) {
        self.init(vectors: whitening.sampleCount, sha256: whitening.digest.description)
    }
}
