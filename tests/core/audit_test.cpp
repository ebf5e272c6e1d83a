#include "core/audit.h"

#include <gtest/gtest.h>

#include "tests/core/audit_samples.h"

namespace statefs {
namespace {

Bytes encoded(const AuditRecord& record) {
  Bytes out;
  encode_audit(record, out);
  return out;
}

void expect_equal(const AuditRecord& a, const AuditRecord& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.index, b.index);
  EXPECT_EQ(a.previous, b.previous);
  EXPECT_EQ(a.wall_ns, b.wall_ns);
  EXPECT_EQ(a.monotonic_ns, b.monotonic_ns);
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(a.node, b.node);
  EXPECT_EQ(a.policy, b.policy);
  EXPECT_EQ(a.peer.kind, b.peer.kind);
  EXPECT_EQ(a.peer.key, b.peer.key);
  EXPECT_EQ(a.peer.uid, b.peer.uid);
  EXPECT_EQ(a.peer.alias, b.peer.alias);
  EXPECT_EQ(a.at, b.at);
  EXPECT_EQ(a.op, b.op);
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.allowed, b.allowed);
  EXPECT_EQ(a.rule, b.rule);
  EXPECT_EQ(a.count, b.count);
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.key_size, b.key_size);
  EXPECT_EQ(a.key_digest, b.key_digest);
  EXPECT_EQ(a.value_size, b.value_size);
  EXPECT_EQ(a.value_mac, b.value_mac);
  EXPECT_EQ(a.old_revision, b.old_revision);
  EXPECT_EQ(a.new_revision, b.new_revision);
}

TEST(AuditCodec, ValuesComeBackFromBytesAndBytesFromValues) {
  for (const AuditSample& sample : audit_samples()) {
    SCOPED_TRACE(sample.name);
    const Bytes bytes = encoded(sample.record);
    EXPECT_LE(bytes.size(), limits::audit_record_size_max);
    const auto decoded = decode_audit(bytes);
    ASSERT_TRUE(decoded.ok());
    expect_equal(decoded.value(), sample.record);
    EXPECT_EQ(to_hex(encoded(decoded.value())), to_hex(bytes));
  }
}

// So that the log of one version can be read by the next: each field stands where audit.h says.
TEST(AuditCodec, HasTheseBytes) {
  const std::string expected =
      "02010101" "0000" "0300" "0504030201050000"
      "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
      "15cd853dfe9c9717" "2827262524232221" "0500000000000000"
      "303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f"
      "505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f"
      "707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"
      "4847464544434241" "5857565554535251" "64636261" "0700" "04" "12"
      "00000000" "12000000" "0100000000000000" "02000000" "00000000"
      "0504030201040000" "0504030201050000"
      "909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
      "6c616d70" "2f73746174652f7368617265642f6c616d70";
  EXPECT_EQ(to_hex(encoded(sample_mutation())), expected);
}

TEST(AuditDecode, EveryTruncationAndEveryExtraByteIsMalformed) {
  for (const AuditSample& sample : audit_samples()) {
    const Bytes whole = encoded(sample.record);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(decode_audit(cut).ok()) << sample.name << " cut to " << size;
    }
    Bytes longer = whole;
    longer.push_back(0);
    EXPECT_FALSE(decode_audit(longer).ok()) << sample.name;
  }
}

