import CPlatform
import Platform
import Testing

struct ChecksumTests {
    @Test func checksumsMatchTheirPublishedValues() {
        // RFC 3720 B.4.
        let zeros = [UInt8](repeating: 0, count: 32)
        let rising = (0..<32).map { UInt8($0) }
        #expect(CPlatform_crc32c(0, zeros, 32) == 0x8A91_36AA)
        #expect(CPlatform_crc32c(0, rising, 32) == 0x46DD_794E)
        #expect(CPlatform_crc32c_portable(0, rising, 32) == 0x46DD_794E)
        #expect(CPlatform_crc32c_portable(0, rising, 13) == CPlatform_crc32c(0, rising, 13))
        #expect(CPlatform_crc32c(CPlatform_crc32c(0, rising, 11), Array(rising[11...]), 21) == 0x46DD_794E)
        #expect(CPlatform_crc32c_portable(CPlatform_crc32c(0, rising, 11), Array(rising[11...]), 21) == 0x46DD_794E)
        #expect(CRC32C.checksum(rising.span.bytes) == 0x46DD_794E)
    }

    @Test func everyInstructionSetHasTheNameThatTheEnvironmentUses() {
        for set in InstructionSet.allCases {
            guard let isa = CPlatform_isa(rawValue: set.rawValue) else {
                Issue.record("\(set) is no CPlatform_isa")
                continue
            }
            #expect(set.name == String(cString: CPlatform_isa_name(isa)))
        }
        #expect(InstructionSet.allCases.count == 3)
    }
}
