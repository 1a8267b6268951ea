internal import CVulkan
internal import Inference
internal import Platform

/// A submission that is not known to have ended.
struct SubmissionInFlight {
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
    let frame: Int
    let steps: Range<Int>
    let isFirst: Bool
    let isLast: Bool
}

/// A cursor over a batch: it goes piece by piece and submission by submission.
private struct BatchCursor {
    let count: Int
    private var nextImage = 0
    private var piece: (images: Range<Int>, bucket: Int, cut: [Range<Int>])?
    private var position = 0
    private var frame = -1

    init(count: Int) { self.count = count }

    var isDone: Bool { piece == nil && nextImage == count }

    /// The next submission; nil at the end. Stays the same until `advance`.
    mutating func next(_ plan: inout SubmissionPlan, frameCount: Int) -> BatchPart? {
        if piece == nil {
            guard nextImage < count else { return nil }
            let (imageCount, bucket) = plan.piece(of: count - nextImage)
            piece = (nextImage..<nextImage + imageCount, bucket, plan.cut(bucket: bucket))
            nextImage += imageCount
            position = 0
            frame = (frame + 1) % frameCount
        }
        guard let piece else { return nil }
        return BatchPart(
            images: piece.images,
            bucket: piece.bucket,
            frame: frame,
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

    /// Runs a batch and hands out the results piece by piece, in order.
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
        var cursor = BatchCursor(count: count)
        var lastEnd = Instant.now
        while true {
            while let part = cursor.next(&plan, frameCount: frames.count) {
                let estimate = plan.estimate(bucket: part.bucket, steps: part.steps)
                guard hasRoom(for: estimate) else { break }
                let bytes = part.images.lowerBound * imageByteCount..<part.images.upperBound * imageByteCount
                try submit(part, pixels.extracting(bytes), estimate)
                cursor.advance()
            }
            guard let oldest = inFlight.first else { return }
            try work.wait(for: oldest.value, seconds: timeouts.seconds(inFlight))
            let end = Instant.now
            let ended = inFlight.removeFirst()
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
                withMappedReadback(frames[ended.part.frame], count: ended.part.images.count) {
                    deliver(ended.part.images, $0, $1)
                }
            }
            guard let pause, !(inFlight.isEmpty && cursor.isDone) else { continue }
            let before = queryCount
            pause()
            if queryCount != before {
                for index in inFlight.indices { inFlight[index].isDisturbed = true }
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
        let value = try compute(queryFrame, pixels, imageCount: 1, steps: steps, isFirst: true)
        // What is in flight ends before it.
        let estimate = plan.estimate(bucket: 1, steps: steps)
        let own = firstSubmissions.share(of: steps, imageCount: 1, in: graph, expected: estimate)
        try work.wait(for: value, seconds: timeouts.seconds(inFlight, and: own))
        firstSubmissions.noteEnd(of: steps, imageCount: 1, in: graph)
        withMappedReadback(queryFrame, count: 1) { deliver(0..<1, $0, $1) }
    }

    /// One submission always, more while all of them are short together and each has a frame.
    private func hasRoom(for estimate: Double?) -> Bool {
        guard !inFlight.isEmpty else { return true }
        guard inFlight.count < frames.count, let estimate else { return false }
        var sum = estimate
        for one in inFlight {
            guard let part = one.estimate else { return false }
            sum += part
        }
        return sum <= SubmissionPlan.limit
    }

    private func submit(_ part: BatchPart, _ pixels: RawSpan, _ estimate: Double?) throws(InferenceError) {
        let value = try compute(
            frames[part.frame],
            pixels,
            imageCount: part.bucket,
            steps: part.steps,
            isFirst: part.isFirst
        )
        let share = firstSubmissions.share(of: part.steps, imageCount: part.bucket, in: graph, expected: estimate)
        inFlight.append(
            SubmissionInFlight(value: value, part: part, submitted: .now, estimate: estimate, timeoutShare: share)
        )
    }

    /// Submits steps of a piece, behind the upload of its pixels when they are the first.
    private func compute(
        _ frame: FrameInFlight,
        _ pixels: RawSpan,
        imageCount: Int,
        steps: Range<Int>,
        isFirst: Bool
    ) throws(InferenceError) -> UInt64 {
        let commands = try frame.computation(imageCount: imageCount, steps: steps) { () throws(InferenceError) in
            try record(frame, imageCount: imageCount, steps: steps)
        }
        guard isFirst else { return try work.submit(commands, to: device.computeQueue.handle) }
        let copy = try frame.upload(imageCount: imageCount) { () throws(InferenceError) in
            try uploadPool.record { recorder in
                let byteCount = (imageCount * imageByteCount).rounded(upTo: 4)
                recorder.copy(from: frame.upload, to: frame.pixels, byteCount: byteCount)
            }
        }
        pixels.withUnsafeBytes { frame.upload.mapped.copyMemory(from: $0) }
        let uploaded = try uploads.submit(copy, to: device.uploadQueue.handle)
        return try work.submit(commands, to: device.computeQueue.handle, after: (uploads, uploaded))
    }

    /// Dispatches, and after the last step the readback: `rows` are so few bytes that they need no queue of their own.
    private func record(
        _ frame: FrameInFlight,
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
                        frame.descriptors.sets[dispatch.kernel],
                        push: dispatch.push,
                        groups: dispatch.groups
                    )
                    recorder.barrier(.kernel, step == graph.steps.count - 1 ? .copy : .kernel)
                }
            }
            guard steps.upperBound == graph.steps.count else { return }
            recorder.copy(
                from: frame.rows,
                to: frame.readback,
                byteCount: imageCount * ComputeGraph.heads.count * graph.rowPitch * 4
            )
            recorder.barrier(.copy, .host)
        }
    }

    private func withMappedReadback(
        _ frame: FrameInFlight,
        count: Int,
        _ body: (UnsafeBufferPointer<Float>, _ rowPitch: Int) -> Void
    ) {
        // SAFETY: the memory is mapped as long as the frame lives, the device has finished writing (the timeline), and nothing
        // is submitted to this frame during the call, because a session belongs to one thread.
        let rows = frame.readback.mapped.bindMemory(to: Float.self)
        body(
            UnsafeBufferPointer(rebasing: rows.prefix(count * ComputeGraph.heads.count * graph.rowPitch)),
            graph.rowPitch
        )
    }
}
