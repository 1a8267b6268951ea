internal import CServer
internal import Wire

extension Routes {
    /// The page's files, compiled in, and its address.
    var pageRoutes: [Route] {
        [
            asset("/", "index.html", "text/html; charset=utf-8"),
            asset("/page.css", "page.css", "text/css; charset=utf-8"),
            asset("/page.js", "page.js", "text/javascript; charset=utf-8"),
            asset("/icon.svg", "icon.svg", "image/svg+xml"),
            // Whoever may search may see the page: on the Unix socket that is the socket's group, on TCP the token's
            // holder.
            Route(method: "GET", pattern: "/v1/page") { (_) throws(Problem) in
                guard let url = control.pageLink else {
                    throw Problem(.notFound, "no page is served; start the daemon with --http 127.0.0.1:8473")
                }
                return try Response(json: PageLink(url: url))
            },
        ]
    }

    private func asset(_ path: String, _ name: String, _ contentType: String) -> Route {
        // The address of "more like image 5 of work" can be passed on; the page's script reads it.
        Route(
            method: "GET",
            pattern: path,
            access: .open,
            parameters: path == "/" ? ["collection", "id"] : [],
            isPage: true
        ) { (_) throws(Problem) in
            var byteCount = 0
            guard let start = CServer_asset(name, &byteCount) else {
                throw Problem(.notFound, "the page lacks \(name)")
            }
            let bytes = [UInt8](UnsafeBufferPointer(start: start, count: byteCount))
            return Response(bytes: bytes, contentType: contentType)
        }
    }
}
