import Foundation
import Server
import TestSupport
import Testing

extension Trait where Self == ConditionTrait {
    /// Skips where Chromium is absent, unless nothing may be skipped.
    static var requiresChromium: Self {
        .enabled(if: PageTests.chromium != nil || TestEnvironment.requiresAll, "needs chromium")
    }
}

/// The page in a headless browser, against a real server on a TCP port.
///
/// `LIKENESS_TESTS_SCREENSHOTS` names a folder that keeps the pictures, to be looked at.
@Suite(.serialized)
struct PageTests {
    static let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// Photos where the project has some beside it, else one made-up picture.
    private func pictures(in folder: TemporaryDirectory) throws -> [URL] {
        let found = FileManager.default.enumerator(at: SharedData.photos, includingPropertiesForKeys: nil)
        let photos = (found?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "jpg" }
            .sorted { $0.path < $1.path }.enumerated().filter { $0.offset % 37 == 0 }.map(\.element)
        if !photos.isEmpty { return photos }
        let pixel = """
            iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==
            """
        let file = folder.url.appending(path: "pixel.png")
        try #require(Data(base64Encoded: pixel)).write(to: file)
        return [file]
    }

    /// Opens an address in a window of that width.
    ///
    /// - Returns: the document after its scripts have run.
    private func render(_ address: String, width: Int, name: String, isDark: Bool = false) throws -> String {
        let chromium: String = try #require(Self.chromium, "chromium is not installed")
        let profile = try TemporaryDirectory()
        let kept = ProcessInfo.processInfo.environment["LIKENESS_TESTS_SCREENSHOTS"]
        let picture = "\(kept ?? profile.path)/\(name).png"
        let process = Process()
        process.executableURL = URL(filePath: chromium)
        process.arguments =
            [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                "--user-data-dir=\(profile.path)/profile", "--window-size=\(width),900", "--virtual-time-budget=4000",
                "--timeout=120000", "--screenshot=\(picture)", "--dump-dom",
            ] + (isDark ? ["--blink-settings=preferredColorScheme=0"] : []) + [address]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let status = process.terminationStatus
        #expect(status == 0)
        let size = try Data(contentsOf: URL(filePath: picture)).count
        #expect(size > 5000, "\(picture) has \(size) bytes")
        return text
    }

    @Test(.requiresChromium, arguments: [1280, 360])
    func `an address with an image's id shows the gallery`(width: Int) throws {
        let folder = try TemporaryDirectory()
        let server = try TestServer(daemon: FakeDaemon(imageCount: 40, pictures: pictures(in: folder)))
        let page = try render(
            "http://\(server.host)/?id=5#token=\(TestServer.token)",
            width: width,
            name: "gallery-\(width)",
            isDark: width == 360
        )
        #expect(page.components(separatedBy: "<li>").count - 1 == 24 + 1, "24 results and the template")
        #expect(page.contains("24 of 40 images in "))
        #expect(page.contains("40 images"))
        #expect(page.contains("Untrained model: finds copies, not similar pictures."))
        #expect(page.contains("Loading 36 more, 12 a second, 3 s left"))
        #expect(page.contains("src=\"blob:http://\(server.host)/"))
        #expect(page.contains("More like Ärger \"5\".jpg"))
        #expect(!page.contains(TestServer.token), "the token is nowhere in the document")
    }

    @Test(.requiresChromium)
    func `an address with a collection shows that one, and a chooser`() throws {
        let server = try TestServer()
        let address = "http://\(server.host)/?collection=work&id=1#token=\(TestServer.token)"
        let page = try render(address, width: 1280, name: "collection-1280")
        #expect(page.contains("1 of 2 images in "))
        #expect(page.contains("<p id=\"count\">2 images</p>"))
        #expect(page.contains("<option>default</option><option>work</option>"))
    }

    @Test(.requiresChromium)
    func `without a token the page asks for one in words`() throws {
        let server = try TestServer()
        let page = try render("http://\(server.host)/", width: 360, name: "token-360")
        #expect(page.contains("This page needs the token of your daemon. Run"))
        #expect(page.contains("<section id=\"query\" aria-label=\"Search\" hidden=\"\">"))
    }

    @Test(.requiresChromium)
    func `an error is told in words`() throws {
        let server = try TestServer()
        let page = try render("http://\(server.host)/?id=99#token=\(TestServer.token)", width: 1280, name: "error-1280")
        #expect(page.contains("There is no image 99."))
    }

    @Test func `the page loads nothing from elsewhere and holds no inline script or style`() throws {
        let server = try TestServer()
        for target in ["/", "/page.css", "/page.js", "/icon.svg"] {
            let text = try server.tcp().send("GET", target, host: server.host).text
                .replacing("http://www.w3.org/2000/svg", with: "")
            #expect(!text.contains("http://") && !text.contains("https://") && !text.contains("url("), "\(target)")
            #expect(!text.contains("innerHTML") && !text.contains("style=") && !text.contains("<style"), "\(target)")
            #expect(!text.contains("onclick=") && !text.contains("<script>"), "\(target)")
        }
    }
}
