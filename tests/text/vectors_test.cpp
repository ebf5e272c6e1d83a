// Tables of keys with the verdict that the default policy gives: tests/vectors/keys.tsv, and others of the same form.
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "os/text/policy_text.h"
#include "os/text/verdict_text.h"

namespace statefs {
namespace {

struct Row {
  std::vector<std::string> columns;  // class, op, expected, key in hexadecimal, note
};

std::vector<Row> rows_of(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::vector<Row> rows;
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line, "class\top\texpected\tkey_hex\tnote") << path;
  while (std::getline(file, line)) {
    Row row;
    for (std::size_t at = 0; at <= line.size();) {
      const std::size_t end = std::min(line.find('\t', at), line.size());
      row.columns.push_back(line.substr(at, end - at));
      at = end + 1;
    }
    EXPECT_EQ(row.columns.size(), 5u) << line;
    if (row.columns.size() == 5) rows.push_back(std::move(row));
  }
  return rows;
}

std::map<std::string, std::size_t> replay(const std::string& path) {
  std::map<std::string, std::size_t> count_by_status;
  const RuleSet rules = rules_for(PolicyText{}, std::nullopt);
  for (const Row& row : rows_of(path)) {
    const Result<Status, TextError> verdict = verdict_of_line(rules, row.columns[1] + '\t' + row.columns[3], 1);
    EXPECT_TRUE(verdict.ok()) << row.columns[4];
    if (!verdict.ok()) continue;
    EXPECT_EQ(name_of(verdict.value()), row.columns[2]) << row.columns[0] << ": " << row.columns[4];
    ++count_by_status[row.columns[2]];
  }
  return count_by_status;
}

TEST(KeyVectors, OfTheProjectHoldForTheDefaultPolicy) {
  const auto count_by_status = replay("tests/vectors/keys.tsv");
  EXPECT_GE(count_by_status.at("OK"), 70u);
  EXPECT_GE(count_by_status.at("INVALID_KEY"), 140u);
  EXPECT_GE(count_by_status.at("KEY_TOO_LONG"), 12u);
  EXPECT_GE(count_by_status.at("ACCESS_DENIED"), 25u);
}

// Tables of others may lie beside the repository; where none does there is nothing to hold to.
TEST(KeyVectors, FoundBesideTheRepositoryHoldToo) {
  const std::filesystem::path path = "../shared/vectors/keys.tsv";
  if (!std::filesystem::exists(path)) return;
  EXPECT_EQ(replay(path.string()).size(), 4u);
}

}  // namespace
}  // namespace statefs
