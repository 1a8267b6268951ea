internal import CVulkan
internal import Inference
internal import Platform

/// A submission that is not known to have ended.
struct Flight {
    /// Of the work timeline.
    let value: UInt64
    let part: BatchPart
    let submitted: Instant
    /// Expected seconds; nil before its steps ran.
    let estimate: Double?
    /// Its share of the timeout.
    let timeoutShare: Double
    /// Something came between, so that its duration means nothing.
    var isDisturbed = false
}

/// Some steps of one piece of a batch: what one submission computes.
struct BatchPart {
    /// Positions in the batch.
    let images: Range<Int>
    let bucket: Int
    let slot: Int
    let steps: Range<Int>
    let isFirst: Bool
    let isLast: Bool
}

/// Walks through a batch, piece by piece and submission by submission.
private struct BatchWalk {
    let count: Int
    private var nextImage = 0
    private var piece: (images: Range<Int>, bucket: Int, cut: [Range<Int>])?
    private var position = 0
    private var slot = -1

    init(count: Int) { self.count = count }

    var isDone: Bool { piece == nil && nextImage == count }

    /// The next submission; nil at the end. Stays the same until `advance`.
    mutating func next(_ plan: inout SubmissionPlan, slotCount: Int) -> BatchPart? {
        if piece == nil {
            guard nextImage < count else { return nil }
            let (imageCount, bucket) = plan.piece(of: count - nextImage)
            piece = (nextImage..<nextImage + imageCount, bucket, plan.cut(bucket: bucket))
            nextImage += imageCount
            position = 0
            slot = (slot + 1) % slotCount
        }
        guard let piece else { return nil }
        return BatchPart(
            images: piece.images,
            bucket: piece.bucket,
            slot: slot,
            steps: piece.cut[position],
            isFirst: position == 0,
            isLast: position == piece.cut.count - 1
        )
    }

    mutating func advance() {
        position += 1
        if position == piece?.cut.count { piece = nil }
    }
}

extension ComputeSession {
    /// Gets the rows of some images of a batch: `[images.count, ComputeGraph.heads, rowPitch]` fp32, and `rowPitch`.
    typealias Delivery = (_ images: Range<Int>, _ rows: UnsafeBufferPointer<Float>, _ rowPitch: Int) -> Void

    /// Runs a batch and lends the results piece by piece, in order.
    ///
    /// - Parameters:
    ///   - pixels: `[count, side, side, 3]` uint8.
    ///   - count: images, any number.
    ///   - pause: called between submissions; may call `runOne`. At most `SubmissionPlan.limit` of work is in flight then.
    ///   - deliver: gets each image once.
    /// - Throws: `.deviceLost`, `.outOfMemory`; the session must not be used again then.
    func run(
        _ pixels: RawSpan,
        count: Int,
        pause: (() -> Void)? = nil,
        deliver: Delivery
    ) throws(InferenceError) {
        precondition(count > 0 && pixels.byteCount == count * imageByteCount, "\(pixels.byteCount) bytes")
        var walk = BatchWalk(count: count)
        var lastEnd = Instant.now
        while true {
            while let part = walk.next(&plan, slotCount: slots.count) {
                let estimate = plan.estimate(bucket: part.bucket, steps: part.steps)
                guard hasRoom(for: estimate) else { break }
                let bytes = part.images.lowerBound * imageByteCount..<part.images.upperBound * imageByteCount
                try submit(part, pixels.extracting(bytes), estimate)
                walk.advance()
            }
            guard let oldest = flight.first else { return }
            try work.wait(for: oldest.value, seconds: timeouts.seconds(flight))
            let end = Instant.now
            let ended = flight.removeFirst()
            firstSubmissions.noteEnd(of: ended.part.steps, imageCount: ended.part.bucket, in: graph)
            if !ended.isDisturbed {
                plan.note(
                    bucket: ended.part.bucket,
                    steps: ended.part.steps,
                    seconds: end - max(lastEnd, ended.submitted)
                )
            }
            lastEnd = end
            if ended.part.isLast {
                lend(slots[ended.part.slot], count: ended.part.images.count) { deliver(ended.part.images, $0, $1) }
            }
            guard let pause, !(flight.isEmpty && walk.isDone) else { continue }
            let before = queryCount
            pause()
            if queryCount != before {
                for index in flight.indices { flight[index].isDisturbed = true }
                lastEnd = .now
            }
        }
    }