TEST(AuditDecode, EveryChangedByteIsMalformedOrAnotherCanonicalRecord) {
  std::size_t malformed = 0;
  std::size_t decoded = 0;
  for (const AuditSample& sample : audit_samples()) {
    const Bytes whole = encoded(sample.record);
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (int value = 0; value < 256; value += 3) {
        Bytes bytes = whole;
        bytes[at] = static_cast<std::uint8_t>(value);
        const auto result = decode_audit(bytes);
        result.ok() ? ++decoded : ++malformed;
        if (result.ok()) {
          ASSERT_TRUE(equal(encoded(result.value()), bytes)) << sample.name << " byte " << at << " = " << value;
        }
      }
    }
  }
  EXPECT_GT(malformed, 1'000u);
  EXPECT_GT(decoded, 10'000u);
}

TEST(AuditDecode, RefusesWhatHasNoMeaning) {
  const Bytes good = encoded(sample_mutation());
  const auto with = [&](std::size_t at, std::uint8_t value) {
    Bytes bytes = good;
    bytes[at] = value;
    return decode_audit(bytes).ok();
  };
  EXPECT_FALSE(with(0, 0));    // kinds 1..9
  EXPECT_TRUE(with(0, 9));
  EXPECT_FALSE(with(0, 10));
  EXPECT_TRUE(with(1, 2));     // peer kinds 0..2
  EXPECT_FALSE(with(1, 3));
  EXPECT_TRUE(with(2, 0xff));  // any op: a malformed frame is recorded with the one it named
  EXPECT_FALSE(with(3, 2));    // flags
  EXPECT_FALSE(with(4, 9));    // statuses
  EXPECT_FALSE(with(212, 1));  // reserved
  EXPECT_FALSE(with(190, 5));  // alias and key sizes do not add up
  EXPECT_FALSE(with(191, 17));
}

TEST(AuditKey, KeepsTheFirst255BytesAndTheDigestOfALongerKey) {
  Sha256 sha;
  const Bytes key(65'535, 'k');
  for (const std::size_t size : {0u, 1u, 254u, 255u, 256u, 65'535u}) {
    AuditRecord record;
    set_audit_key(record, ByteView(key).first(size), sha);
    EXPECT_EQ(record.key_size, size);
    EXPECT_EQ(record.key.size(), std::min<std::size_t>(size, 255));
    EXPECT_EQ(record.key_digest, size > 255 ? sha.of(ByteView(key).first(size)) : Digest{}) << size;
    const auto decoded = decode_audit(encoded(record));
    ASSERT_TRUE(decoded.ok()) << size;
    EXPECT_EQ(decoded.value().key_digest, record.key_digest);
  }
}

TEST(AuditLimits, TheLargestRecordFits) {
  AuditRecord record = sample_mutation();
  const std::string alias(limits::alias_size_max, 'a');
  const Bytes key(256, 'k');
  Sha256 sha;
  record.peer.alias = alias;
  set_audit_key(record, key, sha);
  EXPECT_EQ(encoded(record).size(), 264u + 32 + 255 + 32);
  EXPECT_LE(encoded(record).size(), limits::audit_record_size_max);
  ASSERT_TRUE(decode_audit(encoded(record)).ok());
  // One byte more of alias is refused, though the sizes would add up.
  Bytes over = encoded(record);
  over[190] = 33;
  over.insert(over.begin() + 264, 'a');
  EXPECT_FALSE(decode_audit(over).ok());
}

TEST(AuditChain, EachRecordNamesItsIndexAndTheHashBeforeIt) {
  Sha256 sha;
  const Digest start = counted<32>(1);
  AuditChain chain(100, start);
  EXPECT_EQ(chain.head(), (AuditHead{99, start}));
  Digest previous = start;
  Bytes log{0xee};  // append leaves what is there alone, and hashes only the record
  for (std::uint64_t index = 100; index < 110; ++index) {
    AuditRecord record = sample_mutation();
    const std::size_t at = log.size();
    chain.append(record, log);
    EXPECT_EQ(record.index, index);
    EXPECT_EQ(record.previous, previous);
    const ByteView bytes = ByteView(log).subspan(at);
    const auto decoded = decode_audit(bytes);
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(decoded.value().index, index);
    EXPECT_EQ(decoded.value().previous, previous);
    previous = sha.of(bytes);
    EXPECT_EQ(chain.head(), (AuditHead{index, previous}));
    EXPECT_EQ(chain.next_index(), index + 1);
  }
  EXPECT_EQ(log[0], 0xee);
}

TEST(AuditChain, AChangedRecordChangesEveryLaterHead) {
  const auto head_of = [](std::uint8_t op) {
    AuditChain chain(1, {});
    Bytes log;
    for (int i = 0; i < 3; ++i) {
      AuditRecord record = sample_mutation();
      if (i == 0) record.op = op;
      chain.append(record, log);
    }
    return chain.head();
  };
  EXPECT_EQ(head_of(1), head_of(1));
  EXPECT_EQ(head_of(1).index, head_of(3).index);
  EXPECT_NE(head_of(1).hash, head_of(3).hash);
}

}  // namespace
}  // namespace statefs
