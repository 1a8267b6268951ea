/// What one check found.
struct Finding: Encodable, Equatable {
    enum State: String, Encodable { case ok, warn, fail }

    let name: String
    let state: State
    let detail: String
    /// What to do; nil when all is well.
    let fix: String?

    static func ok(_ name: String, _ detail: String) -> Finding {
        Finding(name: name, state: .ok, detail: detail, fix: nil)
    }

    static func warn(_ name: String, _ detail: String, fix: String) -> Finding {
        Finding(name: name, state: .warn, detail: detail, fix: fix)
    }

    static func fail(_ name: String, _ detail: String, fix: String) -> Finding {
        Finding(name: name, state: .fail, detail: detail, fix: fix)
    }
}
