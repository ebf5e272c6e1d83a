#include "tests/os/exported_audit.h"

#include <gtest/gtest.h>

#include "core/crypto.h"
#include "os/text/audit_text.h"

namespace statefs::test {
namespace {

std::string line_of(std::uint64_t index) {
  AuditRecord record;
  record.kind = AuditKind::epoch;
  record.index = index;
  Bytes encoded;
  encode_audit(record, encoded);
  std::string line;
  append_audit_json(record, Sha256().of(encoded), line);
  return line;
}

TEST(ExportedAudit, TakesALineThatAKillCutWhereItComesAgain) {
  const std::string first = line_of(1), second = line_of(2);
  const auto count = [&](const std::string& text) {
    const auto records = parse_export(text);
    return records.ok() ? static_cast<int>(records.value().size()) : -1;
  };
  EXPECT_EQ(count(first + second), 2);
  for (const std::size_t size : {std::size_t{1}, std::size_t{80}, second.size() - 2}) {
    const std::string cut = second.substr(0, size) + "\n";
    EXPECT_EQ(count(first + cut + second), 2) << size;
    EXPECT_EQ(count(first + cut), -1) << "it never came again";
    EXPECT_EQ(count(cut + first), size == 1 ? 1 : -1) << "another came";
  }
}

}  // namespace
}  // namespace statefs::test
