import Filters
import Foundation
import Testing
import Wire

/// What both sides of the socket rely on.
struct ProblemTests {
    @Test(arguments: Problem.Kind.allCases)
    func `a problem survives the wire`(kind: Problem.Kind) throws {
        let problem = Problem(kind, "what happened", instance: "abc", retryAfter: 3)
        let text = try JSONEncoder().encode(problem)
        #expect(try JSONDecoder().decode(Problem.self, from: text) == problem)
        #expect((400...599).contains(problem.status))
        #expect(problem.type == "urn:likeness:error:\(kind.rawValue)")
    }

    @Test func `documents keep every kind of value`() throws {
        let text = #"{"a":[1,2.5,true,null,"x"],"b":{}}"#
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        #expect(
            value
                == .object([
                    "a": .array([.number(1), .number(2.5), .bool(true), .null, .string("x")]), "b": .object([:]),
                ])
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(String(decoding: try encoder.encode(value), as: UTF8.self) == text)
    }

    @Test func `names on the wire are snake case, and unknown fields are ignored`() throws {
        let request = try JSONDecoder().decode(
            SearchRequest.self,
            from: Data(#"{"id":1,"min_score":0.5,"new":[]}"#.utf8)
        )
        #expect(request == SearchRequest(id: 1, minScore: 0.5))
    }

    @Test func `a chosen socket is the only candidate`() {
        #expect(Locations.socketCandidates(environment: ["LIKENESS_SOCKET": "/x"]) == ["/x"])
        let candidates = Locations.socketCandidates(environment: ["XDG_RUNTIME_DIR": "/run/user/1"])
        #expect(candidates == ["/run/user/1/likeness/likeness.sock", Locations.systemSocket])
        #expect(Locations.socketCandidates(environment: ["LIKENESS_SOCKET": ""]) == [Locations.systemSocket])
    }
}