    /// Runs one image, also while `run` pauses.
    ///
    /// - Throws: as `run`.
    func runOne(
        _ pixels: RawSpan,
        deliver: Delivery
    ) throws(InferenceError) {
        queryCount += 1
        let steps = 0..<graph.steps.count
        let value = try compute(querySlot, pixels, imageCount: 1, steps: steps, isFirst: true)
        // What is in flight ends before it.
        let estimate = plan.estimate(bucket: 1, steps: steps)
        let own = firstSubmissions.share(of: steps, imageCount: 1, in: graph, expected: estimate)
        try work.wait(for: value, seconds: timeouts.seconds(flight, and: own))
        firstSubmissions.noteEnd(of: steps, imageCount: 1, in: graph)
        lend(querySlot, count: 1) { deliver(0..<1, $0, $1) }
    }

    /// One submission always, more while all of them are short together and each has a slot.
    private func hasRoom(for estimate: Double?) -> Bool {
        guard !flight.isEmpty else { return true }
        guard flight.count < slots.count, let estimate else { return false }
        var sum = estimate
        for one in flight {
            guard let part = one.estimate else { return false }
            sum += part
        }
        return sum <= SubmissionPlan.limit
    }

    private func submit(_ part: BatchPart, _ pixels: RawSpan, _ estimate: Double?) throws(InferenceError) {
        let value = try compute(
            slots[part.slot],
            pixels,
            imageCount: part.bucket,
            steps: part.steps,
            isFirst: part.isFirst
        )
        let share = firstSubmissions.share(of: part.steps, imageCount: part.bucket, in: graph, expected: estimate)
        flight.append(
            Flight(value: value, part: part, submitted: .now, estimate: estimate, timeoutShare: share)
        )
    }

    /// Submits steps of a piece, behind the upload of its pixels when they are the first.
    private func compute(
        _ slot: Slot,
        _ pixels: RawSpan,
        imageCount: Int,
        steps: Range<Int>,
        isFirst: Bool
    ) throws(InferenceError) -> UInt64 {
        let commands = try slot.computation(imageCount: imageCount, steps: steps) { () throws(InferenceError) in
            try record(slot, imageCount: imageCount, steps: steps)
        }
        guard isFirst else { return try work.submit(commands, to: device.computeQueue.handle) }
        let copy = try slot.upload(imageCount: imageCount) { () throws(InferenceError) in
            try uploadPool.record { recorder in
                let byteCount = (imageCount * imageByteCount).rounded(upTo: 4)
                recorder.copy(from: slot.upload, to: slot.pixels, byteCount: byteCount)
            }
        }
        pixels.withUnsafeBytes { slot.upload.mapped.copyMemory(from: $0) }
        let uploaded = try uploads.submit(copy, to: device.uploadQueue.handle)
        return try work.submit(commands, to: device.computeQueue.handle, after: (uploads, uploaded))
    }

    /// Dispatches, and after the last step the readback: `rows` are so few bytes that they need no queue of their own.
    private func record(
        _ slot: Slot,
        imageCount: Int,
        steps: Range<Int>
    ) throws(InferenceError) -> VkCommandBuffer {
        try computePool.record { recorder in
            // Maps are shared by all pieces: what earlier submissions wrote and read there is over.
            recorder.barrier(.kernel, .kernel)
            for step in steps {
                for dispatch in graph.dispatches(step: step, imageCount: imageCount) {
                    recorder.dispatch(
                        pipelines[dispatch.kernel],
                        layout,
                        slot.descriptors.sets[dispatch.kernel],
                        push: dispatch.push,
                        groups: dispatch.groups
                    )
                    recorder.barrier(.kernel, step == graph.steps.count - 1 ? .copy : .kernel)
                }
            }
            guard steps.upperBound == graph.steps.count else { return }
            recorder.copy(
                from: slot.rows,
                to: slot.readback,
                byteCount: imageCount * ComputeGraph.heads.count * graph.rowPitch * 4
            )
            recorder.barrier(.copy, .host)
        }
    }

    private func lend(_ slot: Slot, count: Int, _ body: (UnsafeBufferPointer<Float>, _ rowPitch: Int) -> Void) {
        // SAFETY: the memory is mapped as long as the slot lives, the device has finished writing (the timeline), and nothing
        // is submitted to this slot during the call, because a session belongs to one thread.
        let rows = slot.readback.mapped.bindMemory(to: Float.self)
        body(
            UnsafeBufferPointer(rebasing: rows.prefix(count * ComputeGraph.heads.count * graph.rowPitch)),
            graph.rowPitch
        )
    }
}
