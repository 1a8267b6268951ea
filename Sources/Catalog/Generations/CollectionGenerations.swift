internal import Foundation
internal import Glibc
internal import Platform

/// The environments that a collection's directory may hold, of which one is current.
///
/// Generation 0 lies in the directory itself, generation n in its folder `n`. The file `generation` names the current one: its number in
/// decimal digits and a line feed; without the file it is 0. A new generation is written beside the current one and then named by
/// an atomic replacement of that file, so a process killed at any moment leaves the old one or the new one in force, whole.
struct CollectionGenerations {
    private static let pointer = "generation"
    /// What generation 0 consists of.
    private static let files = ["data.mdb", "lock.mdb", "pid"]

    let directory: String
    let current: Int

    /// Reads which generation is current.
    ///
    /// - Throws: `.corrupted` when the file says nothing sensible: guessing could lose a collection.
    init(_ directory: String) throws(CatalogFailure) {
        self.directory = directory
        current = try Self.read(directory)
        // An empty collection in its place would look as if everything were gone.
        let file = "\(Self.folder(directory, current))/data.mdb"
        guard current == 0 || FileManager.default.fileExists(atPath: file) else {
            throw .corrupted("\(directory)/\(Self.pointer)", "generation \(current) is missing")
        }
    }

    var currentDirectory: String { Self.folder(directory, current) }
    var next: Int { current + 1 }
    var nextDirectory: String { Self.folder(directory, next) }

    /// Makes the next generation the current one.
    ///
    /// - Throws: `.storage`; the old generation is in force then.
    func switchToNext() throws(CatalogFailure) {
        do { try DurableFile.replace("\(directory)/\(Self.pointer)", with: Array("\(next)\n".utf8)) } catch {
            // The name may have changed although its folder could not be flushed: then the new one is what a restart finds.
            guard (try? Self.read(directory)) == next else {
                throw .catalog(.storage(detail: "cannot switch \(directory): \(error)"))
            }
        }
    }

    /// Removes what is not the current generation: an earlier one, or one that was not finished.
    func removeOthers() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names {
            guard let number = Int(name), number > 0, String(number) == name, number != current else { continue }
            Self.remove("\(directory)/\(name)")
        }
        guard current > 0 else { return }
        for name in Self.files where names.contains(name) { Self.remove("\(directory)/\(name)") }
    }

    /// Removes the next generation after it could not be finished, once it is certain that it is not in force.
    func removeNext() {
        if (try? Self.read(directory)) == current { Self.remove(nextDirectory) }
    }

    private static func remove(_ path: String) {
        do { try FileManager.default.removeItem(atPath: path) } catch let error as CocoaError {
            if error.code != .fileNoSuchFile { Log("catalog").warning("cannot remove \(path): \(error)") }
        } catch { Log("catalog").warning("cannot remove \(path): \(error)") }
    }

    private static func folder(_ directory: String, _ number: Int) -> String {
        number == 0 ? directory : "\(directory)/\(number)"
    }

    private static func read(_ directory: String) throws(CatalogFailure) -> Int {
        let path = "\(directory)/\(pointer)"
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try OwnedDescriptor.open(path, O_RDONLY | O_NOFOLLOW).readAll(limit: 32)
        } catch {
            guard error.code == ENOENT else { throw .catalog(.storage(detail: "cannot read \(path): \(error)")) }
            return 0
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasSuffix("\n"), let number = Int(text.dropLast()), 1...1_000_000_000 ~= number else {
            throw .corrupted(path, "it holds no number")
        }
        return number
    }
}
