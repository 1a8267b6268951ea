import Inference
import Testing
import Wire

struct HeadNamesTests {
    @Test func `clients offer exactly the heads that are computed`() {
        #expect(HeadNames.all == Head.allCases.map(\.rawValue))
    }
}
