import Foundation
import Platform
import TestSupport
import Testing

@Suite struct QueueTests {
    @Test func elementsLeaveInTheOrderTheyCame() {
        let queue = BoundedQueue<Int>(capacity: 3000)
        for value in 0..<3000 { queue.push(value) }
        for value in 0..<3000 { #expect(queue.pop() == value) }
    }

    @Test func aFullQueueBlocks() throws {
        let queue = BoundedQueue<Int>(capacity: 2)
        queue.push(1)
        queue.push(2)
        #expect(queue.count == 2)
        let pushed = Monitor(false)
        let thread = try WorkerThread(name: "pusher") {
            queue.push(3)
            pushed.withLockNotifyingAll { $0 = true }
        }
        sleep(seconds: 0.05)
        #expect(pushed.withLock { $0 } == false)
        #expect(queue.pop() == 1)
        thread.join()
        #expect(pushed.withLock { $0 })
    }

    @Test func closingDrainsThenEnds() throws {
        let queue = BoundedQueue<Int>(capacity: 2)
        queue.push(7)
        queue.close()
        let accepted = queue.push(8)
        #expect(!accepted)
        #expect(queue.pop() == 7)
        #expect(queue.pop() == nil)
    }

    @Test func aDeadlineEndsAWait() {
        let queue = BoundedQueue<Int>(capacity: 1)
        let start = Instant.now
        #expect(queue.pop(until: start + 0.05) == nil)
        #expect(Instant.now - start >= 0.05)
    }

    @Test func manyThreadsLoseAndRepeatNothing() throws {
        let queue = BoundedQueue<Int>(capacity: 8)
        let seen = Monitor([Int]())
        let consumers = try (0..<4).map { index in
            try WorkerThread(name: "consumer \(index)") {
                while let value = queue.pop() { seen.withLockNotifyingAll { $0.append(value) } }
            }
        }
        let producers = try (0..<4).map { index in
            try WorkerThread(name: "producer \(index)") {
                for value in 0..<250 { queue.push(index * 250 + value) }
            }
        }
        for producer in producers { producer.join() }
        queue.close()
        for consumer in consumers { consumer.join() }
        #expect(seen.withLock { $0.sorted() } == Array(0..<1000))
    }
}

@Suite struct DigestTests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ])
    func digestsEqualTheStandardsExamples(text: String, expected: String) {
        let digest = SHA256Digest(of: Array(text.utf8))
        #expect(digest.description == expected)
        #expect(SHA256Digest(hexadecimal: expected) == digest)
    }

    @Test func piecesEqualTheWhole() {
        let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var hash = SHA256()
        for start in stride(from: 0, to: bytes.count, by: 777) {
            let piece = Array(bytes[start..<min(start + 777, bytes.count)])
            hash.update(piece.span.bytes)
        }
        #expect(hash.finish() == SHA256Digest(of: bytes))
    }

    @Test(arguments: ["", "zz", String(repeating: "g", count: 64), String(repeating: "a", count: 63)])
    func whatIsNoDigestIsRefused(text: String) {
        #expect(SHA256Digest(hexadecimal: text) == nil)
    }

    // RFC 1321 appendix A.5 and FIPS 180-4's first example.
    @Test(arguments: [
        (FileDigest.Algorithm.md5, "", "d41d8cd98f00b204e9800998ecf8427e"),
        (.md5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ])
    func `files have the published digests`(algorithm: FileDigest.Algorithm, text: String, digits: String) throws {
        let folder = try TemporaryDirectory()
        try Data(text.utf8).write(to: folder.url.appending(path: "f"))
        let file = try OwnedDescriptor.open(folder.path + "/f", O_RDONLY)
        #expect(try FileDigest(of: file, by: algorithm) == FileDigest(algorithm, digits: digits.uppercased()))
        #expect(try FileDigest(of: file, by: algorithm).description == "\(algorithm.rawValue) \(digits)")
    }

    @Test func `a file of many pieces is digested whole`() throws {
        let folder = try TemporaryDirectory()
        let bytes = (0..<2_500_000).map { UInt8(truncatingIfNeeded: $0 / 5) }
        try Data(bytes).write(to: folder.url.appending(path: "f"))
        let file = try OwnedDescriptor.open(folder.path + "/f", O_RDONLY)
        #expect(try FileDigest(of: file, by: .sha256).digits == SHA256Digest(of: bytes).description)
    }

    @Test func `published digests have their length, and the better one counts`() {
        let sha256 = String(repeating: "a", count: 64)
        let md5 = String(repeating: "b", count: 32)
        #expect(FileDigest(sha256: sha256, md5: md5)?.algorithm == .sha256)
        #expect(FileDigest(sha256: nil, md5: md5)?.algorithm == .md5)
        #expect(FileDigest(sha256: nil, md5: nil) == nil)
        #expect(FileDigest(sha256: md5, md5: md5) == nil)
        #expect(FileDigest(.md5, digits: String(repeating: "g", count: 32)) == nil)
    }
}

