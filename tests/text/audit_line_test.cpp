#include "os/text/audit_line.h"

#include <gtest/gtest.h>

#include "os/text/audit_filter.h"
#include "os/text/audit_text.h"
#include "tests/core/audit_samples.h"

namespace statefs {
namespace {

std::string line_of(const AuditRecord& record) {
  Bytes encoded;
  encode_audit(record, encoded);
  std::string line;
  append_audit_json(record, Sha256().of(encoded), line);
  line.pop_back();
  return line;
}

std::vector<AuditRecord> samples() {
  std::vector<AuditRecord> out;
  for (const AuditSample& sample : audit_samples()) out.push_back(sample.record);
  AuditRecord odd = sample_mutation();
  odd.key = std::string_view("/state/\x01 \"\\\xff", 12);
  odd.key_size = 12;
  odd.peer = {PeerKind::local, {}, 1000, "a b"};
  odd.wall_ns = -1;
  odd.policy = {};
  odd.value_mac = {};
  out.push_back(odd);
  static const std::string long_key(300, 'k');
  AuditRecord big = sample_mutation();
  Sha256 sha;
  set_audit_key(big, as_bytes(long_key), sha);
  big.op = 99;
  out.push_back(big);
  return out;
}

TEST(AuditLine, IsReadBackAsTheRecordThatItWasWrittenFrom) {
  for (const AuditRecord& record : samples()) {
    const std::string line = line_of(record);
    AuditLine parsed;
    ASSERT_TRUE(parse_audit_line(line, parsed)) << line;
    EXPECT_TRUE(genuine(parsed)) << line;
    EXPECT_EQ(line_of(parsed.record), line);
    EXPECT_EQ(parsed.record.key, record.key);
    EXPECT_EQ(parsed.record.peer.alias, record.peer.alias);
  }
}

// Every byte changed, every end cut off: either it is no audit line, or it does not have its hash.
TEST(AuditLine, ThatWasChangedAnywhereIsNotTakenForGenuine) {
  for (const AuditRecord& record : samples()) {
    const std::string line = line_of(record);
    for (std::size_t at = 0; at < line.size(); ++at) {
      for (const unsigned bit : {0u, 1u, 4u}) {
        std::string changed = line;
        changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
        AuditLine parsed;
        ASSERT_FALSE(parse_audit_line(changed, parsed) && genuine(parsed)) << changed;
      }
      AuditLine parsed;
      ASSERT_FALSE(parse_audit_line(line.substr(0, at), parsed));
    }
    AuditLine parsed;
    EXPECT_FALSE(parse_audit_line(line + " ", parsed));
    EXPECT_FALSE(parse_audit_line(" " + line, parsed));
  }
}

TEST(AuditLine, IsRefusedWhereItsKeyContradictsItself) {
  AuditLine parsed;
  const std::string line = line_of(sample_mutation());
  const std::size_t at = line.find("\"key_size\":") + 11;
  std::string more = line;
  more.replace(at, line.find(',', at) - at, "4000000000");
  EXPECT_FALSE(parse_audit_line(more, parsed));
  more.replace(at, 10, "0");
  EXPECT_FALSE(parse_audit_line(more, parsed));
}

TEST(AuditFilter, FindsWhoWroteAKey) {
  AuditRecord record = sample_mutation();
  record.peer.alias = "kitchen";
  record.key = "/state/shared/name";
  const std::string digits = [&] {
    std::string line = line_of(record);
    return line.substr(line.find("\"peer\":\"") + 8, 64);
  }();
  const auto finds = [&record](const auto& set) {
    AuditFilter filter;
    set(filter);
    EXPECT_EQ(objection_to(filter), "");
    return filter.matches(record);
  };
  EXPECT_TRUE(finds([](AuditFilter&) {}));
  EXPECT_TRUE(finds([](AuditFilter& f) { f.key = "/state/shared/"; }));
  EXPECT_FALSE(finds([](AuditFilter& f) { f.key = "/state/shared/other"; }));
  EXPECT_TRUE(finds([](AuditFilter& f) { f.peer = "kitchen"; }));
  EXPECT_FALSE(finds([](AuditFilter& f) { f.peer = "kitche"; }));
  EXPECT_TRUE(finds([&](AuditFilter& f) { f.peer = digits; }));
  EXPECT_TRUE(finds([&](AuditFilter& f) { f.peer = digits.substr(0, 8); }));
  EXPECT_FALSE(finds([&](AuditFilter& f) { f.peer = digits.substr(0, 7); }));
  EXPECT_TRUE(finds([&](AuditFilter& f) { f.op = name_of_op(record.op); }));
  EXPECT_FALSE(finds([](AuditFilter& f) { f.op = "list"; }));
  EXPECT_EQ(finds([](AuditFilter& f) { f.status = "refused"; }), record.status != Status::ok);
  EXPECT_TRUE(finds([&](AuditFilter& f) { f.status = name_of(record.status); }));
  EXPECT_TRUE(finds([&](AuditFilter& f) { f.since_ns = record.wall_ns; }));
  EXPECT_FALSE(finds([&](AuditFilter& f) { f.since_ns = record.wall_ns + 1; }));
  EXPECT_FALSE(finds([&](AuditFilter& f) { f.until_ns = record.wall_ns; }));
  EXPECT_TRUE(finds([&](AuditFilter& f) { f.until_ns = record.wall_ns + 1; }));
  AuditFilter wrong;
  wrong.op = "putt";
  EXPECT_NE(objection_to(wrong), "");
  wrong.op = "";
  wrong.status = "ok";
  EXPECT_NE(objection_to(wrong), "");
}

TEST(AuditFilter, ReadsInstantsAsTheyAreWritten) {
  for (const std::int64_t ns :
       {std::int64_t{0}, std::int64_t{1'700'000'000'123'456'789}, std::int64_t{951'782'400'000'000'000}, std::int64_t{-1}}) {
    std::string text;
    append_rfc3339(ns, text);
    EXPECT_EQ(instant_of_text(text, 0), ns) << text;
  }
  EXPECT_EQ(instant_of_text("1970-01-02", 0), 86'400'000'000'000);
  EXPECT_EQ(instant_of_text("1970-01-01T00:00:01.5Z", 0), 1'500'000'000);
  EXPECT_EQ(instant_of_text("2m", 200'000'000'000), 80'000'000'000);
  EXPECT_EQ(instant_of_text("@17", 0), 17);
  for (const std::string_view text : {"", "1970", "1970-13-01", "1970-01-01T", "1970-01-01T00:00:00", "1970-01-01 00:00:00Z", "@",
                                      "@x", "2 m", "1970-01-01T00:00:00.Zx"}) {
    EXPECT_FALSE(instant_of_text(text, 0).has_value()) << text;
  }
}

}  // namespace
}  // namespace statefs
