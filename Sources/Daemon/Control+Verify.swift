internal import Server
internal import Wire

extension Control {
    func verify() throws(Problem) -> ResponseStream { throw Problem(.notFound, "wip") }
    func rebuild() throws(Problem) -> ResponseStream { throw Problem(.notFound, "wip") }
}