@Suite struct RelativePathTests {
    @Test func partsAndContainment() {
        let path = RelativePath("2021/summer/a.jpg")
        #expect(Array(path.name) == Array("a.jpg".utf8))
        #expect(path.parent == RelativePath("2021/summer"))
        #expect(path.isWithin(RelativePath("2021")))
        #expect(path.isWithin(.root))
        #expect(!path.isWithin(RelativePath("202")))
        #expect(!RelativePath("2021x/a").isWithin(RelativePath("2021")))
        #expect(RelativePath.root.appending(Array("x".utf8)) == RelativePath("x"))
    }

    @Test func namesThatAreNotUTF8SurviveTheWayToTheKernel() throws {
        let folder = try TemporaryDirectory()
        let name: [UInt8] = [0x66, 0xff, 0xfe, 0x2e, 0x6a]
        let path = RelativePath(bytes: Array(folder.path.utf8)).appending(name)
        let made = path.withCString { Foundation.open($0, O_CREAT | O_WRONLY, 0o600) }
        #expect(made >= 0)
        _ = close(made)
        let directory = try OwnedDescriptor.open(folder.path, O_RDONLY | O_DIRECTORY)
        let file = try directory.openBeneath(RelativePath(bytes: name))
        let bytes = try file.readAll(limit: 10)
        #expect(bytes.isEmpty)
    }
}

@Suite struct DescriptorTests {
    @Test(arguments: ["../outside", "/etc/passwd", "link", "linkdir/inner"])
    func nothingOutsideTheDirectoryOpens(path: String) throws {
        let folder = try TemporaryDirectory()
        let inside = folder.url.appending(path: "inside")
        try FileManager.default.createDirectory(at: inside, withIntermediateDirectories: true)
        try Data("secret".utf8).write(to: folder.url.appending(path: "outside"))
        try Data("inner".utf8).write(to: folder.url.appending(path: "inner"))
        try FileManager.default.createSymbolicLink(
            atPath: inside.appending(path: "link").path,
            withDestinationPath: "../outside"
        )
        try FileManager.default.createSymbolicLink(
            atPath: inside.appending(path: "linkdir").path,
            withDestinationPath: ".."
        )
        let directory = try OwnedDescriptor.open(inside.path, O_RDONLY | O_DIRECTORY)
        var opened = false
        do throws(SystemError) {
            _ = try directory.openBeneath(RelativePath(path))
            opened = true
        } catch {
            #expect([EXDEV, ELOOP, ENOENT, ENOTDIR].contains(error.code), "\(error)")
        }
        #expect(!opened, "\(path) left the directory")
    }

    @Test func aFileAboveTheLimitIsRefused() throws {
        let folder = try TemporaryDirectory()
        let file = folder.url.appending(path: "file")
        try Data(repeating: 1, count: 100_000).write(to: file)
        let descriptor = try OwnedDescriptor.open(file.path, O_RDONLY)
        let whole = try descriptor.readAll(limit: 100_000)
        #expect(whole.count == 100_000)
        #expect(throws: SystemError.self) { try descriptor.readAll(limit: 99_999) }
    }

    @Test func aFileWithoutASizeIsReadWhole() throws {
        let descriptor = try OwnedDescriptor.open("/proc/self/smaps", O_RDONLY)
        let whole = try descriptor.readAll(limit: 64 << 20)
        #expect(whole.count > 4096)
        #expect(whole.last == UInt8(ascii: "\n"))
        #expect(throws: SystemError.self) { try descriptor.readAll(limit: 4096) }
    }

    @Test func theDescriptorClosesWithItsOwner() throws {
        func number() throws -> Int32 { try OwnedDescriptor.open("/dev/null", O_RDONLY).rawValue }
        let first = try number()
        #expect(fcntl(first, F_GETFD) == -1 || first >= 0)
        let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        for _ in 0..<200 { _ = try number() }
        let after = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        #expect(after < before + 100, "\(after - before) descriptors stayed open")
    }
}

@Suite struct NearestWordTests {
    @Test(arguments: [("serch", "search"), ("stauts", "status"), ("qqqq", nil)])
    func theNearestWordIsFoundAFarOneIsNot(word: String, expected: String?) {
        #expect(nearestWord(to: word, among: ["search", "status", "list"]) == expected)
    }
}
