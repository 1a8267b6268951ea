import Platform
import Testing

struct FifoTests {
    @Test func `elements come out in the order in which they went in, however long the queue was`() {
        var queue = Fifo<Int>()
        var (pushed, popped) = (0, 0)
        for round in 0..<300 {
            for _ in 0..<(round % 100) * 3 {
                queue.append(pushed)
                pushed += 1
            }
            for _ in 0..<(round % 7) * 30 {
                guard let first = queue.popFirst() else { break }
                #expect(first == popped)
                popped += 1
            }
            #expect(queue.count == pushed - popped && queue.isEmpty == (pushed == popped))
        }
        while let first = queue.popFirst() {
            #expect(first == popped)
            popped += 1
        }
        #expect(popped == pushed && queue.isEmpty)
    }

    @Test func `a queue that was emptied goes on`() {
        var queue = Fifo<String>()
        queue.append("a")
        queue.removeAll()
        #expect(queue.popFirst() == nil)
        queue.append("b")
        #expect(queue.popFirst() == "b")
    }
}
