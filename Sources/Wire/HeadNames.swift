/// The heads that a model can be used with, for clients; the daemon's tests hold them against the ones it computes.
package enum HeadNames {
    package static let all = ["max", "mean", "gem3", "rmac"]
}
